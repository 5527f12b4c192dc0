/** A link that is away for longer than the spool can hold: the volume goes on, and comes back by itself. */
import { expect, test } from "vitest";
import { PointReaders } from "#src/control/point-readers.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import { recordType } from "#src/records/record.ts";
import type { GroupPoints } from "#src/synth/group-points.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import type { FoundEntry } from "./batch-reading.ts";
import { journalOf, replay } from "./journal-replay.ts";
import type { JournalUnit } from "./journal-unit.ts";
import { RecordHistory } from "./record-history.ts";
import { RemoteDisks } from "./remote-disks.ts";
import { remoteFolder, startRemoteSite } from "./remote-site.ts";
import { type SourceSite, startSourceSite } from "./source-site.ts";
import { SpoolWatch } from "./spool-watch.ts";
import { storeFolder } from "./store-process.ts";
import { drawWeather } from "./weather.ts";

const blockCount = 4096;
const group = { id: "0123456789abcdef".repeat(2), name: "group", mode: "async" } as const;
const volume = { name: "disk", blockCount, cutCells: 0, held: [] };

class OverflowStory {
  readonly simulation: Simulation;
  readonly #history = new RecordHistory(new Map([["disk", 1]]), "async");
  readonly #random;
  #export: NbdExport | undefined;
  readonly #source: SimHost;
  readonly #remote: SimHost;
  site!: SourceSite;
  readonly unanswered = new Set<RecordedRequest>();

  constructor(seed: number) {
    this.simulation = new Simulation(seed);
    this.#random = this.simulation.random.fork("host");
    this.#source = this.simulation.host("source-site");
    this.#remote = this.simulation.host("remote-site");
  }

