import { expect, test } from "vitest";
import { wholeJournal } from "#src/journals/journal-start.ts";
import { OpenTail } from "#src/synth/open-tail.ts";
import type { TailChunk } from "#src/synth/tail-chunk.ts";
import { contentOf, volumeBlocks } from "#test/journals/random-units.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { journalIdentity } from "#test/journals/sealing-world.ts";
import { addressesIn, PointWorld } from "./point-world.ts";

const bounds = { chunkRecords: 40, recordsMax: 100, rowsMax: 150 };

function tailOf(world: PointWorld): OpenTail {
  const { files, clock } = world.host;
  const { folder } = world;
  const { incarnation } = journalIdentity;
  const journal = () => ({ folder, incarnation, start: wholeJournal, durableSeq: world.durableSeq });
  return new OpenTail({ files, clock, group: pieceGroup, journal, ...bounds });
}

async function differences(world: PointWorld, tail: OpenTail): Promise<string[]> {
  const found: string[] = [];
  for (const chunk of tail.chunks) {
    const within = world.pointSeqs.filter((one) => one >= chunk.firstSeq && one <= chunk.lastSeq);
    for (const seq of [world.random.pick(within), chunk.lastSeq, chunk.lastSeq + 1000]) {
      const said = addressesIn(await world.run(tail.rowsOf(chunk, 1, seq)), volumeBlocks);
      const own = world.records.filter((record) => record.seq >= chunk.firstSeq);
      for (let block = 0; block < volumeBlocks; block++) {
        const wanted = contentOf(own, 1, block, Math.min(seq, chunk.lastSeq))?.address;
        if (said[block] !== wanted) found.push(`block ${block} up to ${seq}: ${said[block]}, and not ${wanted}`);
      }
    }
  }
  return found;
}

/** What it says of the points around each record, and of those made at some time. */
async function wrongPoints(world: PointWorld, tail: OpenTail): Promise<string[]> {
  const found: string[] = [];
  for (const chunk of tail.chunks) {
    const points = world.pointSeqs.filter((one) => one >= chunk.firstSeq && one <= chunk.lastSeq);
    for (let seq = chunk.firstSeq - 2; seq <= chunk.lastSeq + 2; seq++) {
      const said = [
        (await world.run(tail.pointUpTo(chunk, seq)))?.seq,
        (await world.run(tail.pointBehind(chunk, seq)))?.seq,
      ];
      const wanted = [points.findLast((one) => one <= seq), points.find((one) => one > seq)];
      if (`${said}` !== `${wanted}`) found.push(`around ${seq}: ${said}, and not ${wanted}`);
      const at = world.records.find((record) => record.seq === seq)?.timeMicros;
      if (at === undefined) continue;
      const last = world.records.findLast((one) => points.includes(one.seq) && one.timeMicros <= at)?.seq;
      const made = (await world.run(tail.pointAt(chunk, at)))?.seq;
      if (made !== last) found.push(`at ${at}: ${made}, and not ${last}`);
    }
  }
  return found;
}

test("what is not in memory any more is read again where it lies", async () => {
  const world = await PointWorld.make(41);
  const tail = tailOf(world);
  for (let round = 0; round < 6; round++) {
    world.write(20);
    await world.run(tail.follow(0));
  }
  expect(tail.seenSeq).toBe(world.lastSeq);
  const kept = tail.chunks.filter(({ records }) => records !== undefined);
  expect(kept.length).toBeLessThan(tail.chunks.length);
  const keptCount = kept.reduce((sum, { records }) => sum + (records?.recordCount ?? 0), 0);
  expect(keptCount).toBeLessThanOrEqual(bounds.recordsMax);
  expect(await differences(world, tail)).toEqual([]);
  expect(await wrongPoints(world, tail)).toEqual([]);
});

test("what all records of a chunk come to is there without them, up to a bound", async () => {
  const world = await PointWorld.make(41);
  const tail = tailOf(world);
  world.write(200);
  await world.run(tail.follow(0));
  const dropped = tail.chunks.filter(({ records }) => records === undefined);
  expect(dropped.length).toBeGreaterThan(2);
  const rowCounts = tail.chunks.map(({ rowCount }) => rowCount);
  expect(rowCounts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(bounds.rowsMax);
  expect(rowCounts[0]).toBe(0);
  expect(dropped.at(-1)?.rowCount).toBeGreaterThan(0);
  // Nobody needs the journal for those that are behind all of it.
  for (const position of world.folder.pieces(world.host.files)) {
    world.host.files.remove(world.folder.piecePath(position));
  }
  const [oldest, newest] = [tail.chunks[0], dropped.at(-1)] as [TailChunk, TailChunk];
  const said = addressesIn(await world.run(tail.rowsOf(newest, 1, newest.lastSeq)), volumeBlocks);
  const own = world.records.filter(({ seq }) => seq >= newest.firstSeq && seq <= newest.lastSeq);
  for (const [block, address] of said.entries()) expect(address).toBe(contentOf(own, 1, block)?.address);
  await expect(world.run(tail.rowsOf(oldest, 1, oldest.lastSeq))).rejects.toThrow("was sealed while it was read");
});

test("what the store has is let go of, and what follows it is read on", async () => {
  const world = await PointWorld.make(42);
  const tail = tailOf(world);
  world.write(60);
  await world.run(tail.follow(0));
  const storedSeq = world.pointSeqs.at(-30) as number;
  await world.run(tail.follow(storedSeq));
  expect(tail.chunks.every(({ lastSeq }) => lastSeq > storedSeq)).toBe(true);
  world.write(30);
  await world.run(tail.follow(storedSeq));
  expect(tail.seenSeq).toBe(world.lastSeq);
  expect(await differences(world, tail)).toEqual([]);
});

test("a journal that is another one is read from its beginning", async () => {
  const world = await PointWorld.make(43);
  world.write(30);
  const { files, clock } = world.host;
  let incarnation = journalIdentity.incarnation + 1;
  const journal = () => ({ folder: world.folder, incarnation, start: wholeJournal, durableSeq: 0 });
  const tail = new OpenTail({ files, clock, group: pieceGroup, journal });
  await world.run(tail.follow(0)).catch(() => {});
  expect(tail.seenSeq).toBe(0);
  incarnation = journalIdentity.incarnation;
  await world.run(tail.follow(0));
  expect(tail.seenSeq).toBe(world.lastSeq);
});

test("fault 12: damage in what is durable ends what can be read, and is told", async () => {
  const world = await PointWorld.make(44);
  world.write(40);
  world.damageOpenPiece();
  await world.open();
  const { newestSeq } = world.points;
  expect(newestSeq).toBeLessThan(world.lastSeq);
  expect(await world.differences(await world.image(1, newestSeq))).toEqual([]);
  await expect(world.image(1, world.lastSeq)).rejects.toThrow(/not durable here yet|damaged/);
});
