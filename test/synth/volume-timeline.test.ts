import { expect, test } from "vitest";
import { pointListMs } from "#src/core/point-limits.ts";
import { addressOf } from "#src/records/address.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import type { VolumeTimeline } from "#src/synth/volume-timeline.ts";
import type { Unit } from "#test/journals/random-units.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { PointWorld, storeFolder } from "./point-world.ts";
import { idleControl } from "./snapshot-world.ts";

/** Units one behind the other, a second apart, behind those with which the volumes join. */
class Story {
  readonly world: PointWorld;
  #seq = 4;
  #second = 1;

  constructor(world: PointWorld) {
    this.world = world;
  }

  static async begin(seed: number): Promise<Story> {
    return new Story(await PointWorld.make(seed));
  }

  /** Answers its seq. */
  tell(type: number, volume: number, extra?: object): number {
    const bytes = extra === undefined ? Buffer.alloc(0) : encodeExtra(extra);
    const isWrite = type === recordType.write;
    const place = {
      startBlock: isWrite ? 3 : 0,
      blockCount: isWrite ? 1 : 0,
      address: isWrite ? addressOf(1, this.#seq) : 0,
    };
    const seq = this.#seq++;
    const timeMicros = 1_700_000_000_000_000 + this.#second++ * 1e6;
    const facts = {
      type,
      volume,
      seq,
      timeMicros,
      epoch: 1,
      ordinal: 0,
      level: 0,
      extraBytes: bytes.length,
      extraAt: 0,
    };
    const unit: Unit = { firstSeq: seq, isAggregate: false, records: [{ ...facts, ...place }], bytes };
    this.world.writeUnits([unit]);
    return seq;
  }

  async timeline(volume: number): Promise<VolumeTimeline> {
    await this.world.pass(pointListMs + 1);
    return await this.world.run(this.world.points.timeline(volume));
  }
}

const short = ({ ranges }: VolumeTimeline) =>
  ranges.map(({ kind, granularity, firstSeq, lastSeq }) => `${kind} ${granularity ?? "-"} ${firstSeq}-${lastSeq}`);

async function told(isSealed: boolean) {
  const story = await Story.begin(51);
  const first = story.tell(recordType.resyncBegin, 1);
  story.tell(recordType.write, 1);
  story.tell(recordType.resyncEnd, 1);
  const complete = story.tell(recordType.initialComplete, 1);
  const other = story.tell(recordType.write, 2);
  const mode = story.tell(recordType.mode, 0, { from: "async", to: "aggregated", why: "asked" });
  if (isSealed) await story.world.seal();
  const mark = story.tell(recordType.mark, 0, { name: "noon", quiesced: true });
  const gap = story.tell(recordType.resyncBegin, 1);
  story.tell(recordType.write, 1);
  const healed = story.tell(recordType.resyncEnd, 1);
  const size = story.tell(recordType.resize, 1, { sizeBytes: 40 * 4096, previousBytes: 64 * 4096 });
  await story.world.open();
  return { story, first, complete, other, mode, mark, gap, healed, size };
}

for (const isSealed of [false, true]) {
  test(`a volume's history is told in ranges, ${isSealed ? "sealed in part" : "from the open journal"}`, async () => {
    const { story, first, complete, mode, mark, gap, healed, size } = await told(isSealed);
    const timeline = await story.timeline(1);
    expect(short(timeline)).toEqual([
      `joined - 1-${first - 1}`,
      `first-copy - ${first}-${complete - 1}`,
      `points every-write ${complete}-${mode - 1}`,
      `points aggregate ${mode}-${gap - 1}`,
      `resync - ${gap}-${healed - 1}`,
      `points aggregate ${healed}-${size}`,
    ]);
    expect(timeline.marks).toMatchObject([{ name: "noon", seq: mark, isQuiesced: true, isPoint: true }]);
    expect(timeline.events.map(({ type }) => type)).toEqual([
      ...["volume", "resyncBegin", "resyncEnd", "initialComplete", "mode"],
      ...["resyncBegin", "resyncEnd", "resize"],
    ]);
    expect(timeline).toMatchObject({ newestSeq: size, damaged: [], snapshots: [], isCut: false });
  });

  test(`in a gap the points beside it are told, ${isSealed ? "sealed in part" : "from the open journal"}`, async () => {
    const { story, first, complete, other, mark, gap, healed, size } = await told(isSealed);
    const { points } = story.world;
    const at = (volume: number, seq: number) => story.world.run(points.resolve(volume, `seq:${seq}`));
    expect(await at(1, gap + 1)).toMatchObject({ point: undefined, before: { seq: mark }, after: { seq: healed } });
    expect(await at(1, gap + 1)).toMatchObject({ why: expect.stringMatching(/journaled anew/) as string });
    expect(await at(1, first)).toMatchObject({ point: undefined, before: undefined, after: { seq: complete } });
    expect(await at(1, first)).toMatchObject({ why: expect.stringMatching(/copied/) as string });
    expect(await at(2, gap + 1)).toMatchObject({ point: { seq: gap + 1 } });
    expect(await at(2, other - 1)).toMatchObject({ point: undefined, before: undefined, after: { seq: other } });
    expect(await at(7, gap)).toMatchObject({ point: undefined, before: undefined, after: undefined });
    expect((await story.world.run(points.resolve(1, "mark:noon"))).point?.seq).toBe(mark);
    expect(await story.world.run(points.resolve(1, "mark:night"))).toMatchObject({
      ...{ why: "no mark 'night' has come here", mayCome: true, before: { seq: size } },
    });
    const image = await story.world.image(1, size);
    expect([image.sizeBytes, image.blockCount]).toEqual([40 * 4096, 40]);
    expect((await story.world.image(1, mark)).blockCount).toBe(64);
  });

  test(`a time means what was made then or before, ${isSealed ? "sealed in part" : "from the open journal"}`, async () => {
    const { story, complete, other, mark, size } = await told(isSealed);
    const { points } = story.world;
    const timeOf = (seq: number) => new Date(1_700_000_000_000 + (seq - 3) * 1000 + 500).toISOString();
    const at = (words: string) => story.world.run(points.resolve(2, words));
    expect((await at(timeOf(other))).point?.seq).toBe(other);
    expect((await at(timeOf(mark))).point?.seq).toBe(mark);
    expect(await at(timeOf(size))).toMatchObject({
      point: { seq: size },
      note: expect.stringMatching(/newest/) as string,
    });
    expect(await at("2020-01-01")).toMatchObject({ point: undefined, before: undefined, after: { seq: other } });
    expect(await at("2999-01-01")).toMatchObject({ point: undefined, before: { seq: size } });
    expect(complete).toBeLessThan(other);
  });
}

/** Volume 1 went on without its appliance, a second and a half behind its last write; volume 2 did not. */
async function unprotected(isSealed: boolean) {
  const story = await Story.begin(53);
  story.tell(recordType.write, 2);
  const last = story.tell(recordType.write, 1);
  if (isSealed) await story.world.seal();
  const within = [story.tell(recordType.write, 2), story.tell(recordType.write, 2), story.tell(recordType.write, 2)];
  const sinceMicros = microsOf(last) + 1_500_000;
  const joins = story.tell(recordType.volume, 1, { id: "id-1", name: "disk-1", sizeBytes: 64 * 4096 });
  const begin = story.tell(recordType.resyncBegin, 1, { sinceMicros });
  story.tell(recordType.write, 1);
  const healed = story.tell(recordType.resyncEnd, 1);
  if (isSealed) await story.world.seal();
  const newest = story.tell(recordType.write, 1);
  await story.world.open();
  return { story, last, within, joins, begin, healed, newest, sinceMicros };
}

const microsOf = (seq: number): number => 1_700_000_000_000_000 + (seq - 3) * 1_000_000;
const words = (micros: number): string => new Date(micros / 1000).toISOString();

for (const isSealed of [false, true]) {
  test(`no moment without protection is a point, whatever others of the group made, ${isSealed ? "sealed" : "open"}`, async () => {
    const { story, last, within, joins, begin, healed } = await unprotected(isSealed);
    const [safe, ...unsafe] = within as [number, ...number[]];
    const at = (volume: number, seq: number) => story.world.run(story.world.points.resolve(volume, `seq:${seq}`));
    expect((await at(1, last)).point?.seq).toBe(last);
    expect((await at(1, safe)).point?.seq).toBe(safe);
    for (const seq of [...unsafe, joins, begin]) {
      expect(await at(1, seq)).toMatchObject({ point: undefined, before: { seq: safe }, after: { seq: healed } });
      expect(await at(1, seq)).toMatchObject({ why: expect.stringMatching(/without protection/) as string });
    }
    for (const seq of unsafe) expect((await at(2, seq)).point?.seq).toBe(seq);
    await expect(story.world.image(1, unsafe[0] as number)).rejects.toThrow(/without protection/);
  });

  test(`a time without protection is none of a point, ${isSealed ? "sealed" : "open"}`, async () => {
    const { story, within, joins, healed, sinceMicros } = await unprotected(isSealed);
    const [safe] = within as [number];
    const at = (micros: number) => story.world.run(story.world.points.resolve(1, words(micros)));
    expect((await at(sinceMicros - 1000)).point?.seq).toBe(safe);
    expect((await at(sinceMicros)).point?.seq).toBe(safe);
    for (const micros of [sinceMicros + 1000, microsOf(joins) + 500_000]) {
      expect(await at(micros)).toMatchObject({ point: undefined, before: { seq: safe }, after: { seq: healed } });
    }
    expect((await at(microsOf(healed) + 1000)).point?.seq).toBe(healed);
  });

  test(`the timeline's gap begins with that time, ${isSealed ? "sealed" : "open"}`, async () => {
    const { story, within, healed, newest, sinceMicros } = await unprotected(isSealed);
    const safe = within[0] as number;
    const { ranges } = await story.timeline(1);
    expect(ranges.slice(-3)).toMatchObject([
      { kind: "points", lastSeq: safe, toMicros: sinceMicros },
      { kind: "resync", firstSeq: safe + 1, fromMicros: sinceMicros, lastSeq: healed - 1 },
      { kind: "points", firstSeq: healed, lastSeq: newest },
    ]);
  });
}

test("what was a point before it was told that the volume was without protection is none of it any more", async () => {
  const { story, last, within, begin, healed } = await unprotected(true);
  const { world } = story;
  const [safe, ...unsafe] = within as [number, ...number[]];
  const seqs = [last, safe, ...unsafe, begin, healed];
  const still = (volume: number) => world.run(world.points.stillPoints(volume, seqs));
  expect([await still(1), await still(2)]).toEqual([[last, safe, healed], seqs]);
});

test("others of a group may go on for as long as they like: what is told behind that makes a gap all the same", async () => {
  const story = await Story.begin(57);
  const { world } = story;
  const last = story.tell(recordType.write, 1);
  await world.seal();
  for (let count = 0; count < 18; count++) {
    story.tell(recordType.write, 2);
    await world.seal();
  }
  const sinceMicros = microsOf(last) + 500_000;
  story.tell(recordType.resyncBegin, 1, { sinceMicros });
  const healed = story.tell(recordType.resyncEnd, 1);
  await world.seal();
  await world.open();
  const at = (seq: number) => world.run(world.points.resolve(1, `seq:${seq}`));
  expect((await at(last)).point?.seq).toBe(last);
  expect(await at(last + 1)).toMatchObject({ point: undefined, before: { seq: last }, after: { seq: healed } });
  expect(short(await story.timeline(1)).slice(-2)).toEqual([
    `resync - ${last + 1}-${healed - 1}`,
    `points every-write ${healed}-${healed}`,
  ]);
});

test("snapshots are told where the volume has a point, and not those of the group within its copies or before it came", async () => {
  const story = await Story.begin(56);
  const { world } = story;
  const early = story.tell(recordType.write, 2);
  story.tell(recordType.resyncBegin, 1);
  const copying = story.tell(recordType.write, 1);
  story.tell(recordType.resyncEnd, 1);
  const complete = story.tell(recordType.initialComplete, 1);
  story.tell(recordType.resyncBegin, 1);
  const within = story.tell(recordType.write, 1);
  const healed = story.tell(recordType.resyncEnd, 1);
  const last = story.tell(recordType.write, 1);
  await world.seal();
  const all = [early, copying, complete, within, healed, last];
  for (const seq of all) await world.snapshot(seq);
  await world.open();
  const told = async (volume: number) => (await story.timeline(volume)).snapshots.map(({ seq }) => seq);
  expect([await told(1), await told(2)]).toEqual([[complete, healed, last], all]);
  for (const seq of all) {
    const { point } = await world.run(world.points.resolve(1, `snap:${seq}`));
    expect(point?.seq).toBe([complete, healed, last].includes(seq) ? seq : undefined);
  }
  for (const seq of [copying, healed]) {
    world.host.disk.fileAt(`${storeFolder}/${snapshotName({ group: pieceGroup, seq })}`).flipBit(20, 3);
  }
  await world.open();
  expect((await story.timeline(1)).snapshots).toMatchObject([
    { seq: complete, timeMicros: microsOf(complete) },
    { seq: healed, timeMicros: undefined },
    { seq: last, timeMicros: microsOf(last) },
  ]);
});

test("a snapshot of a time without protection is none of the volume's", async () => {
  const { story, within, healed } = await unprotected(true);
  const [safe, unsafe] = within as [number, number, number];
  for (const seq of [safe, unsafe, healed]) await story.world.snapshot(seq);
  const told = async (volume: number) => (await story.timeline(volume)).snapshots.map(({ seq }) => seq);
  expect([await told(1), await told(2)]).toEqual([
    [safe, healed],
    [safe, unsafe, healed],
  ]);
});

test("a mark with which the history begins is told, as it can be opened", async () => {
  const { world, ...story } = await begunWithMark();
  const { marks, ranges } = await story.told.timeline(1);
  expect(marks).toMatchObject([{ name: "first", seq: story.mark, isPoint: true }]);
  expect(ranges[0]).toMatchObject({ kind: "points", firstSeq: story.mark });
  const at = (name: string) => world.run(world.points.resolve(1, `mark:${name}`));
  expect((await at("first")).point?.seq).toBe(story.mark);
  expect((await at("gone")).point).toBeUndefined();
});

/** Of which the first piece that is left has records before its base, too. */
async function begunWithMark() {
  const told = await Story.begin(55);
  const { world } = told;
  told.tell(recordType.write, 1);
  await world.seal();
  told.tell(recordType.mark, 0, { name: "gone", quiesced: false });
  const mark = told.tell(recordType.mark, 1, { name: "first", quiesced: false });
  told.tell(recordType.write, 1);
  await world.seal();
  for (let count = 0; count < 30; count++) told.tell(recordType.write, 1);
  await world.seal();
  await world.snapshot(mark);
  // So little behind the mark that it is as good as where the second piece ends.
  const { base } = await world.run(world.history.retain({ keepMicros: 29_500_000 }, idleControl));
  expect(base).toMatchObject({ seq: mark, isThere: true });
  await world.open();
  return { told, world, mark };
}
