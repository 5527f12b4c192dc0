/** The bytes of each version of the sealed segment, kept for ever: never changed, always read. */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { addressOf } from "#src/records/address.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { objectKind } from "#src/store/object-format.ts";
import { partType } from "#src/store/part.ts";
import { decodeTable, nowhere, segmentObjectName } from "#src/store/segment-format.ts";
import { blockState } from "#src/store/slot-run.ts";
import type { StoreKeys } from "#src/store/store-keys.ts";
import { sumOf } from "#test/oracle/byte-sum.ts";
import { SealedBlocks } from "#test/oracle/sealed-blocks.ts";
import {
  earlierNumber,
  goldenMicros,
  goldenNumber,
  goldenOrigin,
  goldenSlots,
  goldenStoreKeys,
  sealGolden,
  storeOfEarlier,
} from "./golden-segment.ts";
import { MemoryObjects } from "./memory-objects.ts";

const name = segmentObjectName({ segment: goldenNumber, generation: 0 });
const counts = { slots: 1025, kept: 5, forwards: 3, zeros: 4, damaged: 1, frames: 2 };
const golden: readonly { readonly file: string; readonly keys: StoreKeys | undefined }[] = [
  { file: "segment-v1.bin", keys: undefined },
  { file: "segment-encrypted-v1.bin", keys: goldenStoreKeys },
];

function bytesOf(file: string): Buffer {
  return readFileSync(new URL(`../golden/${file}`, import.meta.url));
}

async function goldenStore(file: string, keys: StoreKeys | undefined) {
  const objects = new MemoryObjects();
  objects.contents.set(name, bytesOf(file));
  return { objects, store: await storeOfEarlier(objects, keys) };
}

/** What a segment's object says, but for how its directory was compressed: zstd may do that otherwise one day. */
async function contentOf(bytes: Buffer, keys: StoreKeys | undefined) {
  const objects = new MemoryObjects();
  objects.contents.set(name, bytes);
  const identity = { kind: objectKind.segment, group: goldenOrigin.group, number: goldenNumber, generation: 0 };
  const file = await ObjectFile.open(objects, name, identity, keys?.storeKey);
  const parts: { readonly type: number; readonly number: number; readonly content: string }[] = [];
  const places = Array.from({ length: 3 }, () => ({ slots: nowhere, fingerprints: nowhere }));
  let framesEnd = 0;
  for await (const part of file.parts()) {
    if (part instanceof ObjectDamageError) throw part;
    const { type, number, offset, storedBytes, content } = part;
    if (type === partType.frame) framesEnd = offset + storedBytes;
    const page = places[number];
    if (type === partType.slots && page !== undefined) page.slots = { offset, storedBytes };
    if (type === partType.fingerprints && page !== undefined) page.fingerprints = { offset, storedBytes };
    if (type !== partType.table) parts.push({ type, number, content: content.toString("hex") });
  }
  expect(decodeTable(file.table, 3)).toEqual(places);
  const { kindNumbers, timeMicros } = file.footer;
  return { headerAndFrames: bytes.subarray(0, framesEnd).toString("hex"), parts, kindNumbers, timeMicros };
}

test.each(golden)("a segment has the bytes that it always had: $file", async ({ file, keys }) => {
  const objects = new MemoryObjects();
  await sealGolden(objects, keys);
  const made = await contentOf(objects.contents.get(name) as Buffer, keys);
  expect(made).toEqual(await contentOf(bytesOf(file), keys));
  expect(made.timeMicros).toBe(goldenMicros);
  expect(made.headerAndFrames.length / 2).toBeGreaterThan(counts.kept * blockBytes);
});

