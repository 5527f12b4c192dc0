import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { contentOf, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import { PointWorld, storeFolder, wordsOf } from "./point-world.ts";
import { idleControl } from "./snapshot-world.ts";

const volumes = Array.from({ length: volumeCount }, (_, index) => index + 1);

/** So many pieces of so many units each, and what is not sealed yet. */
async function worldOf(seed: number, counts: readonly number[], openCount: number): Promise<PointWorld> {
  const world = await PointWorld.make(seed);
  for (const count of counts) {
    world.write(count);
    await world.seal();
  }
  world.cutJournal();
  world.write(openCount);
  return world;
}

async function pieceOf(world: PointWorld, index: number): Promise<SealedPiece> {
  return (await world.run(world.pieces()))[index] as SealedPiece;
}

function lose(world: PointWorld, { name }: { readonly name: string }): void {
  world.host.files.remove(`${storeFolder}/${name}`);
}

/** Whatever no record behind the loss decides on has to be unknown, and nothing else may be. Answers how many are. */
async function checkSpoiled(world: PointWorld, seq: number, lastLost: number): Promise<number> {
  let count = 0;
  for (const volume of volumes) {
    const image = await world.image(volume, seq);
    const isOlder = (block: number) => (contentOf(world.records, volume, block, seq)?.seq ?? 0) <= lastLost;
    expect(await world.differences(image, isOlder)).toEqual([]);
    const words = await world.run(wordsOf(image));
    for (const [block, word] of words.entries()) expect(word === "unknown").toBe(isOlder(block));
    count += words.filter((word) => word === "unknown").length;
    expect(image.findings.join()).toMatch(/records \d+ to \d+: lost, and points behind are spoiled/);
  }
  return count;
}

async function checkSound(world: PointWorld, seq: number): Promise<void> {
  for (const volume of volumes) {
    const image = await world.image(volume, seq);
    expect(await world.differences(image)).toEqual([]);
    expect(image.findings).toEqual([]);
  }
}

async function whyNoPoint(world: PointWorld, seq: number): Promise<string> {
  const answer = await world.run(world.points.resolve(1, `seq:${seq}`));
  return answer.point === undefined ? answer.why : "a point";
}

function difference(world: PointWorld, firstSeq: number, secondSeq: number, volume = 1) {
  return world.run(world.points.difference(volume, { firstSeq, secondSeq, fromBlock: 0, rangesMax: 1000 }));
}

test.each([31, 32, 33])(
  "fault 18: where a piece is gone from the midst, blocks that it may have written are damaged (%i)",
  async (seed) => {
    const world = await worldOf(seed, [8, 8, 3, 8], 4);
    const [before, gone, next] = [await pieceOf(world, 0), await pieceOf(world, 1), await pieceOf(world, 2)];
    const fourth = await pieceOf(world, 3);
    await world.snapshot(fourth.numbers.lastSeq);
    lose(world, gone);
    await world.open();
    const { lastSeq } = gone.numbers;
    expect(await checkSpoiled(world, next.numbers.lastSeq, lastSeq)).toBeGreaterThan(0);
    await checkSound(world, before.numbers.lastSeq);
    // The snapshot has what was lost.
    await checkSound(world, fourth.numbers.lastSeq);
    await checkSound(world, world.lastSeq);
    expect(await whyNoPoint(world, lastSeq)).toMatch(
      /^the record is lost, and points behind are spoiled up to snapshot/,
    );
  },
);

test("fault 18: a difference across a piece that is gone fails in words, and others are told", async () => {
  const world = await worldOf(34, [20, 20, 20], 10);
  const [before, gone, next] = [await pieceOf(world, 0), await pieceOf(world, 1), await pieceOf(world, 2)];
  lose(world, gone);
  await world.open();
  const across = difference(world, before.numbers.lastSeq, next.numbers.lastSeq);
  await expect(across).rejects.toThrow(StopError);
  await expect(across).rejects.toThrow(
    `records ${gone.identity.firstSeq} to ${gone.numbers.lastSeq} are lost, and points behind are spoiled`,
  );
  const behind = await difference(world, next.numbers.lastSeq, world.lastSeq);
  expect(behind.ranges.length).toBeGreaterThan(0);
});

test("fault 18: what a snapshot has of a piece that is gone is part of a difference", async () => {
  const world = await worldOf(35, [20, 8, 3], 4);
  const [before, gone] = [await pieceOf(world, 0), await pieceOf(world, 1)];
  const { seq } = await world.snapshot((await pieceOf(world, 2)).numbers.lastSeq);
  lose(world, gone);
  await world.open();
  let lostCount = 0;
  for (const volume of volumes) {
    const { ranges, secondBytes } = await difference(world, before.numbers.lastSeq, seq, volume);
    for (let block = 0; block < Math.min(volumeBlocks, secondBytes / blockBytes); block++) {
      const decidedBy = contentOf(world.records, volume, block, seq)?.seq ?? 0;
      if (decidedBy <= before.numbers.lastSeq) continue;
      if (decidedBy <= gone.numbers.lastSeq) lostCount++;
      const isTold = ranges.some(({ fromBlock, toBlock }) => block >= fromBlock && block < toBlock);
      expect([volume, block, isTold]).toEqual([volume, block, true]);
    }
  }
  expect(lostCount).toBeGreaterThan(0);
});

test("fault 18: where the end of a piece is gone whose midst a snapshot has, that is told", async () => {
  const world = await worldOf(36, [20, 30, 20], 5);
  const gone = await pieceOf(world, 1);
  const midst = world.pointSeqs.filter((seq) => seq > gone.identity.firstSeq && seq < gone.numbers.lastSeq);
  const snapshot = await world.snapshot(midst[Math.floor(midst.length / 2)] as number);
  lose(world, gone);
  await world.open();
  await checkSound(world, snapshot.seq);
  await checkSpoiled(world, world.lastSeq, gone.numbers.lastSeq);
});

test("fault 18: where the first piece is gone, or one that pieces were folded into, that is told", async () => {
  const first = await worldOf(37, [20, 20], 5);
  const lost = await pieceOf(first, 0);
  const folded = await worldOf(38, [20, 20, 20, 20], 5);
  const pieces = await folded.run(folded.pieces());
  await folded.fold(pieces.slice(1, 3));
  await folded.open();
  for (const volume of volumes) expect((await folded.image(volume, folded.lastSeq)).findings).toEqual([]);
  for (const piece of pieces.slice(1, 3)) lose(folded, piece);
  lose(folded, await pieceOf(folded, 1));
  await folded.open();
  await checkSpoiled(folded, folded.lastSeq, (pieces[2] as SealedPiece).numbers.lastSeq);
  // The records with which volumes join are gone with it, unless a snapshot tells of them.
  lose(first, lost);
  await first.open();
  await expect(first.image(1, first.lastSeq)).rejects.toThrow(/what would say which volume it was is damaged/);
});

test("fault 18: where the newest piece is gone, and the journal begins behind it, that is told", async () => {
  const world = await worldOf(39, [20, 20], 10);
  const gone = await pieceOf(world, 1);
  await world.open();
  await checkSound(world, world.lastSeq);
  lose(world, gone);
  // Whoever was there before sees it too.
  await world.run(world.points.refreshNow());
  await checkSpoiled(world, world.lastSeq, gone.numbers.lastSeq);
  await world.open();
  await checkSpoiled(world, world.lastSeq, gone.numbers.lastSeq);
  expect(await whyNoPoint(world, gone.numbers.lastSeq)).toMatch(/lost, .*the journal goes on with record/);
  const { damaged } = await world.run(world.points.timeline(1));
  const { firstSeq } = gone.identity;
  expect(damaged).toEqual([expect.objectContaining({ firstSeq, lastSeq: gone.numbers.lastSeq })]);
  // What a snapshot has needs no piece.
  await checkSound(world, firstSeq - 1);
});

test("where the journal still has what the newest piece had, nothing is missing without it", async () => {
  const world = await worldOf(41, [20], 20);
  const points = await world.open();
  const piece = await world.seal();
  await world.run(points.refreshNow());
  world.write(5);
  await world.run(points.refreshNow());
  lose(world, piece);
  await world.run(points.refreshNow());
  await checkSound(world, world.lastSeq);
});

test("nothing is missing where history was let go of while it was listed", async () => {
  const world = await worldOf(40, [20, 20, 20, 20], 5);
  const points = await world.open();
  const third = await pieceOf(world, 2);
  await world.pass(3000);
  let count = 0;
  world.beforeList = async (prefix) => {
    if (prefix.startsWith("pieces/") && count++ === 0) {
      await world.history.retain({ fromSeq: third.numbers.lastSeq }, idleControl);
    }
  };
  const { damaged, ranges } = await world.run(points.timeline(1));
  expect(damaged).toEqual([]);
  expect(ranges[0]?.firstSeq).toBeGreaterThanOrEqual(third.numbers.lastSeq);
  expect(count).toBeGreaterThan(1);
  await checkSound(world, world.lastSeq);
});

test("a point that was folded just now is none for whoever looks again, and the others are as before", async () => {
  const world = await worldOf(50, [30, 30, 30, 30], 5);
  const points = await world.open();
  await world.pass(3000);
  const pieces = (await world.run(world.pieces())).slice(0, 3);
  const [first, last] = [pieces[0]?.numbers.lastSeq ?? 0, pieces[2]?.numbers.lastSeq ?? 0];
  const seq = world.pointSeqs.filter((one) => one > first && one < last - 3)[20] as number;
  expect((await world.run(points.resolve(1, `seq:${seq}`))).point?.seq).toBe(seq);
  await world.fold(pieces);
  await world.run(points.refreshNow());
  expect((await world.run(points.resolve(1, `seq:${seq}`))).point).toBe(undefined);
  await checkSound(world, last);
});

test("fault 18: of what lies behind the lost end of a piece no snapshot is made", async () => {
  const world = await worldOf(42, [20, 30, 20], 5);
  const gone = await pieceOf(world, 1);
  const midst = world.pointSeqs.filter((seq) => seq > gone.identity.firstSeq && seq < gone.numbers.lastSeq);
  await world.snapshot(midst[Math.floor(midst.length / 2)] as number);
  const { lastSeq } = (await pieceOf(world, 2)).numbers;
  lose(world, gone);
  await expect(world.snapshot(lastSeq)).rejects.toThrow("the end of the piece is missing");
});
