/** Bytes that somebody made up, with checksums that fit: they are refused, and nothing grows or hangs for them. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { decodeSnapshotNumbers } from "#src/synth/snapshot-format.ts";
import { decodeSnapshotTable } from "#src/synth/snapshot-table.ts";
import { mergedTree } from "#src/synth/tree-merge.ts";
import { decodeInnerNode, type NodePointer } from "#src/synth/tree-node.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const golden = (name: string) => readFileSync(new URL(`../golden/${name}`, import.meta.url));
const random = new SeededRandom(4);

/** Some bytes are others, and some are gone. */
function mangled(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let count = random.between(1, 6); count > 0; count--)
    copy[random.integerBelow(copy.length)] = random.integerBelow(256);
  return copy.subarray(0, random.chance(0.3) ? random.integerBelow(copy.length + 1) : copy.length);
}

test("a table that was made up says nothing, or what a table can say", () => {
  for (let round = 0; round < 20_000; round++) {
    const seq = random.integerBelow(2 ** 31);
    const table = decodeSnapshotTable(mangled(golden("snapshot-table-v1.bin")), random.pick([seq, 2 ** 40 + 7]));
    const seqs = table?.sources.map((source) => source.seq) ?? [];
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  }
});

test("so does a node, and so do numbers", () => {
  for (let round = 0; round < 20_000; round++) {
    const children = decodeInnerNode(mangled(golden("snapshot-node-v1.bin")))?.children ?? [];
    expect(children.every(({ startBlock }, at) => at === 0 || startBlock > (children[at - 1]?.startBlock ?? 0))).toBe(
      true,
    );
    decodeSnapshotNumbers(
      mangled(Buffer.concat([golden("snapshot-numbers-v1.bin"), Buffer.alloc(64)])).subarray(0, 64),
    );
  }
});

test("a leaf that reaches into the next one is found where it is read", async () => {
  const pointer = (startBlock: number): NodePointer => ({
    startBlock,
    snapshotSeq: 1,
    offset: startBlock,
    storedBytes: 1,
    newestSeq: 1,
  });
  const extent = (startBlock: number, blockCount: number) => ({
    volume: 1,
    startBlock,
    blockCount,
    address: 65_536,
    level: 0,
    seq: 1,
  });
  const store = {
    writeLeaf: async () => pointer(0),
    writeInner: async () => pointer(0),
    replaceInner: async () => [pointer(0), pointer(100)],
    replaceLeaf: async (leaf: NodePointer) => [extent(leaf.startBlock, 101)],
    dropLeaf: () => {},
  };
  let current: ReturnType<typeof extent> | undefined = extent(3, 1);
  const changes = {
    get current() {
      return current;
    },
    take: async () => {
      current = undefined;
    },
  };
  const merged = mergedTree(store, { pointer: pointer(0), height: 1 }, changes);
  await expect(merged).rejects.toThrow(StopError);
});
