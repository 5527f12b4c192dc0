/** What a snapshot tells of records behind an earlier one. */
import { expect, test } from "vitest";
import { endOfBlocks } from "#src/journals/block-extent.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { contentOf, volumeBlocks } from "#test/journals/random-units.ts";
import { listOf } from "#test/journals/sealed-pieces.ts";
import { SnapshotWorld } from "./snapshot-world.ts";
import { VolumeWriter } from "./volume-writer.ts";

/** By block, what it holds in effect where it tells of it. */
async function toldOf(snapshot: Snapshot, volume: number, afterSeq: number, from = 0, to = endOfBlocks) {
  const told = new Map<number, number>();
  let end = from;
  for (const page of await listOf(snapshot.changes(volume, afterSeq, from, to))) {
    for (const { startBlock, blockCount, address, seq } of page) {
      expect(startBlock).toBeGreaterThanOrEqual(end);
      expect(seq).toBeGreaterThan(afterSeq);
      end = startBlock + blockCount;
      expect(end).toBeLessThanOrEqual(to);
      for (let block = startBlock; block < Math.min(end, volumeBlocks); block++) {
        told.set(block, address === 0 ? 0 : address + block - startBlock);
      }
    }
  }
  return told;
}

test("whatever is later than a record is told, as it is in effect, and of data nothing else", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const world = new SnapshotWorld(seed);
    let base: Snapshot | undefined;
    for (let count = 0; count < 6; count++) {
      await world.seal(10);
      base = await world.synthesize(base, world.lastSeq);
    }
    const snapshot = base as Snapshot;
    for (const afterSeq of [0, ...world.records.filter((_, at) => at % 23 === 0).map(({ seq }) => seq)]) {
      for (const { number } of snapshot.volumes) {
        const from = seed % 2 === 0 ? 5 : 0;
        const told = await toldOf(snapshot, number, afterSeq, from, volumeBlocks - from);
        for (let block = from; block < volumeBlocks - from; block++) {
          const { address = 0, seq = 0 } = contentOf(world.records, number, block, snapshot.seq) ?? {};
          if (told.has(block)) expect(told.get(block)).toBe(address);
          else expect(address === 0 ? 0 : seq).toBeLessThanOrEqual(afterSeq);
          if (address !== 0) expect(told.has(block)).toBe(seq > afterSeq);
        }
      }
    }
  }
});

test("what was trimmed since is told as a hole", async () => {
  const world = new SnapshotWorld(5);
  const writer = new VolumeWriter(5);
  await world.sealUnits([writer.write(10, 20), writer.write(100, 5)]);
  const first = await world.synthesize(undefined, world.lastSeq);
  await world.sealUnits([writer.trim(15, 2)]);
  const second = await world.synthesize(first, world.lastSeq);
  const [page] = await listOf(second.changes(1, first.seq));
  expect(page).toEqual([expect.objectContaining({ startBlock: 15, blockCount: 2, address: 0, seq: 3 })]);
  expect(await second.lookup(1, 15)).toMatchObject({ address: 0, blockCount: 2 });
  expect((await listOf(second.scan(1))).map(({ startBlock, blockCount }) => [startBlock, blockCount])).toEqual([
    [10, 5],
    [17, 13],
    [100, 5],
  ]);
});

test("nodes without anything later are not read", async () => {
  const world = new SnapshotWorld(8);
  const writer = new VolumeWriter(8);
  await world.sealUnits(Array.from({ length: 20_000 }, (_, at) => writer.write(2 * at, 1)));
  const first = await world.synthesize(undefined, world.lastSeq);
  await world.sealUnits(Array.from({ length: 50 }, (_, at) => writer.write(700 * at, 1)));
  const second = await world.synthesize(first, world.lastSeq);
  world.maker.objects.readCount = 0;
  expect((await toldOf(second, 1, first.seq)).size).toBeGreaterThan(0);
  expect(world.maker.objects.readCount).toBeLessThan(10);
});
