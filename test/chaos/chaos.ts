/**
 * The whole system under faults: lanes of them go on beside each other, drawn from a seed, while a host writes stamps, a database
 * commits, and operators give orders. Again and again everything is undone, and all must be well: that is judged, and it goes on.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { AlarmWatch } from "./alarm-watch.ts";
import { AskedError } from "./asked.ts";
import { CalmJudge } from "./calm-judge.ts";
import { CutJudge } from "./cut-judge.ts";
import { DatabaseHost } from "./database-host.ts";
import { deeds, HarmError } from "./deeds.ts";
import type { FaultKind } from "./fault-kind.ts";
import { lanes } from "./faults.ts";
import { PointViews } from "./point-views.ts";
import { ProcessBounds } from "./process-bounds.ts";
import type { ChaosReport } from "./report.ts";
import { SeqWatch } from "./seq-watch.ts";
import { StampedHost } from "./stamped-host.ts";
import { stampedVolume, World } from "./world.ts";

const MiB = 2 ** 20;
const sizeBytes = 8 * MiB;
const databaseBytes = 192 * MiB;
const blockBytes = 4096;
/** Between two calms. */
const stormMs = { least: 12_000, most: 25_000 };
const restMs = { least: 200, most: 4000 };
const holdMs = { least: 20, most: 3000 };
/** Now and then something lasts for longer than anybody needs to notice it. */
const longHoldMs = { least: 6000, most: 14_000 };
const longChance = 0.12;
/** Orders of a kind, or of frames to alter, of which at least one must have been taken. */
const triesMin = 15;
const deedEveryMs = { least: 100, most: 900 };
const failuresMax = 20;
const alarmChance = 0.3;

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Of the caller's, who removes it. */
  readonly folder: TemporaryFolder;
  readonly tell: (line: string) => void;
  /** Whether somebody has had enough. */
  readonly isEnough?: () => boolean;
}

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const chaos = new Chaos(options);
  await chaos.run();
  return chaos.report;
}

