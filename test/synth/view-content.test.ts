import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { command } from "#src/nbd/constants.ts";
import { ImageRuns, runKind } from "#src/synth/image-runs.ts";
import { ViewContent } from "#src/synth/view-content.ts";
import type { ViewOverlay } from "#src/synth/view-overlay.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { pointContent, ViewWorld } from "./view-world.ts";

const blockCount = 96;
const sizeBytes = blockCount * blockBytes;

async function changedView(seed: number) {
  const world = new ViewWorld(seed, sizeBytes);
  const view = await world.open();
  const expected = pointContent(sizeBytes);
  const random = new SeededRandom(seed);
  for (let step = 0; step < 40; step++) {
    const block = random.integerBelow(blockCount);
    const length = Math.min(blockCount - block, 1 + random.integerBelow(6)) * blockBytes;
    const offset = block * blockBytes;
    const value = random.chance(0.3) ? 0 : 1 + random.integerBelow(255);
    if (value === 0) await world.ask({ command: command.writeZeroes, offset, length });
    else await world.ask({ command: command.write, offset, payload: Buffer.alloc(length, value) });
    expected.fill(value, offset, offset + length);
  }
  return { world, expected, content: new ViewContent(world.point, view.overlay as ViewOverlay) };
}

test.each([1, 2, 3])(
  "a view is read as whoever has its export reads it, and only zeros are holes (seed %s)",
  async (seed) => {
    const { expected, content } = await changedView(seed);
    const found = Buffer.alloc(sizeBytes, 0xff);
    for (let block = 0; block < blockCount; block += 32) {
      expect(await content.read(block, 32, found, block * blockBytes)).toEqual([]);
    }
    expect(found.equals(expected)).toBe(true);
    const runs = new ImageRuns();
    let holes = 0;
    await content.runsIn(0, blockCount, runs);
    expect(runs.endBlock).toBe(blockCount);
    for (let run = 0; run < runs.count; run++) {
      if (runs.kind(run) !== runKind.hole) continue;
      const at = runs.startBlock(run) * blockBytes;
      const bytes = expected.subarray(at, at + runs.blockCount(run) * blockBytes);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
      holes += runs.blockCount(run);
    }
    expect(holes).toBeGreaterThan(0);
  },
);

test("what is damaged is told, of the point as of what was written, and all else is read", async () => {
  const world = new ViewWorld(4, sizeBytes);
  const view = await world.open();
  await world.ask({ command: command.write, offset: 8 * blockBytes, payload: Buffer.alloc(3 * blockBytes, 7) });
  world.point.damaged.add(20);
  const [name = ""] = world.host.files.list("/view/segments").filter((one) => one.endsWith(".data"));
  const handle = world.host.files.open(`/view/segments/${name}`, "readWrite");
  handle.writeNow(Buffer.alloc(1, 1), 0, 1, blockBytes + 17);
  handle.close();
  const content = new ViewContent(world.point, view.overlay as ViewOverlay);
  const found = Buffer.alloc(32 * blockBytes);
  expect(await content.read(0, 32, found, 0)).toEqual([9, 20]);
  expect([found[8 * blockBytes], found[10 * blockBytes], found[11 * blockBytes]]).toEqual([7, 7, 12]);
});
