/** The bytes of each version of the snapshot, kept for ever: never changed, always read. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeHistory, encodeHistory, wholeHistory } from "#src/synth/history-document.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import {
  decodeSnapshotNumbers,
  encodeSnapshotNumbers,
  snapshotName,
  snapshotOfName,
} from "#src/synth/snapshot-format.ts";
import { decodeSnapshotTable, encodeSnapshotTable } from "#src/synth/snapshot-table.ts";
import { decodeInnerNode, InnerNodeEncoder } from "#src/synth/tree-node.ts";
import { volumePhase } from "#src/synth/volume-state.ts";
import { listOf, MemoryObjects, pieceGroup } from "#test/journals/sealed-pieces.ts";

function golden(name: string): Buffer {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

const seq = 2 ** 40 + 7;

test("a node above leaves has the bytes that it always had, and can be read", () => {
  const node = {
    volume: 2 ** 31 + 3,
    height: 2,
    children: [
      { startBlock: 5, snapshotSeq: seq, offset: 2 ** 33, storedBytes: 900, newestSeq: seq - 2 },
      { startBlock: 2 ** 32 + 9, snapshotSeq: seq, offset: 2 ** 33 + 900, storedBytes: 950, newestSeq: seq },
      { startBlock: 2 ** 45, snapshotSeq: 17, offset: 128, storedBytes: 60, newestSeq: 17 },
    ],
  };
  const bytes = golden("snapshot-node-v1.bin");
  expect(new InnerNodeEncoder().encode(node).toString("hex")).toBe(bytes.toString("hex"));
  expect(decodeInnerNode(bytes)).toEqual(node);
});

const link = { hash: Buffer.alloc(32, 0xab), firstSeq: seq - 9, lastSeq: seq + 5, lastEpoch: 12 };

test("a snapshot's table has the bytes that it always had, and can be read", () => {
  const pointer = { startBlock: 7, snapshotSeq: 17, offset: 2 ** 34, storedBytes: 333, newestSeq: 16 };
  const layers = [
    { height: 3, leafCount: 2 ** 21, blockCount: 2 ** 28, pointer },
    {
      height: 0,
      leafCount: 1,
      blockCount: 99,
      pointer: { ...pointer, startBlock: 2 ** 40, snapshotSeq: seq, newestSeq: seq },
    },
  ];
  const identity = { id: "f".repeat(32), name: "größer", sizeBytes: 2 ** 44 };
  const source = { salt: Buffer.alloc(16, 0xcd), usedNodes: 3, usedBytes: 2 ** 20, nodeBytes: 2 ** 36, usedFrom: 128 };
  const table = {
    through: link,
    baseSeq: seq - 100,
    volumes: [
      { number: 1, identity, phase: volumePhase.complete, isResyncing: true, layers },
      { number: 4, identity: undefined, phase: volumePhase.incomplete, isResyncing: false, layers: [] },
    ],
    sources: [
      { ...source, seq: 17 },
      { ...source, seq: seq - 100, usedNodes: 1, usedBytes: 50 },
    ],
  };
  const bytes = golden("snapshot-table-v1.bin");
  expect(encodeSnapshotTable(table).toString("hex")).toBe(bytes.toString("hex"));
  expect(decodeSnapshotTable(bytes, seq)).toEqual(table);
});

test("a snapshot's numbers have the bytes that they always had, and can be read", () => {
  const counts = { nodeCount: 2 ** 30, nodeBytes: 2 ** 40, volumeCount: 3, sourceCount: 2 };
  const pointers = { journalPointers: 2 ** 41, snapshotPointers: 2 ** 33 };
  const numbers = { timeMicros: 1_700_000_000_123_456, epoch: 12, ...counts, ...pointers };
  const bytes = golden("snapshot-numbers-v1.bin");
  expect(encodeSnapshotNumbers(numbers).toString("hex")).toBe(bytes.toString("hex"));
  expect(decodeSnapshotNumbers(bytes)).toEqual(numbers);
});

test("a history's document has the bytes that it always had, and can be read", () => {
  const history = {
    basedOn: seq,
    behind: { ...link, lastSeq: seq },
    trustedMicros: 1_700_000_000_123_456,
    pins: [{ id: "view-1", seq: seq + 3, keeps: "history" as const, reason: "is open" }],
    withdrawn: [seq + 50],
    asked: [],
  };
  const bytes = golden("history-document-v1.bin");
  expect(encodeHistory(history, pieceGroup).toString()).toBe(bytes.toString());
  expect(decodeHistory(bytes, pieceGroup)).toEqual(history);
});

test("a history's document with snapshots that were asked for has its bytes too", () => {
  const asked = [seq + 7, seq + 90];
  const bytes = golden("history-document-asked-v1.bin");
  expect(encodeHistory({ ...wholeHistory, asked }, pieceGroup).toString()).toBe(bytes.toString());
  expect(decodeHistory(bytes, pieceGroup)).toEqual({ ...wholeHistory, asked });
});

test("a snapshot of version 1 can be read, with the earlier one that it points into", async () => {
  const objects = new MemoryObjects();
  for (const [at, name] of [
    [2000, "snapshot-before-v1.bin"],
    [2001, "snapshot-v1.bin"],
  ] as const) {
    objects.bytes.set(snapshotName({ group: pieceGroup, seq: at }), golden(name));
  }
  const snapshot = await Snapshot.open(objects, { group: pieceGroup, seq: 2001 }, undefined);
  expect(snapshot.sources.map((source) => source.seq)).toEqual([2000]);
  expect(snapshot.volume(1)?.layers.map(({ height }) => height)).toEqual([1, 0]);
  const extents = await listOf(snapshot.scan(1));
  expect(extents).toHaveLength(2002);
  const place = { volume: 1, blockCount: 5, level: 0 };
  expect(extents.slice(151, 153)).toEqual([
    { ...place, startBlock: 1490, address: 65_536 * 3 + 149 * 5, seq: 150 },
    { ...place, startBlock: 1500, address: 65_536 * 3 + 150 * 5, seq: 151 },
  ]);
  expect(await snapshot.lookup(1, 2)).toEqual({
    volume: 1,
    startBlock: 2,
    blockCount: 1,
    address: 655_361,
    level: 0,
    seq: 2001,
  });
});

test("a snapshot's name says of which group and record it is", () => {
  const identity = { group: pieceGroup, seq: 77 };
  expect(snapshotName(identity)).toBe(`snapshots/${pieceGroup}/0000000000000077.0000`);
  expect(snapshotOfName(snapshotName(identity))).toEqual(identity);
  expect(snapshotOfName(`snapshots/${pieceGroup}/0000000000000077.0001`)).toBe(undefined);
});
