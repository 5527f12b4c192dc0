/** The remote's store as the oracle has it: what was said to be stored, what goes, and what is ordered to be done with it. */
import type { JobReport } from "#src/control/job.ts";
import type { WorkKind } from "#src/control/store-work.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { ExpiryWatch } from "./expiry-watch.ts";
import { ImageReading } from "./image-reading.ts";
import type { JournalEvents } from "./journal-watch.ts";
import { keptHistory } from "./kept-history.ts";
import { LostFolder } from "./lost-folder.ts";
import type { RemoteStore } from "./remote-site.ts";
import { StoreFlips } from "./store-flips.ts";
import { storeConfig } from "./store-process.ts";
import { StoredWatch } from "./stored-watch.ts";
import { demand, Violation } from "./violation.ts";
import type { World } from "./world.ts";

export const storeWorkKinds = [
  "collection",
  "scrub",
  "verification",
  "rebuild of the index",
  "end of a work",
  "flipped bit of the store",
] as const;
export type StoreWorkKind = (typeof storeWorkKinds)[number];

const workKinds: readonly (readonly [WorkKind, StoreWorkKind])[] = [
  ["collect", "collection"],
  ["collect", "collection"],
  ["collect", "collection"],
  ["scrub", "scrub"],
  ["scrub", "scrub"],
  ["verify", "verification"],
  ["index", "rebuild of the index"],
];

/** Anybody may know it: the worlds have nobody who reads what he should not. */
export const wrappingKey = WrappingKey.parse(Buffer.from("5e".repeat(32)), "the simulation");

/** Whatever work it is, it is over by then. */
const looksMax = 1_200;
const lookEveryMs = 500;

export class StoreSide {
  readonly counts = new Map<StoreWorkKind, number>();
  /** Undefined: none happen. */
  readonly flips: StoreFlips | undefined;
  /** Undefined: the remote does not lose it. */
  readonly folder: LostFolder | undefined;
  readonly images: ImageReading;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #stored: ReadonlyMap<string, StoredWatch>;
  readonly #expiry: ExpiryWatch | undefined;
  #wasFlipped = false;
  /** By the source's site, of each group: at least so much. */
  readonly #knownStored = new Map<string, number>();
  /** The most that wall clocks were ever ahead of how long the world goes on. */
  readonly #aheadMs = { source: 0, remote: 0 };

  constructor(world: World) {
    const { groups, simulation, remoteDisks: disks, weather } = world;
    this.#world = world;
    this.#random = simulation.random.fork("store");
    this.#stored = new Map(groups.map(({ id, history }) => [id, new StoredWatch(id, history)]));
    this.images = new ImageReading(world, weather.sealing?.isEncrypted === true ? wrappingKey : undefined);
    const works = weather.sealing?.works;
    if (works === undefined || disks.store === undefined) return;
    const { keepMs, flips } = works;
    if (flips) this.flips = new StoreFlips(disks.store);
    if (works.lostFolders) this.folder = new LostFolder(world);
    const unitsOf = (group: string) => world.journal.units(group);
    this.#expiry = new ExpiryWatch({ disks, groups, unitsOf, keepMs, latestMs: () => this.#latestMs() });
  }

  readonly events: JournalEvents = {
    relies: (group, seq) => this.#stored.get(group)?.said(seq),
    leaves: (group, entry, payload) => this.#expiry?.leaves(group, entry, payload),
  };

  /** A file of the store's disk is about to go. */
  removing(path: string): void {
    const { store } = this.#world.remoteDisks;
    if (store === undefined || path.endsWith(".unpublished")) return;
    if (path.includes("/pieces/")) {
      const bytes = this.#world.remoteDisks.durable()?.read(path);
      for (const watch of this.#stored.values()) if (bytes !== undefined) watch.removing(path, bytes);
    }
    this.#expiry?.removing(path);
  }

  // What is said to be stored

  claimedSeq(group: string): number {
    return this.#stored.get(group)?.claimedSeq ?? 0;
  }

  /** By the source's site. */
  knownSeq(group: string): number {
    return this.#knownStored.get(group) ?? 0;
  }

  /** What either side says to be stored now. */
  lookAtStored(): void {
    const { source, remote } = this.#world;
    for (const { id, stored } of [...(source?.groups() ?? []), ...(remote?.groups() ?? [])]) {
      this.#stored.get(id)?.said(stored);
    }
    for (const { id, stored } of source?.groups() ?? []) this.#knownStored.set(id, Math.max(stored, this.knownSeq(id)));
    this.#latestMs();
  }

  /** What was ever said to be stored is in the objects, and what they say is right. */
  async demandStored(): Promise<void> {
    const { remoteDisks: disks, weather } = this.#world;
    const stored = disks.durable();
    if (stored === undefined || weather.flips) return;
    this.#world.guard(() => this.#expiry?.look());
    const now = { stored, sealed: disks.sealedIn(stored), key: disks.storeKey() };
    for (const [group, watch] of this.#stored) {
      await watch.demandClaimed({ ...now, basedOn: keptHistory(stored, group).basedOn });
    }
  }

  /** Nobody has any reason to believe that it is later. */
  #latestMs(): number {
    const { sourceHost, remoteHost, simulation } = this.#world;
    const { nowMs } = simulation.clock;
    const ahead = this.#aheadMs;
    ahead.source = Math.max(ahead.source, sourceHost.clock.wallMs() - nowMs);
    ahead.remote = Math.max(ahead.remote, remoteHost.clock.wallMs() - nowMs);
    return Math.ceil(nowMs + Math.min(ahead.source, ahead.remote)) + 1;
  }

