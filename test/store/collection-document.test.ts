import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RefuseError, StopError } from "#src/core/errors.ts";
import {
  collectionLeftMax,
  collectionSegmentsMax,
  storeDocumentBytesMax,
  volumeUseCountMax,
} from "#src/core/store-limits.ts";
import { encodeDocument } from "#src/host/document.ts";
import { segmentMax } from "#src/records/address.ts";
import { type CollectionDocument, decodeCollection, encodeCollection } from "#src/store/collection-document.ts";

const name = "collection.json";
const ended: CollectionDocument = {
  state: "ended",
  madeMicros: 1_763_750_000_123_456,
  plan: {
    neededBytes: 1_000_000,
    segments: [
      { segment: 7, generation: 0, action: "remove", objectBytes: 5000, freedBytes: 5000, liveCount: 0, deadCount: 0 },
      {
        segment: 3,
        generation: 2,
        action: "rewrite",
        objectBytes: 90_000,
        freedBytes: 60_000,
        liveCount: 9,
        deadCount: 30,
      },
    ],
    sums: [
      { reason: "allNeeded", segmentCount: 4, objectBytes: 1_000_000, freedBytes: 0 },
      { reason: "notWorthIt", segmentCount: 1, objectBytes: 70_000, freedBytes: 700 },
    ],
    left: [{ segment: 4, reason: "notWorthIt", objectBytes: 70_000, freedBytes: 700 }],
  },
  outcome: {
    removedSegments: 1,
    rewrittenSegments: 1,
    removedBytes: 95_000,
    writtenBytes: 30_000,
    droppedBlocks: 30,
    skippedSegments: 0,
  },
};

test("what is noted of a collection has the bytes that it always had, and is read", () => {
  const golden = readFileSync(new URL("../golden/collection-document-v1.bin", import.meta.url));
  expect(encodeCollection(ended).toString()).toBe(golden.toString());
  expect(decodeCollection(golden, name)).toEqual(ended);
});

test("a plan without an outcome is read as it was noted", () => {
  const planned: CollectionDocument = { ...ended, state: "planned", outcome: undefined };
  expect(decodeCollection(encodeCollection(planned), name)).toEqual(planned);
});

test("what is needed of volumes has the bytes that it always had, and is read", () => {
  const group = "0123456789abcdef0123456789abcdef";
  const used = {
    ...ended,
    use: [
      { group, volume: 3, blockCount: 1_000_000 },
      { group, volume: 1, blockCount: 7 },
    ],
  };
  const golden = readFileSync(new URL("../golden/collection-use-v1.bin", import.meta.url));
  expect(encodeCollection(used).toString()).toBe(golden.toString());
  expect(decodeCollection(golden, name)).toEqual(used);
});

test("a largest plan fits into a document", () => {
  const big = Number.MAX_SAFE_INTEGER;
  const numbers = { objectBytes: big, freedBytes: big, liveCount: 65_536, deadCount: 65_536 };
  const planned = { segment: segmentMax, generation: 9999, action: "rewrite" as const, ...numbers };
  const left = { segment: segmentMax, reason: "lastGeneration" as const, objectBytes: big, freedBytes: big };
  const plan = {
    ...ended.plan,
    segments: Array.from({ length: collectionSegmentsMax }, () => planned),
    left: Array.from({ length: collectionLeftMax }, () => left),
  };
  const use = Array.from({ length: volumeUseCountMax }, () => ({
    group: "f".repeat(32),
    volume: 2 ** 32,
    blockCount: big,
  }));
  expect(encodeCollection({ ...ended, plan, use }).length).toBeLessThan((3 / 4) * storeDocumentBytesMax);
});

test("fault 29: what another version noted is refused", () => {
  const other = encodeDocument({ format: "tidemark-collection", version: 2 }, {});
  expect(() => decodeCollection(other, name)).toThrow(RefuseError);
});

test("fault 18: what is no note of a collection is told as damaged, whatever it says", () => {
  const bytes = encodeCollection(ended);
  const content = JSON.parse(bytes.toString()).content as Record<string, unknown>;
  const kind = { format: "tidemark-collection", version: 1 };
  const wrong: Record<string, unknown>[] = [
    { state: "running" },
    { madeMicros: -1 },
    { neededBytes: "1" },
    { segments: undefined },
    { segments: ["1 0 remove 1 1 0"] },
    { segments: ["0 0 remove 1 1 0 0"] },
    { segments: ["1 10000 remove 1 1 0 0"] },
    { segments: ["1 0 keep 1 1 0 0"] },
    { segments: ["1 0 remove 1 -1 0 0"] },
    { segments: ["1 0 remove 1 99999999999999999 0 0"] },
    { segments: [7] },
    { left: ["4 because 1 1"] },
    { left: Array.from({ length: collectionLeftMax + 1 }, () => "4 newest 1 1") },
    { sums: [null] },
    { sums: [{ reason: "newest" }] },
    { outcome: {} },
    { use: ["0123456789abcdef 1 1"] },
    { use: [`${"a".repeat(32)} 1`] },
    { use: Array.from({ length: volumeUseCountMax + 1 }, () => `${"a".repeat(32)} 1 1`) },
    { outcome: null },
  ];
  for (const change of wrong) {
    const damaged = encodeDocument(kind, { ...content, ...change });
    expect(() => decodeCollection(damaged, name), JSON.stringify(change)).toThrow(StopError);
  }
  for (let bit = 0; bit < bytes.length * 8; bit += 7) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    let read: unknown;
    try {
      read = decodeCollection(flipped, name);
    } catch (error) {
      read = error;
    }
    // White space may be another one.
    if (!(read instanceof Error)) expect(read, `bit ${bit}`).toEqual(ended);
  }
});
