import { truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type PieceThreadSettings, startPieceThread } from "#src/control/piece-thread.ts";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { plainFingerprints } from "#src/host/fingerprint.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { addressOf } from "#src/records/address.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { PieceThread } from "#src/store/piece-reader.ts";
import { ReadPiece } from "#src/store/read-piece.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { origin, Segment } from "#test/store/segment-world.ts";

const key = Buffer.alloc(32, "the store's key");

async function storeIn(folder: string): Promise<SegmentStore> {
  const machine = nodeMachine(rememberingLog([]));
  const { files, clock, randomness, log, bootId } = machine;
  const about = { maps: lmdbMaps, folder: temporaryFolder(), store: Buffer.alloc(16, 7) };
  const index = await openFingerprintIndex({ ...about, files, clock, randomness, log, bootId });
  onTestFinished(() => index.close());
  const objects = await FolderObjects.open(machine, folder);
  onTestFinished(() => objects.close());
  return SegmentStore.open({ objects, index, fingerprints: plainFingerprints, key, clock, randomness, log });
}

function startedThread(folder: string, settings: Partial<PieceThreadSettings> = {}): PieceThread {
  const config = { log: { level: "error", format: "text" } } as const;
  const thread = startPieceThread("reader", { config, folder, key, ...settings });
  onTestFinished(() => thread.end());
  return thread;
}

function pieceOf(segment: Segment): ReadPiece {
  const piece = new ReadPiece();
  for (let slot = 0; slot < segment.slotCount; slot++) piece.add(addressOf(segment.segment, slot), 3);
  return piece;
}

async function expectRead(thread: PieceThread, segment: Segment): Promise<void> {
  const piece = pieceOf(segment);
  await thread.read(piece);
  expect(piece.damaged.subarray(0, piece.count).every((damaged) => damaged === 0)).toBe(true);
  for (const [slot, block] of segment.blocks.entries()) {
    expect(piece.blocks.subarray(slot * blockBytes, (slot + 1) * blockBytes).equals(block)).toBe(true);
  }
}

test("a thread reads what the store has, and what it is told that the store has now", async () => {
  const folder = temporaryFolder();
  const store = await storeIn(folder);
  const random = new SeededRandom(3);
  const [first, second] = [new Segment(1, random), new Segment(2, random)];
  await store.seal(first, origin);
  const thread = startedThread(folder);
  await expectRead(thread, first);
  await store.seal(second, origin);
  thread.published({ segment: 2, generation: 0 });
  await expectRead(thread, second);
  thread.removed(1);
  const piece = pieceOf(first);
  await thread.read(piece);
  expect(piece.damaged.subarray(0, piece.count).every((damaged) => damaged === 1)).toBe(true);
});

test("a thread reads no other group's blocks", async () => {
  const folder = temporaryFolder();
  const store = await storeIn(folder);
  const segment = new Segment(1, new SeededRandom(3));
  await store.seal(segment, origin);
  const thread = startedThread(folder);
  for (const [group, isDamaged] of [
    [origin.group, 0],
    ["ffffffffffffffffffffffffffffffff", 1],
  ] as const) {
    const piece = pieceOf(segment);
    piece.group = group;
    await thread.read(piece);
    expect(piece.damaged.subarray(0, piece.count).every((damaged) => damaged === isDamaged)).toBe(true);
  }
});

test("fault 19: an object that ends early is told as damaged, block by block", async () => {
  const folder = temporaryFolder();
  const store = await storeIn(folder);
  const segment = new Segment(1, new SeededRandom(3));
  await store.seal(segment, origin);
  truncateSync(join(folder, segmentObjectName({ segment: 1, generation: 0 })), 1000);
  const piece = pieceOf(segment);
  await startedThread(folder).read(piece);
  expect(piece.damaged.subarray(0, piece.count).every((damaged) => damaged === 1)).toBe(true);
});

test("what is under way when a thread ends, and what is asked for later, may work with another one", async () => {
  const folder = temporaryFolder();
  const store = await storeIn(folder);
  const segment = new Segment(1, new SeededRandom(3));
  await store.seal(segment, origin);
  const thread = startedThread(folder);
  const asked = thread.read(pieceOf(segment));
  thread.end();
  await expect(asked).rejects.toThrow(RetryError);
  await expect(thread.read(pieceOf(segment))).rejects.toThrow("has ended");
});
