import { expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { crewPieceCountMax, readNowBlocksMax } from "#src/core/crew-limits.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { pointFilesIdleMs } from "#src/core/point-limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { SegmentReader } from "#src/journals/segment-reader.ts";
import { encodeSumsHeader, putSum, sumBytes, sumPosition } from "#src/journals/sums-format.ts";
import { addressOf } from "#src/records/address.ts";
import { PieceCrew } from "#src/store/piece-crew.ts";
import { type PieceReader, pieceReaderOf } from "#src/store/piece-reader.ts";
import type { ReadPiece } from "#src/store/read-piece.ts";
import { PointBlocks } from "#src/synth/point-blocks.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { origin, Segment, SegmentWorld } from "#test/store/segment-world.ts";

const volume = 3;
/** Behind the last of a segment. */
const slotCountOfNone = 40;
const folder = new JournalFolder("/g");

/** As it landed. */
function land(world: SegmentWorld, { segment, blocks }: Segment): void {
  const { files } = world.host;
  folder.makeNow(files);
  const data = files.create(folder.dataPath(segment));
  const sums = files.create(folder.sumsPath(segment));
  sums.writeNow(encodeSumsHeader({ ...origin, segment }), 0, 512, 0);
  const sum = Buffer.alloc(sumBytes);
  const checksum = Buffer.alloc(8);
  for (const [slot, block] of blocks.entries()) {
    data.writeNow(block, 0, blockBytes, slot * blockBytes);
    putChecksum(block, 0, blockBytes, checksum, 0);
    putSum(sum, 0, checksum, 0, volume, addressOf(segment, slot));
    sums.writeNow(sum, 0, sumBytes, sumPosition(slot));
  }
  data.close();
  sums.close();
}

async function landed() {
  const world = await SegmentWorld.make(5);
  const random = new SeededRandom(5);
  const segments = [new Segment(1, random), new Segment(2, random)] as const;
  for (const segment of segments) land(world, segment);
  // Both are opened before anything is sealed.
  const writer = await world.store(world.inner);
  const other = await world.store(world.inner);
  const files = new SegmentReader(world.host.files, folder, origin.group);
  const blocks = new PointBlocks({
    clock: world.host.clock,
    group: origin.group,
    segments: other.segments,
    reader: other.reader,
    files,
  });
  const { slotCount } = segments[0];
  const bytes = Buffer.alloc(slotCount * blockBytes);
  const content = (segment: Segment) => Buffer.concat(segment.blocks);
  const read = (segment: Segment) =>
    driven(
      world.driver,
      blocks.read({ volume, address: addressOf(segment.segment, 0), blockCount: slotCount }, bytes, 0),
    );
  const readNow = (segment: Segment) => blocks.readNow(volume, addressOf(segment.segment, 0), slotCount, bytes, 0);
  return { world, segments, writer, blocks, files, bytes, content, read, readNow };
}

test("blocks of open segments are read at once, and checked", async () => {
  const { world, segments, bytes, content, read, readNow } = await landed();
  const [first] = segments;
  expect(readNow(first)).toBe(true);
  expect(bytes.equals(content(first))).toBe(true);
  world.host.disk.fileAt(folder.dataPath(1)).flipBit(3 * blockBytes + 17, 2);
  expect(readNow(first)).toBe(false);
  expect(await read(first)).toEqual([3]);
});

test("a segment that is sealed and whose files go is read from the store", async () => {
  const { world, segments, writer, blocks, files, bytes, content, read, readNow } = await landed();
  for (const segment of segments) {
    expect(readNow(segment)).toBe(true);
    await driven(world.driver, writer.seal(segment, origin));
    for (const path of [folder.dataPath(segment.segment), folder.sumsPath(segment.segment)])
      world.host.files.remove(path);
    files.close();
    bytes.fill(0xee);
    expect(readNow(segment)).toBe(false);
    expect(await read(segment)).toEqual([]);
    expect(bytes.equals(content(segment))).toBe(true);
    // What was read alone is kept in memory.
    const run = { volume, address: addressOf(segment.segment, 7), blockCount: 1 };
    expect(await driven(world.driver, blocks.read(run, bytes, 0))).toEqual([]);
    bytes.fill(0xee);
    expect(blocks.readNow(volume, run.address, 1, bytes, 0)).toBe(true);
    expect(bytes.subarray(0, blockBytes).equals(segment.blocks[7] as Buffer)).toBe(true);
    expect(blocks.readNow(volume + 1, run.address, 1, bytes, 0)).toBe(false);
  }
});

test("few blocks of a sealed segment are read at once, also those that nobody has asked for before", async () => {
  const { world, segments, writer, blocks, files, bytes } = await landed();
  for (const segment of segments) await driven(world.driver, writer.seal(segment, origin));
  for (const { segment } of segments) {
    for (const path of [folder.dataPath(segment), folder.sumsPath(segment)]) world.host.files.remove(path);
  }
  files.close();
  // Their objects are opened first, which has to be waited for.
  for (const { segment } of segments) {
    await driven(world.driver, blocks.read({ volume, address: addressOf(segment, 0), blockCount: 1 }, bytes, 0));
  }
  for (const { segment, blocks: contents } of segments) {
    for (const slot of [17, 39, 4, 21, 38]) {
      bytes.fill(0xee);
      expect(blocks.readNow(volume, addressOf(segment, slot), 1, bytes, blockBytes)).toBe(true);
      expect(bytes.subarray(blockBytes, 2 * blockBytes).equals(contents[slot] as Buffer)).toBe(true);
      expect(bytes[blockBytes - 1]).toBe(0xee);
      expect(bytes[2 * blockBytes]).toBe(0xee);
    }
    expect(blocks.readNow(volume, addressOf(segment, 20), readNowBlocksMax, bytes, 0)).toBe(true);
    expect(bytes.subarray(0, blockBytes * readNowBlocksMax)).toEqual(
      Buffer.concat(contents.slice(20, 20 + readNowBlocksMax)),
    );
    expect(blocks.readNow(volume, addressOf(segment, 20), readNowBlocksMax + 1, bytes, 0)).toBe(false);
    expect(blocks.readNow(volume + 1, addressOf(segment, 17), 1, bytes, 0)).toBe(false);
    expect(blocks.readNow(volume, addressOf(segment, slotCountOfNone), 1, bytes, 0)).toBe(false);
  }
});

test("a block whose object was damaged is not read at once", async () => {
  const { world, segments, writer, blocks, bytes } = await landed();
  const [first] = segments;
  await driven(world.driver, writer.seal(first, origin));
  world.host.files.remove(folder.dataPath(first.segment));
  const wanted = (slot: number) => ({ volume, address: addressOf(first.segment, slot), blockCount: 1 });
  await driven(world.driver, blocks.read(wanted(0), bytes, 0));
  damageFrames(world);
  const damaged: number[] = [];
  for (let slot = 0; slot < slotCountOfNone; slot++) {
    const isRead = blocks.readNow(volume, addressOf(first.segment, slot), 1, bytes, 0);
    const isSame = bytes.subarray(0, blockBytes).equals(first.blocks[slot] as Buffer);
    if (isRead) expect(isSame).toBe(true);
    else damaged.push(slot);
    const found = await driven(world.driver, blocks.read(wanted(slot), bytes, 0));
    expect(found.length).toBe(isRead ? 0 : 1);
  }
  expect(damaged.length).toBeGreaterThan(0);
});

/** They come first in an object. */
function damageFrames({ host }: SegmentWorld): void {
  const path = "/store/segments/000000000001.0000";
  const half = (host.files.sizeBytes(path) as number) / 2;
  for (let position = 200; position < half; position += 50) host.disk.fileAt(path).flipBit(position, 3);
}

/** Readers in the place of threads, each as `change` makes it. */
async function withCrew(memberCount: number, change: (member: PieceReader, number: number) => PieceReader) {
  const it = await landed();
  const { world, segments, writer } = it;
  for (const segment of segments) await driven(world.driver, writer.seal(segment, origin));
  const told: number[] = [];
  const crew = new PieceCrew({
    clock: world.host.clock,
    memberCount,
    start: (number) => {
      const { read } = change(pieceReaderOf(writer.reader), number);
      return { read, hasEnded: false, published: ({ segment }) => void told.push(segment), end: () => {} };
    },
  });
  const other = await world.store(world.inner);
  const { clock } = world.host;
  const { segments: known, reader } = other;
  const parts = { clock, group: origin.group, segments: known, reader, files: undefined, crew };
  const blocks = new PointBlocks(parts);
  /** All of both, the second one first, with a block between them. */
  const runs = segments.map(({ segment, slotCount: blockCount }, index) => {
    return { volume, address: addressOf(segment, 0), blockCount, at: (1 - index) * (blockCount + 1) * blockBytes };
  });
  const target = Buffer.alloc((2 * segments[0].slotCount + 1) * blockBytes, 0xee);
  const expected = Buffer.concat([...segments[1].blocks, Buffer.alloc(blockBytes, 0xee), ...segments[0].blocks]);
  const read = () => driven(world.driver, blocks.readRuns(runs, target));
  return { ...it, crew, told, target, expected, read, runs };
}

test("much is read side by side, each run to its place", async () => {
  const counts = [0, 0, 0];
  const { read, target, expected, told, crew } = await withCrew(3, (member, number) => ({
    read: (piece) => {
      counts[number] = (counts[number] ?? 0) + piece.count;
      return member.read(piece);
    },
  }));
  expect(await read()).toEqual([]);
  expect(target.equals(expected)).toBe(true);
  // None is cut smaller than that, and one has blocks of both runs.
  expect(counts).toEqual([32, 32, 16]);
  expect(told).toEqual([]);
  crew.close();
});

test("what a thread cannot read is read without it, and it is told what the store has", async () => {
  const { read, target, expected, told, crew } = await withCrew(1, (member) => ({
    read: async (piece) => {
      await member.read(piece);
      for (let block = 0; block < piece.count; block += 3) {
        piece.damaged[block] = 1;
        piece.blocks.fill(0xdd, block * blockBytes, (block + 1) * blockBytes);
      }
    },
  }));
  expect(await read()).toEqual([]);
  expect(target.equals(expected)).toBe(true);
  expect(new Set(told)).toEqual(new Set([1, 2]));
  crew.close();
});

test("what threads fail to read, or that have ended, is read without them", async () => {
  for (const error of [new RetryError("it has ended"), new StopError("its disk gives nothing")]) {
    const { read, target, expected, crew } = await withCrew(2, () => ({ read: () => Promise.reject(error) }));
    expect(await read()).toEqual([]);
    expect(target.equals(expected)).toBe(true);
    crew.close();
  }
});

test("where one thread cannot read, just what is damaged is told", async () => {
  const { world, read, runs, crew, segments } = await withCrew(2, (member, number) =>
    number === 0 ? { read: () => Promise.reject(new StopError("its disk gives nothing")) } : member,
  );
  damageFrames(world);
  const damagedAt = await read();
  const alone = await withCrew(1, (member) => member);
  damageFrames(alone.world);
  expect(damagedAt.toSorted(byNumber)).toEqual((await alone.read()).toSorted(byNumber));
  expect(damagedAt.length).toBeGreaterThan(0);
  expect(damagedAt.length).toBeLessThan(runs.length * segments[0].slotCount);
  for (const { crew: one } of [{ crew }, alone]) one.close();
});

function byNumber(one: number, other: number): number {
  return one - other;
}

test("what nobody can read is told by where it would be", async () => {
  const { world, read, runs, crew, segments } = await withCrew(1, (member) => member);
  damageFrames(world);
  const damagedAt = await read();
  expect(damagedAt.length).toBeGreaterThan(0);
  const [first] = runs as [(typeof runs)[0]];
  // The other one points into it.
  for (const at of damagedAt) expect(at % blockBytes).toBe(0);
  expect(damagedAt.some((at) => at >= first.at)).toBe(true);
  expect(new Set(damagedAt).size).toBe(damagedAt.length);
  expect(damagedAt.length).toBeLessThan(2 * segments[0].slotCount);
  crew.close();
});

test("what is neither here nor there is damaged, and nobody else's blocks are given", async () => {
  const { world, segments, blocks, bytes, readNow } = await landed();
  const [first] = segments;
  expect(readNow(first)).toBe(true);
  const wanted = { volume: volume + 1, address: addressOf(1, 0), blockCount: 2 };
  expect(blocks.readNow(wanted.volume, wanted.address, 2, bytes, 0)).toBe(false);
  expect(await driven(world.driver, blocks.read(wanted, bytes, 0))).toEqual([0, 1]);
  const absent = { volume, address: addressOf(9, 0), blockCount: 1 };
  expect(await driven(world.driver, blocks.read(absent, bytes, 0))).toEqual([0]);
});

test("blocks over the border of two segments are those of both", async () => {
  const { world, blocks, bytes } = await landed();
  const run = { volume, address: addressOf(1, 65_530), blockCount: 10 };
  // Those of the first segment were never written.
  expect(await driven(world.driver, blocks.read(run, bytes, 0))).toEqual([0, 1, 2, 3, 4, 5]);
});

test("files that were removed are closed in time, and so are those that nobody reads", async () => {
  const { world, segments, files, readNow } = await landed();
  const pass = (ms: number) =>
    driven(
      world.driver,
      new Promise<void>((resolve) => {
        world.host.clock.timer(ms, resolve);
      }),
    );
  for (const segment of segments) expect(readNow(segment)).toBe(true);
  expect(files.openCount).toBe(2);
  world.host.files.remove(folder.dataPath(1));
  await pass(pointFilesIdleMs + 1);
  expect(files.openCount).toBe(1);
  expect(readNow(segments[1])).toBe(true);
  await pass(pointFilesIdleMs + 1);
  expect(files.openCount).toBe(1);
  await pass(pointFilesIdleMs + 1);
  expect(files.openCount).toBe(0);
  expect(readNow(segments[1])).toBe(true);
});

test("a thread that fails before all is shared out fails for nobody", async () => {
  const takesAnother: (() => void)[] = [];
  const { world, read, crew, target, expected } = await withCrew(2, () => ({
    read: () => {
      for (const take of takesAnother.splice(0)) take();
      return Promise.reject(new StopError("it cannot read"));
    },
  }));
  for (let count = 1; count < crewPieceCountMax; count++) await crew.take();
  // Whoever reads gets the next piece to fill a while after the first one has failed.
  takesAnother.push(() => {
    const taken = crew.take() as Promise<ReadPiece>;
    void taken.then((piece) => world.host.clock.timer(1000, () => crew.give(piece)));
  });
  expect(await read()).toEqual([]);
  expect(takesAnother).toEqual([]);
  expect(target.equals(expected)).toBe(true);
  crew.close();
});

test("a fault of the program in a thread's reading is nobody's damage", async () => {
  const { read, crew } = await withCrew(2, () => ({ read: () => Promise.reject(new AssertionError("it is broken")) }));
  await expect(read()).rejects.toThrow("it is broken");
  crew.close();
});