  /** Something of it is damaged just now. */
  get isFlipped(): boolean {
    return (this.flips?.paths.length ?? 0) > 0;
  }

  // What keeps it

  /** `life`: of the remote's site. */
  remoteStore(life: number): RemoteStore | undefined {
    const { sealing } = this.#world.weather;
    if (sealing === undefined) return undefined;
    const random = this.#world.simulation.random.fork(`store ${life}`);
    const callsBefore = (): number => {
      const isDoomed = sealing.keeperEnds && !this.#world.isHealed && random.chance(0.4);
      return isDoomed ? random.integerBelow(random.pick([10, 60, 300, 1_000])) : Number.POSITIVE_INFINITY;
    };
    const endedByItself = (): boolean => {
      const isCut = sealing.cutsPower && !this.#world.isHealed && random.chance(0.5);
      if (isCut) this.#world.crashRemote(false);
      return isCut;
    };
    const key = sealing.isEncrypted ? wrappingKey : undefined;
    return {
      options: sealing.options,
      config: storeConfig(sealing.works ?? { keepMs: Number.POSITIVE_INFINITY, graceMs: 0 }),
      hasJobs: sealing.works !== undefined,
      wrappingKey: key,
      prepare: async () => await this.folder?.mend(key),
      processEnd: () => ({
        random,
        callsBefore: callsBefore(),
        mayEnd: () => this.#world.faults.mayKill,
        endedByItself,
      }),
    };
  }

  /** Between two steps. */
  look(): void {
    const { weather, remote } = this.#world;
    const chance = weather.sealing?.works?.chance ?? 0;
    this.folder?.look();
    if (this.flips !== undefined && this.#random.chance(0.05)) this.#flip(this.flips);
    if (remote?.jobs === undefined || !this.#random.chance(chance)) return;
    if (this.#random.chance(0.1)) this.#end();
    else {
      const [kind, name] = this.#random.pick(workKinds);
      this.#count(name);
      this.#order(kind).catch((error: Error) => this.#world.fail(error));
    }
  }

  /**
   * Somebody looks after it, when nothing goes wrong any more: has it scrubbed while something is damaged, and starts anew what
   * has stopped for that.
   */
  mend(): void {
    const { remote } = this.#world;
    this.folder?.look();
    if (this.isFlipped) {
      this.#wasFlipped = true;
      const isAtWork = remote?.jobs?.reports().some(({ ended }) => ended === undefined);
      if (isAtWork === false) void this.#order("scrub");
    } else if (this.#wasFlipped && remote !== undefined) {
      this.#wasFlipped = false;
      this.#world.crashRemote(true);
    }
  }

  #flip(flips: StoreFlips): void {
    const where = flips.flip(this.#random);
    if (where === undefined) return;
    this.#wasFlipped = true;
    this.#count("flipped bit of the store", where);
  }

  async #order(kind: WorkKind): Promise<JobReport | undefined> {
    return this.#world.remote?.jobs?.add({ kind, isDry: false, ...(kind === "scrub" ? { isAnew: true } : {}) });
  }

  /**
   * When all has come together: what is to be let go of goes, and all that is left is found to be sound. Not where the disks
   * fail, or time is not to be trusted.
   */
  async finish(): Promise<void> {
    const { weather } = this.#world;
    if (weather.sealing?.works === undefined || weather.errors) return;
    for (const kind of ["scrub", "collect", "verify", "scrub"] as const) {
      const report = await this.#done(kind);
      const { result } = report;
      const isSound = result?.isSound === true || (kind === "collect" && weather.clocks);
      demand("truth", isSound, () => `after all was healed, a ${kind} says: ${report.why ?? JSON.stringify(result)}`);
    }
    const left = this.flips?.paths ?? [];
    demand("truth", left.length === 0, () => `a scrub has left ${left.join(", ")}`);
  }

  async #done(kind: WorkKind): Promise<JobReport> {
    let id: number | undefined;
    for (let looks = 0; looks < looksMax; looks++) {
      const { remote } = this.#world;
      // It may have been started anew just now.
      if (id === undefined && remote !== undefined) id = (await this.#world.passUntil(this.#order(kind)))?.id;
      await this.#world.pass(lookEveryMs);
      const report = remote?.jobs?.reports().find((one) => one.id === id);
      if (report !== undefined && report.ended !== undefined) return report;
    }
    throw new Violation("liveness", `after all was healed, a ${kind} does not come to its end`);
  }

  #end(): void {
    const jobs = this.#world.remote?.jobs;
    const running = jobs?.reports().find(({ state }) => state === "running");
    if (running === undefined) return;
    this.#count("end of a work");
    // It may have ended just now.
    jobs?.cancel(running.id).catch(() => {});
  }

  #count(kind: StoreWorkKind, what = ""): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#world.simulation.trace.add(`store: ${kind} ${what}`);
  }
}
