import { expect, test } from "vitest";
import { snapshotLayerGrowth, snapshotLayersMax } from "#src/core/store-limits.ts";
import { type LayerSize, layersToMerge } from "#src/synth/layer-plan.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

/** Of as many leaves each, with a hundred blocks in each of them. */
function sizes(...leafCounts: number[]): LayerSize[] {
  return leafCounts.map((leafCount) => ({ leafCount, blockCount: 100 * leafCount }));
}

test("layers that are not much larger than what comes on top are made one with it", () => {
  expect(layersToMerge([], 10, false)).toBe(0);
  expect(layersToMerge(sizes(100_000, 81), 10, false)).toBe(0);
  expect(layersToMerge(sizes(100_000, 80), 10, false)).toBe(1);
  expect(layersToMerge(sizes(100_000, 700, 80), 10, false)).toBe(2);
  expect(layersToMerge(sizes(6000, 700, 80), 10, false)).toBe(3);
});

test("a layer that is covered by those over it goes, however large it is", () => {
  const base = { leafCount: 100_000, blockCount: 10_000_000 };
  expect(layersToMerge([base, { leafCount: 1, blockCount: 4_999_999 }], 1, false)).toBe(1);
  expect(layersToMerge([base, { leafCount: 1, blockCount: 5_000_000 }], 1, false)).toBe(2);
});

test("who hurries leaves what is not smaller than his own, as long as there is room for another layer", () => {
  const layers = sizes(100_000, 1000, 10);
  expect(layersToMerge(layers, 1000, true)).toBe(1);
  expect(layersToMerge(layers, 1000, false)).toBe(2);
  const many = sizes(...Array.from({ length: snapshotLayersMax }, () => 1000));
  expect(layersToMerge(many.slice(1), 1000, true)).toBe(0);
  expect(layersToMerge(many, 1000, true)).toBe(snapshotLayersMax);
});

test("whatever comes, there are few layers, and what is written again stays within bounds", () => {
  const random = new SeededRandom(3);
  const layers: LayerSize[] = sizes(2 ** 21);
  let [written, added] = [0, 0];
  for (let round = 0; round < 20_000; round++) {
    const leafCount = random.pick([1, 1, 10, 1000]);
    const count = layersToMerge(layers, leafCount, random.chance(0.5));
    const merged = layers.splice(layers.length - count).reduce((sum, layer) => sum + layer.leafCount, leafCount);
    // Of the largest nearly all is written over in the end.
    layers.push(...sizes(Math.min(merged, 2 ** 21)));
    written += merged;
    added += leafCount;
    expect(layers.length).toBeLessThanOrEqual(snapshotLayersMax);
  }
  expect(written / added).toBeLessThan(4 * snapshotLayerGrowth);
});
