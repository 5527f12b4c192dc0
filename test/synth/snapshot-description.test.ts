import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeSnapshot, snapshotLine } from "#src/synth/snapshot-description.ts";
import { listOf, MemoryObjects } from "#test/journals/sealed-pieces.ts";
import { SnapshotWorld } from "./snapshot-world.ts";

async function made(seed: number) {
  const world = new SnapshotWorld(seed);
  await world.seal(40);
  const first = await world.synthesize(undefined, world.lastSeq);
  await world.seal(1);
  return { world, first, second: await world.synthesize(first, world.lastSeq) };
}

test("a snapshot is told with its volumes, and with where its pointers lead", async () => {
  const { world, first, second } = await made(5);
  const items = await listOf(describeSnapshot(world.maker.objects, second.name));
  const { nodeCount, nodeBytes, epoch, timeMicros } = second.numbers;
  expect(items[0]).toMatchObject({
    kind: "snapshot",
    seq: second.seq,
    baseSeq: first.seq,
    nodeCount,
    nodeBytes,
    epoch,
    timeMicros,
  });
  expect(items.filter((item) => item.kind === "volume")).toHaveLength(3);
  for (const item of items) expect(snapshotLine(item)).not.toMatch(/undefined|NaN|object Object/);
});

test("its pointers into data journals and into earlier snapshots are counted", async () => {
  const bytes = readFileSync(new URL("../golden/snapshot-v1.bin", import.meta.url));
  const objects = new MemoryObjects();
  objects.bytes.set("elsewhere", bytes);
  const items = await listOf(describeSnapshot(objects, "elsewhere"));
  const pointers = items.filter((item) => item.kind === "pointers");
  const inSegments = { level: 0, firstSegment: 10, lastSegment: 10 };
  expect(pointers).toEqual([
    { kind: "pointers", into: "journal", ...inSegments, blocks: 2, pointers: 1 },
    { kind: "pointers", into: "snapshot", seq: 2000, pointers: 1 },
    { kind: "pointers", into: "snapshot", seq: 2001, pointers: 1 },
  ]);
  expect(items.filter((item) => item.kind === "source").map(snapshotLine)).toEqual([
    expect.stringContaining("uses 22 nodes of snapshot 2000"),
  ]);
});

test("nodes that are damaged are told, and the rest with them", async () => {
  const { world, first } = await made(6);
  const bytes = world.maker.objects.bytes.get(first.name) as Buffer;
  (bytes[170] as number) ^= 4;
  const items = await listOf(describeSnapshot(world.maker.objects, first.name));
  expect(items.filter((item) => item.kind === "flaw").map(snapshotLine)).toEqual([
    expect.stringMatching(/^ {2}DAMAGED: .* is damaged in its part extents 0 .*checksum/),
  ]);
  expect(items.some((item) => item.kind === "pointers")).toBe(true);
});

test("what is no snapshot is refused", async () => {
  const { world } = await made(7);
  const name = world.pieces[0]?.name as string;
  await expect(listOf(describeSnapshot(world.maker.objects, name))).rejects.toThrow("is no snapshot");
});
