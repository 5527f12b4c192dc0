import { expect, test } from "vitest";
import { RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { imageDamageMsMax, imageDamageMsMin } from "#src/core/point-limits.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { objectOfPiece, type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import type { PartType } from "#src/store/part.ts";
import { partType } from "#src/store/part.ts";
import type { PointImage } from "#src/synth/point-image.ts";
import { objectOfSnapshot, snapshotName } from "#src/synth/snapshot-format.ts";
import { contentOf, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { flip, partsOf } from "./object-flips.ts";
import { PointWorld, wordsOf } from "./point-world.ts";

/** Two pieces, a snapshot within the first, and a point behind. */
async function sealedWorld(seed: number): Promise<PointWorld> {
  const world = await PointWorld.make(seed);
  world.write(40);
  await world.seal();
  world.write(60);
  await world.seal();
  return world;
}

async function damagePiece(world: PointWorld, identity: SealedPieceIdentity, type: PartType): Promise<void> {
  const name = sealedPieceName(identity);
  const parts = await partsOf(world, name, objectOfPiece(identity));
  for (const part of parts) if (part.type === type) flip(world, name, part.offset + 40);
}

/** What somebody does who repairs it: another file takes its place. */
async function mend(world: PointWorld, name: string, content: Buffer): Promise<void> {
  const writer = world.objects.restore(name);
  await world.run(writer.write(content));
  await world.run(writer.finish());
}

async function contentOfObject(world: PointWorld, name: string): Promise<Buffer> {
  const content = Buffer.alloc(await world.run(world.objects.sizeBytes(name)));
  await world.run(world.objects.read(name, content, 0));
  return content;
}

/** Nobody has to read it to be told of it. */
async function expectSeenMended(world: PointWorld, image: PointImage): Promise<void> {
  await world.run(image.lookAgain());
  expect(image.findings).toEqual([]);
  expect(await world.differences(image)).toEqual([]);
}

/** Of all volumes and points from this one on the first where this does something. */
async function unknownImage(world: PointWorld, fromSeq: number): Promise<PointImage> {
  for (const seq of world.pointSeqs.filter((one) => one >= fromSeq)) {
    for (const volume of volumes.filter((one) => world.isPointOf(one, seq))) {
      const image = await world.image(volume, seq);
      if ((await world.run(wordsOf(image))).includes("unknown")) return image;
    }
  }
  throw new Error("nothing depends on what is damaged");
}

const volumes = Array.from({ length: volumeCount }, (_, index) => index + 1);

test("fault 18: where the index of a piece is damaged its records stand in for it", async () => {
  const world = await sealedWorld(21);
  for (const { identity } of await world.run(world.pieces())) await damagePiece(world, identity, partType.extents);
  await world.open();
  for (let count = 0; count < 20; count++) {
    const seq = world.random.pick(world.pointSeqs.slice(-150));
    for (const volume of volumes) {
      if (!world.isPointOf(volume, seq)) continue;
      expect(await world.differences(await world.image(volume, seq))).toEqual([]);
    }
  }
});

test("fault 18: where records are damaged just the blocks are unknown that they may have decided on", async () => {
  const world = await sealedWorld(22);
  const [, last] = await world.run(world.pieces());
  const piece = last as NonNullable<typeof last>;
  const page = Math.floor(piece.recordPageCount / 2);
  const { firstSeq, lastSeq } = piece.recordPagePlace(page);
  const parts = await partsOf(world, piece.name, objectOfPiece(piece.identity));
  flip(world, piece.name, (parts.filter(({ type }) => type === partType.records)[page]?.offset ?? 0) + 40);
  await world.open();
  const isLost = (seq: number, volume: number, block: number): boolean => {
    const saying = contentOf(world.records, volume, block, seq)?.seq ?? 0;
    const atEnd = contentOf(world.records, volume, block)?.seq ?? 0;
    return saying <= lastSeq && atEnd > seq;
  };
  let lostCount = 0;
  for (const seq of world.pointSeqs.filter((one) => one >= piece.identity.firstSeq)) {
    if (seq > firstSeq && seq < lastSeq) {
      await expect(world.image(1, seq)).rejects.toThrow(/is damaged .*nearest points are before it/);
      continue;
    }
    const image = await world.image(1, seq);
    const lost = (block: number): boolean => seq >= lastSeq && isLost(seq, 1, block);
    expect(await world.differences(image, lost)).toEqual([]);
    lostCount += (await world.run(wordsOf(image))).filter((word) => word === "unknown").length;
  }
  expect(lostCount).toBeGreaterThan(0);
});

test("fault 18: where a piece cannot be opened, what later ones say is still read, and all else is unknown", async () => {
  const world = await sealedWorld(23);
  const [, second] = await world.run(world.pieces());
  const base = await world.snapshot((second as NonNullable<typeof second>).identity.firstSeq - 1);
  world.write(30);
  const third = await world.seal();
  flip(world, (second as NonNullable<typeof second>).name, 20);
  await world.open();
  const isBetween = (volume: number) => (block: number) =>
    (contentOf(world.records, volume, block)?.seq ?? 0) < third.identity.firstSeq;
  for (const volume of volumes) {
    const image = await world.image(volume, world.lastSeq);
    expect(await world.differences(image, isBetween(volume))).toEqual([]);
    const said = await world.run(wordsOf(image));
    for (const [block, word] of said.entries()) if (isBetween(volume)(block)) expect(word).toBe("unknown");
    expect(image.findings).toEqual([expect.stringContaining((second as NonNullable<typeof second>).name)]);
  }
  expect(await world.differences(await world.image(1, base.seq))).toEqual([]);
});

test("fault 18: where leaves of a snapshot are damaged, just what newer records do not decide on is unknown", async () => {
  const world = await sealedWorld(24);
  const [first] = await world.run(world.pieces());
  const snapshot = await world.snapshot((first as NonNullable<typeof first>).numbers.lastSeq);
  await world.retain(snapshot.seq);
  const identity = { group: pieceGroup, seq: snapshot.seq };
  const name = snapshotName(identity);
  for (const { type, offset } of await partsOf(world, name, objectOfSnapshot(identity))) {
    if (type === partType.extents) flip(world, name, offset + 40);
  }
  await world.open();
  for (const volume of volumes) {
    const image = await world.image(volume, world.lastSeq);
    const said = await world.run(wordsOf(image));
    const isOld = (block: number) => (contentOf(world.records, volume, block)?.seq ?? 0) <= snapshot.seq;
    expect(await world.differences(image, isOld)).toEqual([]);
    const oldData = said.flatMap((_, block) => (isOld(block) && addressAt(world, volume, block) !== 0 ? [block] : []));
    for (const block of oldData) expect(said[block]).toBe("unknown");
  }
});

test("fault 18: where leaves of a later snapshot are damaged, an earlier one and the journal between say the same", async () => {
  const world = await sealedWorld(24);
  const [first, second] = await world.run(world.pieces());
  await world.snapshot((first as NonNullable<typeof first>).identity.firstSeq + 20);
  const later = await world.snapshot((second as NonNullable<typeof second>).identity.firstSeq + 30);
  const identity = { group: pieceGroup, seq: later.seq };
  for (const { type, offset } of await partsOf(world, later.name, objectOfSnapshot(identity))) {
    if (type === partType.extents) flip(world, later.name, offset + 40);
  }
  await world.open();
  for (const seq of [later.seq, world.lastSeq]) {
    for (const volume of volumes.filter((one) => world.isPointOf(one, seq))) {
      const image = await world.image(volume, seq);
      expect(await world.differences(image)).toEqual([]);
      expect(image.findings).toEqual([]);
    }
  }
});

test("fault 18: where what says which volume it was is damaged, its points are refused with that, up to the next snapshot", async () => {
  const world = await sealedWorld(26);
  const [first, second] = await world.run(world.pieces());
  const snapshot = await world.snapshot((second as NonNullable<typeof second>).identity.firstSeq + 20);
  flip(world, (first as NonNullable<typeof first>).name, 20);
  await world.open();
  const [before] = world.pointSeqs.filter((seq) => seq > (first as NonNullable<typeof first>).numbers.lastSeq);
  await expect(world.image(1, before as number)).rejects.toThrow(
    /which volume it was is damaged: .*nearest points are after it/,
  );
  expect(await world.differences(await world.image(1, snapshot.seq))).toEqual([]);
});

test("fault 18: a difference up to a snapshot is told, though records are damaged that come before it in its piece", async () => {
  const world = await sealedWorld(22);
  const [first, last] = (await world.run(world.pieces())) as [SealedPiece, SealedPiece];
  const middle = Math.floor(last.recordPageCount / 2);
  const { lastSeq } = last.recordPagePlace(middle);
  const seq = world.pointSeqs.find((one) => one > lastSeq && one < last.numbers.lastSeq) as number;
  await world.snapshot(seq);
  const pages = (await partsOf(world, last.name, objectOfPiece(last.identity))).filter(
    ({ type }) => type === partType.records,
  );
  flip(world, last.name, (pages[middle]?.offset ?? 0) + 40);
  await world.open();
  const asked = { firstSeq: first.numbers.lastSeq, secondSeq: seq, fromBlock: 0, rangesMax: 1000 };
  let count = 0;
  for (const volume of volumes) {
    const { ranges, secondBytes } = await world.run(world.points.difference(volume, asked));
    const isTold = (block: number) => ranges.some(({ fromBlock, toBlock }) => block >= fromBlock && block < toBlock);
    const blocks = Array.from({ length: Math.min(volumeBlocks, secondBytes / blockBytes) }, (_, block) => block);
    const decidedBetween = blocks.filter(
      (block) => (contentOf(world.records, volume, block, seq)?.seq ?? 0) > asked.firstSeq,
    );
    expect(decidedBetween.filter((block) => !isTold(block))).toEqual([]);
    count += decidedBetween.length;
  }
  expect(count).toBeGreaterThan(0);
});

function addressAt(world: PointWorld, volume: number, block: number): number {
  return contentOf(world.records, volume, block)?.address ?? 0;
}

test("fault 18: a damaged snapshot is passed over while the pieces that it was made of are there", async () => {
  const world = await sealedWorld(25);
  const snapshot = await world.snapshot(world.pointSeqs[100] as number);
  flip(world, snapshot.name, 20);
  await world.open();
  const image = await world.image(1, world.lastSeq);
  expect(await world.differences(image)).toEqual([]);
  expect(image.findings).toEqual([expect.stringContaining(snapshot.name)]);
});

test("fault 18: an image that was opened over damaged records reads right when they are repaired", async () => {
  const world = await sealedWorld(22);
  const [, last] = await world.run(world.pieces());
  const piece = last as NonNullable<typeof last>;
  const { name, identity } = piece;
  const content = await contentOfObject(world, name);
  const middle = Math.floor(piece.recordPageCount / 2);
  const pages = (await partsOf(world, name, objectOfPiece(identity))).filter(({ type }) => type === partType.records);
  flip(world, name, (pages[middle]?.offset ?? 0) + 40);
  const { lastSeq } = piece.recordPagePlace(middle);
  await world.open();
  const image = await unknownImage(world, lastSeq);
  expect(image.findings).toContainEqual(expect.stringContaining(name));
  await mend(world, name, content);
  await world.pass(imageDamageMsMin);
  expect(await world.differences(image)).toEqual([]);
  expect(image.findings).toEqual([]);
});

test("fault 18: an image without a piece that could not be opened has it when that was repaired", async () => {
  const world = await sealedWorld(23);
  const [, second] = await world.run(world.pieces());
  const { name, identity } = second as NonNullable<typeof second>;
  await world.snapshot(identity.firstSeq - 1);
  const content = await contentOfObject(world, name);
  world.write(30);
  const third = await world.seal();
  flip(world, name, 20);
  await world.open();
  const image = await unknownImage(world, third.identity.firstSeq);
  await mend(world, name, content);
  await world.pass(imageDamageMsMin);
  await expectSeenMended(world, image);
});

test("fault 18: damage that came after an image was opened is told, and so is that it was repaired", async () => {
  const world = await sealedWorld(24);
  const [first] = await world.run(world.pieces());
  const snapshot = await world.snapshot((first as NonNullable<typeof first>).numbers.lastSeq);
  await world.retain(snapshot.seq);
  const identity = { group: pieceGroup, seq: snapshot.seq };
  const name = snapshotName(identity);
  const content = await contentOfObject(world, name);
  await world.open();
  const seqs = world.pointSeqs.filter((one) => one > snapshot.seq).slice(0, 20);
  const images = await Promise.all(seqs.map((seq) => world.image(1, seq)));
  expect(images.flatMap(({ findings }) => findings)).toEqual([]);
  for (const { type, offset } of await partsOf(world, name, objectOfSnapshot(identity))) {
    if (type === partType.extents) flip(world, name, offset + 40);
  }
  const said = await Promise.all(images.map((image) => world.run(wordsOf(image))));
  const image = images[said.findIndex((words) => words.includes("unknown"))] as PointImage;
  const found = image.findings;
  expect(found).toContainEqual(expect.stringContaining(name));
  await world.pass(imageDamageMsMin);
  await world.run(image.lookAgain());
  expect(image.findings).toEqual(found);
  await mend(world, name, content);
  await world.pass(imageDamageMsMax);
  await expectSeenMended(world, image);
});

test("fault 18: blocks that cannot be read are told as long as they cannot", async () => {
  const world = await sealedWorld(21);
  await world.open();
  const image = await world.image(1, world.lastSeq);
  // Nothing has their payload here.
  const target = Buffer.alloc(image.blockCount * blockBytes);
  const damaged = await world.run(Promise.resolve(image.read(0, image.blockCount, target, 0)));
  expect(damaged.length).toBeGreaterThan(0);
  const found = image.findings;
  expect(found).toContainEqual(expect.stringMatching(/^blocks? \d+.* cannot be read$/));
  await world.pass(imageDamageMsMin);
  const looking = image.lookAgain();
  // Until it is seen that it has gone it is there.
  expect(image.findings).toEqual(found);
  await world.run(looking);
  expect(image.findings).toEqual(found);
  world.beforeList = () => Promise.reject(new RetryError("the store does not answer"));
  await world.pass(2 * imageDamageMsMin);
  await expect(world.run(image.lookAgain())).rejects.toThrow("does not answer");
  expect(image.findings).toEqual(found);
});

test("fault 18: who reads what is damaged does not wait for a store again and again that takes its time to fail", async () => {
  const world = await sealedWorld(22);
  const [, last] = await world.run(world.pieces());
  const piece = last as NonNullable<typeof last>;
  const { name, identity } = piece;
  const middle = Math.floor(piece.recordPageCount / 2);
  const pages = (await partsOf(world, name, objectOfPiece(identity))).filter(({ type }) => type === partType.records);
  flip(world, name, (pages[middle]?.offset ?? 0) + 40);
  await world.open();
  const image = await unknownImage(world, piece.recordPagePlace(middle).lastSeq);
  let looks = 0;
  world.beforeList = async () => {
    // Whoever would wait without an end is let go, and told.
    if (++looks > 20) return;
    await new Promise<void>((resolve) => void world.host.clock.timer(2 * imageDamageMsMax, resolve));
    throw new StopError("the store does not answer");
  };
  await world.pass(imageDamageMsMin);
  expect(await world.run(wordsOf(image))).toContain("unknown");
  expect(looks).toBe(1);
});
