/** The faults of the simulated world, drawn one at a time; counts what it did. */
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { DiskCall, SimDisk } from "#test/sim/sim-disk.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import type { Simulation } from "#test/sim/simulation.ts";
import { filesOf } from "./file-tree.ts";
import type { Weather } from "./weather.ts";

export const faultKinds = [
  "process kill",
  "power cut",
  "kill of both",
  "power cut of both",
  "link reset",
  "half-open link",
  "held link",
  "late link",
  "stalled disk",
  "slow disk",
  "full disk",
  "lack of descriptors",
  "disk error",
  "flipped bit",
  "clock jump",
  "end of the store's process",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Longer than the longest stall, and some slow syncs. */
const noteMs = 40_000;

/** Ends processes or machines; the world starts them again. */
export type Crash = (site: "source" | "remote" | "both", hadPower: boolean) => void;

export interface FaultyParts {
  readonly source: SimHost;
  readonly remote: SimHost;
  /** Of the remote's store, if it has one. */
  readonly store: SimDisk | undefined;
  readonly crash: Crash;
  /** Ends the process that keeps the store; false: none runs. */
  readonly endStoreProcess: () => boolean;
}

interface NamedDisk {
  readonly name: string;
  readonly disk: SimDisk;
}

export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #simulation: Simulation;
  readonly #random: SeededRandom;
  /** Apart, so that a seed draws all else as it did before there was this fault. */
  readonly #descriptors: SeededRandom;
  readonly #weather: Weather;
  readonly #source: SimHost;
  readonly #remote: SimHost;
  readonly #parts: FaultyParts;
  /** Until then nothing is killed: a failed sync is to be noted on the same disk. */
  #noKillBeforeMs = 0;

  constructor(simulation: Simulation, weather: Weather, parts: FaultyParts) {
    this.#simulation = simulation;
    this.#random = simulation.random.fork("faults");
    this.#descriptors = simulation.random.fork("descriptors");
    this.#weather = weather;
    this.#source = parts.source;
    this.#remote = parts.remote;
    this.#parts = parts;
    // The worst that a file system does; and nobody is told of it twice.
    if (parts.store !== undefined) parts.store.faults.losesNames = true;
  }

  /** What a failed sync tells a process that has just ended nobody hears, and no program can know it. */
  get mayKill(): boolean {
    const { store } = this.#parts;
    const sinceMs = this.#remote.clock.monotonicMs() - (store?.namesLostMs ?? Number.NEGATIVE_INFINITY);
    const isHeard = store?.isToFail("syncFolder") !== true && sinceMs >= noteMs;
    return isHeard && this.#simulation.clock.nowMs >= this.#noKillBeforeMs;
  }

  /** One fault of those that this world has, if it has any. */
  inject(): void {
    const { kills, powerCuts, network, slowDisks, fullDisks, errors, flips, clocks } = this.#weather;
    const possible: (() => void)[] = [];
    const mayKill = kills && this.mayKill;
    if (mayKill) possible.push(() => this.#end(true));
    if (powerCuts) possible.push(() => this.#end(false));
    if (network) possible.push(() => this.#disturbLink());
    if (slowDisks) possible.push(() => this.#slowDown());
    if (fullDisks) possible.push(() => this.#fill());
    if (errors) possible.push(() => this.#failDisk());
    if (flips) possible.push(() => this.#flip());
    if (clocks) possible.push(() => this.#jump());
    if (mayKill && this.#parts.store !== undefined) possible.push(() => this.#endStoreProcess());
    if (possible.length > 0) this.#random.pick(possible)();
  }

  #count(kind: FaultKind, what = ""): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#simulation.trace.add(`fault: ${kind} ${what}`);
  }

  #end(hadPower: boolean): void {
    const site = this.#random.pick(["source", "source", "remote", "remote", "both"] as const);
    if (site === "both") this.#count(hadPower ? "kill of both" : "power cut of both");
    else this.#count(hadPower ? "process kill" : "power cut", site);
    this.#parts.crash(site, hadPower);
  }

  #endStoreProcess(): void {
    if (this.#parts.endStoreProcess()) this.#count("end of the store's process");
  }

  #disturbLink(): void {
    const { network, clock } = this.#simulation;
    const [from, to] = this.#random.pick([
      [this.#source.name, this.#remote.name],
      [this.#remote.name, this.#source.name],
    ] as const);
    const path = network.path(from, to);
    switch (this.#random.integerBelow(4)) {
      case 0:
        this.#count("link reset");
        return network.cut(from, to);
      case 1:
        this.#count("half-open link", `from ${from}`);
        return network.halfOpen(from, to);
      case 2:
        this.#count("held link", `from ${from}`);
        path.hold();
        clock.schedule(this.#drawMs(), () => path.release());
        return;
      default:
        this.#count("late link", `from ${from}`);
        path.delayMs = this.#random.integerBelow(200);
    }
  }

  /** Mostly short; sometimes longer than anybody waits. */
  #drawMs(): number {
    return this.#random.integerBelow(this.#random.pick([20, 500, 5_000, 60_000])) + 1;
  }

  #someDisk(): NamedDisk {
    const { name, disk } = this.#random.chance(0.6) ? this.#source : this.#remote;
    const { store } = this.#parts;
    if (disk !== this.#remote.disk || store === undefined || this.#random.chance(0.5)) return { name, disk };
    return { name: `${name}'s store`, disk: store };
  }

  #slowDown(): void {
    const { name, disk } = this.#someDisk();
    if (this.#random.chance(0.5)) {
      this.#count("stalled disk", name);
      disk.stall(this.#random.integerBelow(this.#random.pick([50, 1_000, 30_000])));
    } else {
      this.#count("slow disk", name);
      disk.faults.latencyMsMax = this.#random.pick([0, 1, 20, 300]);
    }
  }

  #fill(): void {
    const { disk, name } = this.#someDisk();
    if (disk === this.#source.disk) this.#takeDescriptors();
    this.#count("full disk", name);
    disk.faults.capacityBytes = disk.spaceBytes + this.#random.integerBelow(256 * 1024);
    this.#simulation.clock.schedule(this.#drawMs(), () => {
      disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
    });
  }

  /** The next files that are opened or made find none. */
  #takeDescriptors(): void {
    const fileCount = this.#descriptors.integerBelow(4);
    if (fileCount === 0) return;
    this.#count("lack of descriptors", `${this.#source.name}, for ${fileCount} files`);
    for (let count = 0; count < fileCount; count++) this.#source.disk.failNext("open", "EMFILE");
  }

  #failDisk(): void {
    const { disk, name } = this.#someDisk();
    // One of these at a time: what notes that a sync has failed has to be synced itself.
    const isNoted = this.#simulation.clock.nowMs >= this.#noKillBeforeMs;
    const call = this.#random.pick<DiskCall>(isNoted ? ["read", "write", "sync", "sync", "syncFolder"] : ["read"]);
    this.#count("disk error", `${name} ${call}`);
    disk.failNext(call);
    this.#noKillBeforeMs = this.#simulation.clock.nowMs + noteMs;
  }

  #flip(): void {
    const { disk, name } = this.#someDisk();
    const files = [...filesOf(disk.root)].filter(
      ([path, file]) => !path.endsWith("/source") && file.current.sizeBytes > 0,
    );
    if (files.length === 0) return;
    const [path, file] = this.#random.pick(files);
    const written = [...file.current.blocks()].filter(([, bytes]) => bytes !== null);
    const [block] = written.length === 0 ? [0] : (this.#random.pick(written) as [number, Buffer]);
    const position = Math.min(file.current.sizeBytes - 1, block * 4096 + this.#random.integerBelow(4096));
    this.#count("flipped bit", `${path} at ${position} of ${name}`);
    file.flipBit(position, this.#random.integerBelow(8));
  }

  #jump(): void {
    const host = this.#random.chance(0.6) ? this.#source : this.#remote;
    this.#count("clock jump", host.name);
    host.clock.jumpWall(this.#random.pick([-3_600_000, -5_000, 5_000, 86_400_000]));
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    for (const disk of [this.#source.disk, this.#remote.disk, this.#parts.store]) {
      if (disk === undefined) continue;
      disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
      disk.faults.latencyMsMax = 2;
      disk.forgetOrders();
    }
    for (const [from, to] of [
      [this.#source.name, this.#remote.name],
      [this.#remote.name, this.#source.name],
    ] as const) {
      const path = this.#simulation.network.path(from, to);
      path.delayMs = 0;
      path.release();
    }
  }
}