interface Parts {
  readonly world: World;
  readonly host: StampedHost;
  readonly database: DatabaseHost;
  readonly watch: SeqWatch;
  readonly views: PointViews;
  readonly bounds: ProcessBounds;
  readonly alarmWatch: AlarmWatch;
  readonly calm: CalmJudge;
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #random: SeededRandom;
  readonly #failures: string[] = [];
  readonly #faults: Record<string, number> = {};
  readonly #deeds: Record<string, number> = {};
  readonly #tried: Record<string, number> = {};
  #parts: Parts | undefined;
  #calms = 0;
  #isLeaving = false;
  #stormMs = 0;
  readonly #beganMs = performance.now();
  /** Until then; lanes end what they began. */
  #stormEndMs = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  get report(): ChaosReport {
    const { host, database, views, world, bounds, calm, alarmWatch } = this.#parts ?? {};
    return {
      seed: this.#options.seed,
      world: world?.inWords ?? "none",
      minutes: this.#stormMs / 60_000,
      ...{ faults: this.#faults, deeds: this.#deeds, calms: this.#calms },
      ...{ points: views?.count ?? 0, restores: views?.restored ?? 0, refused: views?.refused ?? 0 },
      databaseViews: database?.viewCount ?? 0,
      writes: host?.history.count ?? 0,
      commits: database?.commitCount ?? 0,
      promisedCommits: database?.promisedCount ?? 0,
      frames: { ordered: world?.frames.ordered ?? 0, done: world?.frames.done ?? 0 },
      replayed: calm?.replayed ?? { records: 0, journals: 0, whole: 0 },
      alarms: world?.alarms.fired ?? {},
      alarmsHeld: alarmWatch?.held ?? {},
      resources: bounds?.most ?? "",
      failures: this.#failures,
      ...(this.#failures.length === 0 ? {} : { folder: this.#options.folder.path }),
    };
  }

  readonly #complain = (words: string): void => {
    if (!this.#isLeaving && this.#failures.length < failuresMax) this.#failures.push(words);
  };

  async run(): Promise<void> {
    try {
      this.#options.tell("beginning: sites, a database");
      this.#parts = await this.#begin();
      const { host, database, watch, alarmWatch } = this.#parts;
      const all = [host.run(), database.run(), watch.run(), alarmWatch.run()];
      // Told where they are waited for.
      for (const one of all) one.catch((error: Error) => this.#complain(error.message));
      while (!this.#isOver) await this.#stormAndCalm(this.#parts);
      for (const one of [host, database, watch, alarmWatch]) one.end();
      this.#judgeTries(this.#parts.world);
      if (this.#failures.length === 0) {
        await Promise.allSettled(all);
        await this.#end(this.#parts);
      }
    } catch (error) {
      this.#complain((error as Error).message);
    }
    this.#parts?.world.keepWords();
    if (this.#failures.length > 0) await this.#leaveTraces();
  }

  /** All that there is to look at stays in the folder. What fails now, fails because of that. */
  async #leaveTraces(): Promise<void> {
    this.#isLeaving = true;
    const { world, database } = this.#parts ?? {};
    await database?.abandon();
    for (const site of ["local", "remote"] as const) {
      await world?.power[site]?.keepImage(world.folder.file(`power-of-${site}.img`));
    }
  }

  get #isOver(): boolean {
    const { minutes, isEnough = () => false } = this.#options;
    return this.#failures.length > 0 || this.#stormMs >= minutes * 60_000 || isEnough();
  }

  async #begin(): Promise<Parts> {
    const { folder } = this.#options;
    const complain = this.#complain;
    const random = this.#random;
    const world = await World.make({ folder, random: random.fork("world"), sizeBytes, databaseBytes, complain });
    const connect = () => world.connect(stampedVolume);
    const host = new StampedHost({
      blockCount: sizeBytes / blockBytes,
      random: random.fork("host"),
      connect,
      complain,
    });
    const judge = new CutJudge(host.history);
    const watch = new SeqWatch(world, () => host.history.events);
    const views = new PointViews({ world, watch, judge, sizeBytes, complain });
    const database = await DatabaseHost.make(world, complain);
    const bounds = new ProcessBounds(world);
    const alarmWatch = new AlarmWatch(world);
    const calm = new CalmJudge({
      ...{ world, host, views, database, watch, bounds, alarmWatch, complain },
      tell: (what) => this.#tell(what),
    });
    return { world, host, database, watch, views, bounds, alarmWatch, calm };
  }

  async #stormAndCalm({ world, calm, views }: Parts): Promise<void> {
    const startMs = performance.now();
    const leftMs = this.#options.minutes * 60_000 - this.#stormMs;
    const random = this.#random.fork(`storm ${this.#calms}`);
    this.#stormEndMs = startMs + Math.min(leftMs, random.between(stormMs.least, stormMs.most));
    const all = Object.entries(lanes).map(([name, kinds]) => this.#lane(world, kinds, random.fork(name)));
    const orders = this.#orders(world, views, random.fork("deeds"));
    for (const { status, reason } of (await Promise.allSettled([...all, orders])) as PromiseRejectedResult[]) {
      if (status === "rejected") this.#complain((reason as Error).message);
    }
    this.#stormMs += performance.now() - startMs;
    if (this.#failures.length > 0) return;
    await calm.judge(random.fork("calm"));
    this.#calms++;
  }

  get #isStorm(): boolean {
    return performance.now() < this.#stormEndMs && this.#failures.length === 0;
  }

  async #lane(world: World, all: readonly FaultKind[], random: SeededRandom): Promise<void> {
    const kinds = all.filter(({ isFatal = false }) => !(isFatal && world.isSteady));
    while (this.#isStorm) {
      await pause(random.between(restMs.least, restMs.most));
      if (!this.#isStorm) return;
      const kind = random.pick(kinds);
      const fault = await kind.begin(world, random);
      if (fault === undefined) continue;
      this.#faults[kind.name] = (this.#faults[kind.name] ?? 0) + 1;
      this.#tell(kind.name);
      const { alarms = [] } = fault;
      const isWaited = random.chance(alarmChance);
      const { least, most } = random.chance(longChance) ? longHoldMs : holdMs;
      try {
        if (!isWaited || alarms.length === 0) await pause(random.between(least, most));
        else for (const alarm of alarms) await world.alarms.untilFires(alarm, kind.name);
      } finally {
        await fault.end();
      }
    }
  }

  async #orders(world: World, views: PointViews, random: SeededRandom): Promise<void> {
    while (this.#isStorm) {
      await pause(random.between(deedEveryMs.least, deedEveryMs.most));
      const deed = random.pick(deeds);
      this.#tried[deed.name] = (this.#tried[deed.name] ?? 0) + 1;
      try {
        await deed.do(world, random, views);
        this.#deeds[deed.name] = (this.#deeds[deed.name] ?? 0) + 1;
      } catch (error) {
        this.#judgeRefusal(error as Error);
      }
    }
  }

  /** Whoever is asked may be dead, frozen or without room: but nothing that goes wrong makes an order a wrong one. */
  #judgeRefusal(error: Error): void {
    if (error instanceof HarmError || (error instanceof AskedError && error.isMisuse)) this.#complain(error.message);
  }

  /** Where none of many was ever taken, nothing of what they are for was tried. */
  #judgeTries({ frames }: World): void {
    const tries = Object.entries(this.#tried).map(([name, tried]) => ({ name, tried, done: this.#deeds[name] ?? 0 }));
    for (const { name, tried, done } of [
      ...tries,
      { name: "alter a frame", tried: frames.ordered, done: frames.done },
    ]) {
      if (tried >= triesMin && done === 0) this.#complain(`of ${tried} orders to ${name} none was carried out`);
    }
  }

  #tell(what: string): void {
    const { host, views, database } = this.#parts as Parts;
    const seconds = Math.round((performance.now() - this.#beganMs) / 1000);
    const faults = Object.values(this.#faults).reduce((sum, count) => sum + count, 0);
    const figures = `${faults} faults, ${views.count} points, ${host.history.count} writes, ${database.commitCount} commits`;
    this.#options.tell(`${String(seconds).padStart(5)} s: ${figures}; ${what}`);
  }

  /** Whoever wrote has ended. */
  async #end({ database, calm, world }: Parts): Promise<void> {
    this.#tell("the end is judged");
    await database.leave();
    await calm.judgeEnd();
    await world.stop("interceptor", "local", "remote");
  }
}