  async start(): Promise<void> {
    const source = this.#source;
    const spool = new SpoolWatch(source.disk, () => this.#history);
    source.disk.observer = (file, change) => spool.changed(file, change);
    source.files.makeFolder("/local");
    source.files.makeFolder("/disk");
    const handle = source.files.create("/disk/source");
    handle.truncateNow(blockCount * blockBytes);
    handle.close();
    const weather = {
      ...drawWeather(this.simulation.random.fork("weather")),
      ...{ groups: [{ ...group, volumes: [volume] }], spoolLimitBytes: 8 * MiB, lagBytesMax: 8 * MiB },
    };
    const opened = (_: string, target: NbdExport): void => {
      this.#export = target;
    };
    const failed = (error: Error): void => {
      throw error;
    };
    await this.settled(startRemoteSite(this.#remote));
    const size = () => ({ sizeBytes: blockCount * blockBytes });
    const events = { opening: () => {}, opened, size, spoolLost: () => {}, isGone: () => false, failed };
    const policy = { overflow: "track", overflowAfterMs: 3_000 } as const;
    this.site = await this.settled(startSourceSite(source, "remote-site", weather, events, policy));
    await this.until(() => this.#export !== undefined && this.figures.linkUp);
  }

  async settled<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    promise.finally(() => {
      isSettled = true;
    });
    await this.simulation.clock.pass(60_000, () => isSettled);
    return promise;
  }

  get figures() {
    const [figures] = this.site.groups();
    if (figures === undefined) throw new Error("there is no group");
    return figures;
  }

  get nowMicros(): number {
    return Math.round(this.#source.clock.wallMs() * 1000);
  }

  get status() {
    const opened = this.site.volumes().get("disk");
    if (opened === undefined) throw new Error("the volume is not open");
    return opened.status();
  }

  async pass(durationMs: number): Promise<void> {
    await this.simulation.clock.pass(durationMs, () => false);
  }

  async until(isSo: () => boolean): Promise<void> {
    for (let round = 0; !isSo(); round++) {
      if (round > 3_000) throw new Error(`it does not come to it: ${JSON.stringify([this.status, this.figures])}`);
      await this.pass(100);
    }
  }

  /** The link is away as long as this one says. */
  hold(isHeld: boolean): void {
    for (const [from, to] of [
      ["source-site", "remote-site"],
      ["remote-site", "source-site"],
    ] as const) {
      const path = this.simulation.network.path(from, to);
      if (isHeld) path.hold();
      else path.release();
    }
  }

  write(): void {
    const blocks = this.#random.between(1, 32);
    const offset = this.#random.integerBelow(blockCount - blocks) * blockBytes;
    const payload = Buffer.alloc(blocks * blockBytes, this.#random.between(1, 255));
    const request = new RecordedRequest({ command: command.write, offset, payload });
    this.#export?.submit(request);
    this.#export?.endBatch();
    this.unanswered.add(request);
    this.#takeAnswers();
  }

  #takeAnswers(): void {
    for (const one of this.unanswered) {
      if (one.error === undefined) continue;
      expect(one.error).toBe(nbdError.ok);
      this.unanswered.delete(one);
    }
  }

  async writeUntil(isSo: () => boolean): Promise<void> {
    for (let round = 0; !isSo(); round++) {
      if (round > 20_000) throw new Error(`it does not come to it: ${JSON.stringify([this.status, this.figures])}`);
      if (this.unanswered.size < 16) this.write();
      else this.#takeAnswers();
      await this.pass(5);
    }
  }

  get journal(): JournalUnit[] {
    return [...journalOf(this.#remote.disk, group.id, this.#history)];
  }

  /** As somebody beside the remote appliance reads them. */
  points(): Promise<GroupPoints> {
    const place = { storeFolder, groupsFolder: `${remoteFolder}/groups`, wrappingKey: undefined };
    return this.settled(new PointReaders(this.#remote, place).of(group.id, this.figures.durable));
  }

  /** Whether the remote's journal replays to what the source has. */
  isEqual(): boolean {
    const { disk } = this.#remote;
    const replayed = replay(new RemoteDisks(disk), group.id, this.#history, this.journal, { volume: 1, blockCount });
    const source = Buffer.alloc(blockCount * blockBytes);
    this.#source.disk.fileAt("/disk/source").current.read(source, 0, source.length, 0);
    return replayed.equals(source);
  }
}

/** Of a volume from its appliance: what the order had then, and when it was seen. */
interface Departure {
  readonly lastSeq: number;
  readonly seenMicros: number;
}

interface Gap {
  readonly begin: FoundEntry;
  readonly end: FoundEntry;
}

/** From where content is journaled anew to where all of that is there. One that was ended by the next overflow begins again. */
function gapsIn(entries: readonly FoundEntry[]): Gap[] {
  const gaps: Gap[] = [];
  let begin: FoundEntry | undefined;
  for (const entry of entries) {
    if (entry.type === recordType.resyncBegin) begin ??= entry;
    if (entry.type !== recordType.resyncEnd || begin === undefined) continue;
    gaps.push({ begin, end: entry });
    begin = undefined;
  }
  return gaps;
}

/**
 * What the product tells of the gaps: each from where the volume was first written to without protection to its end, no point within,
 * and those beside it.
 */
async function expectTold(story: OverflowStory, gaps: readonly Gap[], departures: readonly Departure[]): Promise<void> {
  const points = await story.points();
  const number = gaps[0]?.begin.volume ?? 0;
  const { ranges, damaged } = await story.settled(points.timeline(number));
  expect(damaged).toEqual([]);
  const told = ranges.filter(({ kind }) => kind === "resync");
  expect(told).toMatchObject(gaps.map(({ end }) => ({ lastSeq: end.seq - 1, toMicros: end.time })));
  const resolved = (words: string) => story.settled(points.resolve(number, words));
  for (const [index, { begin, end }] of gaps.entries()) {
    const { fromMicros, firstSeq } = told[index] as (typeof told)[number];
    const { lastSeq, seenMicros } = departures[index] as Departure;
    expect([firstSeq, fromMicros <= seenMicros, fromMicros < begin.time]).toEqual([lastSeq + 1, true, true]);
    const [before, after] = [lastSeq, end.seq];
    const none = { point: undefined, before: { seq: before }, after: { seq: after } };
    const moments = [seenMicros + 1000, begin.time].map((micros) => new Date(micros / 1000).toISOString());
    const seqs = [firstSeq, begin.seq, Math.floor((begin.seq + end.seq) / 2), end.seq - 1].map((seq) => `seq:${seq}`);
    for (const words of [...moments, ...seqs]) {
      expect(await resolved(words)).toMatchObject({ ...none, why: expect.stringMatching(/journaled anew/) as string });
    }
    expect([await resolved(`seq:${before}`), await resolved(`seq:${after}`)]).toMatchObject([
      { point: { seq: before } },
      { point: { seq: after } },
    ]);
  }
  points.close();
}

test.each([1, 2, 3])(
  "fault 22: three times in a row the spool is full, the volume goes on and comes back, the gap is told, both sides end the same: seed %d",
  async (seed) => {
    const story = new OverflowStory(seed);
    await story.start();
    const departures: Departure[] = [];
    for (let round = 1; round <= 3; round++) {
      await story.writeUntil(() => story.figures.lastSeq > 40 * round);
      story.hold(true);
      await story.writeUntil(() => story.status.state === "tracking");
      expect(story.figures).toMatchObject({ state: "tracking", why: expect.stringContaining("unprotected") });
      const { lastSeq } = story.figures;
      departures.push({ lastSeq, seenMicros: story.nowMicros });
      for (let count = 0; count < 50; count++) {
        story.write();
        await story.pass(20);
      }
      expect(story.figures.lastSeq).toBe(lastSeq);
      expect(story.status.markedRegions).toBeGreaterThan(0);
      story.hold(false);
      await story.writeUntil(() => story.status.state === "open" && story.status.copy === undefined);
    }
    await story.until(() => story.unanswered.size === 0 || [...story.unanswered].every((one) => one.error === 0));
    await story.until(() => story.figures.state === "steady" && story.figures.lagRecords === 0);
    expect(story.isEqual()).toBe(true);
    const ofVolume = story.journal.flatMap((unit) => unit.entries).filter((entry) => entry.ordinal > 0);
    const begins = ofVolume.filter((entry) => entry.type === recordType.resyncBegin);
    expect(begins.length).toBeGreaterThanOrEqual(3);
    expect(ofVolume.filter((entry) => entry.type === recordType.resyncEnd)).toHaveLength(3);
    // What the volume did before the gap, and the begin: nothing of it lies between.
    expect(ofVolume.map((entry) => entry.ordinal)).toEqual(ofVolume.map((_, index) => index + 1));
    const gaps = gapsIn(ofVolume);
    expect(gaps).toHaveLength(3);
    await expectTold(story, gaps, departures);
  },
);
