import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { pointListMs, pointPagesBytes } from "#src/core/point-limits.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { KeptPages } from "#src/synth/kept-pages.ts";
import { type PlainRecord, type Unit, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import { PointWorld, wordsOf } from "./point-world.ts";

async function allDifferences(world: PointWorld, seqs: readonly number[]): Promise<string[]> {
  const found: string[] = [];
  for (const seq of seqs) {
    for (let volume = 1; volume <= volumeCount; volume++) {
      if (!world.isPointOf(volume, seq)) continue;
      const image = await world.image(volume, seq);
      found.push(...(await world.differences(image)));
      image.close();
    }
  }
  return found;
}

test("an image says of every block what the records say, wherever the point lies", async () => {
  for (const seed of [1, 2, 3]) {
    const world = await PointWorld.make(seed);
    for (const count of [30, 60, 20]) {
      world.write(count);
      await world.seal();
      if (count !== 20) await world.snapshot(world.random.pick(world.pointSeqs.slice(-40)));
    }
    world.write(50);
    await world.open();
    const seqs = Array.from({ length: 120 }, () => world.random.pick(world.pointSeqs));
    expect(await allDifferences(world, [...seqs, world.lastSeq, volumeCount + 1])).toEqual([]);
  }
});

/** A volume's size as it is told, whether or not it was another one before. */
function sized(world: PointWorld, type: number, blockCount: number): Unit {
  const { timeMicros, epoch, seq } = world.records.at(-1) as PlainRecord;
  const extra = encodeExtra({ id: "id-1", name: "disk-1", sizeBytes: blockCount * blockBytes });
  const nothing = { startBlock: 0, blockCount: 0, address: 0, ordinal: 0, level: 0, extraAt: 0 };
  const record = { type, volume: 1, seq: seq + 1, timeMicros, epoch, extraBytes: extra.length, ...nothing };
  return { firstSeq: seq + 1, isAggregate: false, records: [record], bytes: extra };
}

test("what a volume was cut by does not come back as it grows, also where nothing but its new size tells of the cut", async () => {
  for (const isSealed of [false, true]) {
    const world = await PointWorld.make(6);
    world.write(60);
    if (isSealed) await world.seal();
    world.writeUnits([sized(world, recordType.volume, 5)]);
    if (isSealed) await world.seal();
    if (isSealed) await world.snapshot(world.lastSeq);
    world.writeUnits([sized(world, recordType.resize, volumeBlocks)]);
    await world.open();
    const image = await world.image(1, world.lastSeq);
    expect((await wordsOf(image)).slice(5)).toEqual(Array(volumeBlocks - 5).fill("zeros"));
    expect(await world.differences(image)).toEqual([]);
  }
});

test("what lands is followed, and read from the store when it is sealed", async () => {
  const world = await PointWorld.make(4);
  world.write(10);
  await world.open();
  const early = await world.image(1, world.lastSeq);
  for (let round = 0; round < 6; round++) {
    world.write(15);
    const landed = world.lastSeq;
    expect((await world.run(world.points.resolve(1, "now"))).point?.seq).toBe(landed);
    if (round % 2 === 1) await world.seal();
    if (round === 3) await world.snapshot(world.random.pick(world.pointSeqs.slice(0, 60)));
    await world.pass(pointListMs);
    expect(await allDifferences(world, [landed, world.random.pick(world.pointSeqs)])).toEqual([]);
  }
  expect(await world.differences(early)).toEqual([]);
});

test("a seq is a point where a record ends, and otherwise the nearest ones are told", async () => {
  const world = await PointWorld.make(5);
  world.write(40);
  await world.seal();
  world.write(30);
  await world.open();
  const first = world.records.find(({ volume, seq }) => volume === 1 && seq > volumeCount)?.seq ?? 0;
  const points = world.pointSeqs.filter((seq) => seq >= first);
  const wanted = new Set(points);
  const inside = points.flatMap((seq) => [seq - 1, seq, seq + 1]);
  for (const seq of inside.filter((one) => one > first && one < world.lastSeq)) {
    const answer = await world.run(world.points.resolve(1, `seq:${seq}`));
    expect(answer.point?.seq).toBe(wanted.has(seq) ? seq : undefined);
    if (answer.point !== undefined) continue;
    expect(answer.before?.seq).toBe(points.findLast((one) => one < seq));
    expect(answer.after?.seq).toBe(points.find((one) => one > seq));
  }
  const none = await world.run(world.points.resolve(1, "seq:0"));
  expect(none).toMatchObject({ point: undefined, why: "the first record of a group is 1", after: { seq: points[0] } });
});

test("what is not durable yet is no point", async () => {
  const world = await PointWorld.make(6);
  world.write(20);
  world.durableSeq = world.pointSeqs.at(-5) as number;
  await world.open();
  const answer = await world.run(world.points.resolve(1, `seq:${world.lastSeq}`));
  expect(answer).toMatchObject({ point: undefined, before: { seq: world.durableSeq } });
  expect("why" in answer && answer.why).toMatch(/not durable/);
  expect((await world.run(world.points.resolve(1, "now"))).point?.seq).toBe(world.durableSeq);
});

test("what names no point is refused in words", async () => {
  const world = await PointWorld.make(7);
  world.write(20);
  await world.open();
  for (const words of ["", "yesterday", "seq:x", "-5y", "seq:-1", "2026-13-40", "mark:"]) {
    await expect(world.run(world.points.resolve(1, words))).rejects.toThrow(RefuseError);
  }
  await expect(world.image(1, world.lastSeq + 1000)).rejects.toThrow(/nearest points are before it seq:/);
});

test("after history was let go of, points behind the base are as before", async () => {
  const world = await PointWorld.make(8);
  for (let round = 0; round < 5; round++) {
    world.write(25);
    await world.seal();
  }
  world.write(10);
  await world.open();
  const seq = world.random.pick(world.pointSeqs.slice(-80));
  const before = await world.image(1, seq);
  const { base } = await world.retain(world.pointSeqs.at(-150) as number);
  const basedOn = base?.seq ?? 0;
  expect(basedOn).toBeGreaterThan(0);
  expect(await world.differences(before)).toEqual([]);
  await world.open();
  const kept = world.pointSeqs.filter((one) => one >= basedOn);
  expect(await allDifferences(world, [kept[0] as number, kept[20] as number, world.lastSeq])).toEqual([]);
  const answer = await world.run(world.points.resolve(1, `seq:${basedOn - 1}`));
  expect(answer).toMatchObject({ point: undefined, after: { seq: basedOn } });
  expect(await world.run(world.points.stillPoints(1, [basedOn - 1, basedOn, world.lastSeq]))).toEqual([
    basedOn,
    world.lastSeq,
  ]);
});

test("of what was folded the points that are left are as before, and the others are none any more", async () => {
  const world = await PointWorld.make(9);
  for (let round = 0; round < 3; round++) {
    world.write(40);
    await world.seal();
  }
  world.write(5);
  await world.open();
  const pieces = await world.run(world.pieces());
  const endSeq = pieces[1]?.numbers.lastSeq ?? 0;
  const openBefore = await Promise.all(
    world.pointSeqs
      .filter((seq) => seq > 20 && seq < endSeq)
      .filter((_, index) => index % 40 === 0)
      .map((seq) => world.image(1, seq)),
  );
  await world.fold(pieces.slice(0, 2));
  for (const { name } of pieces.slice(0, 2)) await world.run(world.objects.remove(name));
  await world.pass(pointListMs + 1);
  await world.run(world.points.refresh());
  let [left, gone] = [0, 0];
  const once = world.pointSeqs.filter((one) => one > 10 && one % 3 === 0);
  const still = await world.run(world.points.stillPoints(1, [...once, world.lastSeq + 1]));
  for (const seq of once) {
    const { point } = await world.run(world.points.resolve(1, `seq:${seq}`));
    expect([seq, still.includes(seq)]).toEqual([seq, point !== undefined]);
    if (point === undefined) {
      gone++;
      expect(seq).toBeLessThan(endSeq);
      continue;
    }
    left++;
    expect(await world.differences(await world.image(1, seq))).toEqual([]);
  }
  expect([left > 0, gone > 0, still.length]).toEqual([true, true, left]);
  let expired = 0;
  for (const image of openBefore) {
    const found = await world.differences(image).catch((error: Error) => error);
    if (found instanceof Error) expired++;
    expect(found instanceof Error ? found.name : found).toEqual(found instanceof Error ? "ExpiredPointError" : []);
  }
  expect(expired).toBeGreaterThan(0);
});

test("an image that was closed keeps nothing of what it alone was read from", async () => {
  const world = await PointWorld.make(21);
  world.write(200);
  const { identity } = await world.seal();
  const pages = new KeptPages(pointPagesBytes);
  await world.open(pages);
  const inPiece = world.pointSeqs.filter((seq) => seq > identity.firstSeq + volumeCount && world.isPointOf(1, seq));
  const open: number[] = [];
  const held: number[] = [];
  for (const seq of inPiece.filter((_, index) => index % 20 === 10)) {
    const image = await world.image(1, seq);
    expect(await world.differences(image)).toEqual([]);
    open.push(pages.heldBytes);
    image.close();
    held.push(pages.heldBytes);
  }
  // What is left are the pages of the index, which are there for all.
  expect(held.length).toBeGreaterThan(3);
  expect([...new Set(held)]).toEqual([held[0]]);
  expect(Math.max(...open)).toBeGreaterThan(held[0] as number);
});
