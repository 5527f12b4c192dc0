import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import type { PartEffort } from "#src/core/store-limits.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { startThread } from "#src/host/node/thread.ts";
import { setPartEffort } from "#src/host/part-compression.ts";
import type { Thread } from "#src/host/thread.ts";
import { addressOf } from "#src/records/address.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { SealHelpers } from "#src/store/seal-helpers.ts";
import { type SealThreadSettings, SealThreads } from "#src/store/seal-threads.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { ClosedBlocks, type ClosedSlot, damaged, none, sound } from "./closed-blocks.ts";
import { rememberingLog } from "./remembering-log.ts";
import { fixedRandomness } from "./small-object.ts";

const origin = { group: "00112233445566778899aabbccddeeff", level: 0 };
const key = Buffer.alloc(32, "fingerprints");

async function storeIn(folder: string, helpers: SealHelpers | undefined, isKeyed: boolean): Promise<SegmentStore> {
  const machine = nodeMachine(rememberingLog([]));
  const { files, log, bootId } = machine;
  const clock = { ...machine.clock, wallMs: () => 1_700_000_000_000 };
  const randomness = fixedRandomness;
  const about = { maps: lmdbMaps, folder: temporaryFolder(), store: Buffer.alloc(16, 7) };
  const index = await openFingerprintIndex({ ...about, files, clock, randomness, log, bootId });
  onTestFinished(() => index.close());
  const objects = await FolderObjects.open(machine, folder);
  onTestFinished(() => objects.close());
  const fingerprints = isKeyed ? keyedFingerprints(key) : plainFingerprints;
  const storeKey = isKeyed ? Buffer.alloc(32, "the store") : undefined;
  return SegmentStore.open({ objects, index, fingerprints, helpers, key: storeKey, clock, randomness, log });
}

function startedThreads(count: number, fingerprintKey?: Buffer, effort: PartEffort = "normal"): Thread[] {
  const module = new URL("../../src/store/seal-threads.ts", import.meta.url);
  const settings: SealThreadSettings = { fingerprintKey, effort };
  const threads = Array.from({ length: count }, () => startThread(module, "seal", settings));
  onTestFinished(() => {
    for (const thread of threads) thread.end();
  });
  return threads;
}

/** Long enough for several batches, and with all that a segment may have. */
function slotsOfChance(seed: number): ClosedSlot[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: 1500 }, (_, slot) => {
    if (random.chance(0.05)) return none;
    if (random.chance(0.02)) return damaged(slot + 1);
    return sound(random.chance(0.3) ? random.integerBelow(200) : 1000 * seed + slot);
  });
}

function objectBytes(folder: string, segment: number): Buffer {
  return readFileSync(join(folder, segmentObjectName({ segment, generation: 0 })));
}

test.each([
  ["plain", false, "normal"],
  ["encrypted", true, "normal"],
  ["smaller", false, "small"],
] as const)("whoever helps, the object is the same to the byte: %s", async (_, isKeyed, effort) => {
  onTestFinished(() => setPartEffort("normal"));
  setPartEffort(effort);
  const [alone, helped] = [temporaryFolder(), temporaryFolder()];
  const threads = new SealThreads(startedThreads(2, isKeyed ? key : undefined, effort));
  const stores = [await storeIn(alone, undefined, isKeyed), await storeIn(helped, threads, isKeyed)];
  for (const segment of [1, 2]) {
    const source = new ClosedBlocks(segment, slotsOfChance(segment));
    for (const store of stores) await store.seal(source, origin);
    expect(objectBytes(helped, segment).equals(objectBytes(alone, segment))).toBe(true);
  }
});

test("a thread that ends while it helps lets the sealing fail, and leaves no object", async () => {
  const folder = temporaryFolder();
  const threads = startedThreads(1);
  const store = await storeIn(folder, new SealThreads(threads), false);
  await store.seal(new ClosedBlocks(1, slotsOfChance(1)), origin);
  const sealing = store.seal(new ClosedBlocks(2, slotsOfChance(2)), origin);
  threads[0]?.end();
  await expect(sealing).rejects.toThrow(RetryError);
  expect(store.segments.has(2)).toBe(false);
  const run = { address: addressOf(1, 0), blockCount: 1, volume: 1 };
  expect(await store.reader.read(run, Buffer.alloc(4096), 0)).toHaveLength(slotsOfChance(1)[0] === none ? 1 : 0);
});

test("what cannot be read ends the sealing when nobody works on it any more, and the next one is none the worse", async () => {
  const [alone, helped] = [temporaryFolder(), temporaryFolder()];
  const threads = new SealThreads(startedThreads(2));
  const stores = [await storeIn(alone, undefined, false), await storeIn(helped, threads, false)];
  const bad = new ClosedBlocks(1, slotsOfChance(3));
  const read = bad.read.bind(bad);
  bad.read = (slot, count, run) => {
    if (slot > 1000) throw new RetryError("not just now");
    read(slot, count, run);
  };
  for (const store of stores) await expect(store.seal(bad, origin)).rejects.toThrow("not just now");
  const source = new ClosedBlocks(2, slotsOfChance(2));
  for (const store of stores) await store.seal(source, origin);
  expect(objectBytes(helped, 2).equals(objectBytes(alone, 2))).toBe(true);
});
