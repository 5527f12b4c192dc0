/** When all faults are undone all must be well again: that is waited for, and then everything is held against everything. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ViewFacts } from "#src/control/view.ts";
import { stampedBytes } from "#test/oracle/block-stamp.ts";
import { differences, differencesOfRest } from "#test/oracle/source-comparison.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { AlarmWatch } from "./alarm-watch.ts";
import type { DatabaseHost } from "./database-host.ts";
import type { PointViews } from "./point-views.ts";
import type { ProcessBounds } from "./process-bounds.ts";
import type { SeqWatch } from "./seq-watch.ts";
import type { StampedHost } from "./stamped-host.ts";
import { until } from "./until.ts";
import { databaseVolume, stampedVolume, type World } from "./world.ts";

export interface CalmJudgeParts {
  readonly world: World;
  readonly host: StampedHost;
  readonly views: PointViews;
  readonly database: DatabaseHost;
  readonly watch: SeqWatch;
  readonly bounds: ProcessBounds;
  readonly alarmWatch: AlarmWatch;
  readonly complain: (words: string) => void;
  /** How far it is. */
  readonly tell: (what: string) => void;
}

const MiB = 2 ** 20;
const pointsPerCalm = 4;
/** Journals of more records are not replayed any more: that takes memory for each. */
const replayedMax = 400_000;

/** How many records of journals were replayed and held against a source, in how many of them from the very first on. */
export interface Replayed {
  records: number;
  journals: number;
  whole: number;
}

export class CalmJudge {
  readonly replayed: Replayed = { records: 0, journals: 0, whole: 0 };
  readonly #parts: CalmJudgeParts;
  /** What the groups' records call the volumes: the record that says it goes with the first of a journal. */
  readonly #numbers = new Map<string, number>();

  constructor(parts: CalmJudgeParts) {
    this.#parts = parts;
  }

  async judge(random: SeededRandom): Promise<void> {
    const { world, host, views, database, watch, bounds, alarmWatch, complain, tell } = this.#parts;
    tell("all is undone");
    await world.recovered();
    tell("all is as on a good day");
    // What found no room is tried at once: an operator would not wait either.
    await world.asked("remote", "POST", "/store/retry", {});
    await views.checkRestores();
    tell("restores are judged");
    await host.hold();
    // What ends an interval of a level may come behind it yet.
    const group = await world.calm(stampedVolume);
    this.#checkSource();
    world.whileKeeperFrozen(() => this.#checkJournal(group, stampedVolume, world.sites.source));
    await this.#checkNow(stampedVolume, group.lastSeq, world.sites.source);
    host.goOn();
    tell("source, journals and the newest point are compared");
    for (let point = 0; point < pointsPerCalm; point++) await views.checkAny(random);
    await database.checkView(random, views, watch);
    tell("points are judged");
    await this.#checkStore();
    tell("the store is sound");
    await bounds.look();
    await world.alarms.untilCleared();
    for (const words of await alarmWatch.missed(world.alarms)) complain(words);
    for (const name of await world.alarms.unwanted()) complain(`${name} has fired, and there was no reason`);
    world.keepWords();
    tell("alarms have cleared");
  }

  /** Nobody writes any more. */
  async judgeEnd(): Promise<void> {
    const { world } = this.#parts;
    const sources = {
      [stampedVolume]: world.sites.source,
      [databaseVolume]: join(world.disks.local.path, "database-source"),
    };
    for (const [name, source] of Object.entries(sources)) {
      const group = await world.calm(name);
      world.whileKeeperFrozen(() => this.#checkJournal(group, name, source));
      await this.#checkNow(name, group.lastSeq, source);
    }
  }

  /** The source is what its host wrote. */
  #checkSource(): void {
    const { world, host, complain } = this.#parts;
    const source = readFileSync(world.sites.source);
    for (let block = 0; block < host.history.blockCount; block++) {
      const found = source.subarray(block * stampedBytes, (block + 1) * stampedBytes);
      const complaint = host.history.judge(block, found);
      if (complaint !== undefined) complain(`the source: ${complaint}`);
    }
  }

  /** The source is what the journals replay, read without the product's code. */
  #checkJournal(
    { id, lastSeq }: { readonly id: string; readonly lastSeq: number },
    name: string,
    source: string,
  ): void {
    const { world, complain } = this.#parts;
    if (lastSeq > replayedMax) return;
    using replay = world.sites.replay(id);
    if (replay.remoteLastSeq < lastSeq)
      complain(`the remote ends at ${replay.remoteLastSeq} of ${name}, of ${lastSeq}`);
    const number = this.#numbers.get(name) ?? replay.volumeNumber(name);
    this.#numbers.set(name, number);
    // The first of them go when the store has them, and nobody needs them any more.
    const isWhole = replay.records[0]?.seq === 1;
    for (const complaint of (isWhole ? differences : differencesOfRest)(source, replay, number)) {
      complain(`the source of ${name}: ${complaint}`);
    }
    this.replayed.records += replay.records.length;
    this.replayed.journals++;
    if (isWhole) this.replayed.whole++;
  }

  /** All that was damaged was repaired, or was put right, or has gone; and nothing contradicts itself. */
  async #checkStore(): Promise<void> {
    const { world, complain } = this.#parts;
    // What a loss of power has left passes for damage until what comes behind it is sealed: then it is known that nothing needs it.
    await until("a scrub finds nothing", async () => {
      const { id, result } = await world.worked("scrub", { anew: true });
      if (result?.isSound !== true) throw new Error(`scrub ${id} has found ${result?.lines.join("; ")}`);
    });
    const { id, result } = await world.worked("verify");
    if (result?.isSound !== true) complain(`verification ${id} has found ${result?.lines.join("; ")}`);
  }

  /** The newest point is the source, byte for byte. */
  async #checkNow(volume: string, seq: number, source: string): Promise<void> {
    const { world, complain } = this.#parts;
    const wish = { volume, point: `seq:${seq}`, nearest: true, leased: true };
    const view = (await world.asked("remote", "POST", "/views", wish)) as ViewFacts;
    const client = await openVolume(view.uri);
    const wanted = readFileSync(source);
    for (let at = 0; at < wanted.length; at += MiB) {
      const found = await client.read(at, MiB);
      if (!wanted.subarray(at, at + MiB).equals(found))
        complain(`seq ${view.seq} of ${volume} is not the source at ${at}`);
    }
    await client.disconnect();
    await world.asked("remote", "DELETE", `/views/${encodeURIComponent(view.name)}`);
  }
}