test.each(golden)("each block of a segment of version 1 can be read: $file", async ({ file, keys }) => {
  const { store, objects } = await goldenStore(file, keys);
  const stored = {
    paths: () => [...objects.contents.keys()].map((one) => `/${one}`),
    read: (path: string) => objects.contents.get(path.slice(1)) as Buffer,
  };
  // One that knows what docs/formats.md says, and nothing of the product.
  const apart = new SealedBlocks(stored, keys?.storeKey);
  const found = Buffer.alloc(blockBytes);
  for (const [slot, { volume, state, block }] of goldenSlots) {
    const address = addressOf(goldenNumber, slot);
    const damaged = await store.reader.read({ address, blockCount: 1, volume }, found.fill(0xee), 0);
    if (state === blockState.sound) {
      expect([slot, damaged, found.equals(block)]).toEqual([slot, [], true]);
      expect([slot, apart.read(volume, address).equals(block)]).toEqual([slot, true]);
    } else {
      expect([slot, damaged]).toEqual([slot, [0]]);
      expect(() => apart.read(volume, address)).toThrow("its slot is of kind 4");
    }
  }
});

interface Said {
  readonly kind: number;
  readonly placeInFrame?: number;
  readonly frameSlot?: number;
  /** Offset and bytes of a frame. */
  readonly frame?: readonly [number, number];
  readonly address?: number;
}

/** Each slot that has anything, field by field as docs/formats.md has them. */
function slotsSaid(tagBytes: number): ReadonlyMap<number, Said> {
  const whole = [128, 32 + 4 * blockBytes + tagBytes] as const;
  const single = [whole[0] + whole[1], 32 + blockBytes + tagBytes] as const;
  const inWhole = (placeInFrame: number) => ({ kind: 2, placeInFrame, frameSlot: 0, frame: whole });
  return new Map<number, Said>([
    [0, inWhole(0)],
    [1, { kind: 4 }],
    [2, inWhole(1)],
    [3, { kind: 1 }],
    [4, inWhole(2)],
    [6, { kind: 3, address: earlierNumber * 65_536 + 1 }],
    [7, inWhole(3)],
    [8, { kind: 3, address: goldenNumber * 65_536 + 2 }],
    [9, { kind: 3, address: goldenNumber * 65_536 + 4 }],
    [10, { kind: 1 }],
    [11, { kind: 1 }],
    [513, { kind: 2, placeInFrame: 0, frameSlot: 513, frame: single }],
    [1024, { kind: 1 }],
  ]);
}

function entryOf(slot: number, { kind, placeInFrame = 0, frameSlot = 0, frame, address }: Said): Buffer {
  const { volume, block } = goldenSlots.get(slot) ?? { volume: 0, block: Buffer.alloc(0) };
  const entry = Buffer.alloc(24);
  sumOf(block).copy(entry, 0);
  entry.writeUInt32LE(volume, 8);
  entry.writeUInt8(kind, 12);
  entry.writeUInt8(placeInFrame, 13);
  entry.writeUInt16LE(frameSlot, 14);
  for (const [index, value] of (frame ?? []).entries()) entry.writeUInt32LE(value, 16 + 4 * index);
  if (address !== undefined) entry.writeBigUInt64LE(BigInt(address), 16);
  return entry;
}

test.each(golden)("what a segment of version 1 says of its slots stands where it always stood: $file", async (one) => {
  const { store } = await goldenStore(one.file, one.keys);
  const directory = await store.segments.directory(goldenNumber);
  expect(directory.counts).toEqual(counts);
  const pages = await Promise.all([0, 1, 2].map((page) => directory.slots(page)));
  const expected = Buffer.alloc(counts.slots * 24);
  for (const [slot, said] of slotsSaid(one.keys === undefined ? 0 : 16)) entryOf(slot, said).copy(expected, slot * 24);
  expect(Buffer.concat(pages).toString("hex")).toBe(expected.toString("hex"));
  const fingerprintOf = (slot: number) => {
    const hash = one.keys === undefined ? createHash("sha256") : createHmac("sha256", one.keys.fingerprintKey);
    return hash.update(goldenSlots.get(slot)?.block ?? "").digest();
  };
  const fingerprints = await Promise.all([0, 1, 2].map((page) => directory.fingerprints(page)));
  expect(fingerprints).toEqual([Buffer.concat([0, 2, 4, 7].map(fingerprintOf)), fingerprintOf(513), Buffer.alloc(0)]);
});
