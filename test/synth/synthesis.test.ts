import { expect, test } from "vitest";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { SnapshotWorld } from "./snapshot-world.ts";

test("a snapshot of any seq says of every block what the records up to there say", async () => {
  const layerCounts = new Set<number>();
  for (let seed = 1; seed <= 12; seed++) {
    const world = new SnapshotWorld(seed);
    for (let count = 0; count < 4; count++) await world.seal(6);
    const seqs = [...new Set(world.records.map(({ seq }) => seq))];
    let base: Snapshot | undefined;
    for (const seq of seqs.filter((_, index) => index % (seed + 2) === 0 || index === seqs.length - 1)) {
      const snapshot = await world.synthesize(base, seq, seed % 3 !== 0);
      expect(snapshot.seq).toBe(seq);
      layerCounts.add(Math.max(...snapshot.volumes.map(({ layers }) => layers.length)));
      expect(await world.differences(snapshot)).toEqual([]);
      if (seq % 3 !== 0) base = snapshot;
    }
  }
  expect(Math.max(...layerCounts)).toBeGreaterThan(2);
});

test("between two states, as within an aggregate, a snapshot is of the one before", async () => {
  const world = new SnapshotWorld(31);
  for (let count = 0; count < 2; count++) await world.seal(25);
  const seqs = new Set(world.records.map(({ seq }) => seq));
  const gaps = [...seqs].filter((seq) => !seqs.has(seq + 1) && seq !== world.lastSeq);
  expect(gaps.length).toBeGreaterThan(3);
  for (const seq of gaps) {
    const snapshot = await world.synthesize(undefined, seq + 1);
    expect(snapshot.seq).toBe(seq);
    expect(await world.differences(snapshot)).toEqual([]);
  }
});
