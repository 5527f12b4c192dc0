import { expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import type { BlockRange } from "#src/synth/block-difference.ts";
import { RestoreChanges } from "#src/synth/restore-changes.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { PlainImage, PlainTarget } from "./restore-world.ts";
import { idleControl } from "./snapshot-world.ts";

const sizeBytes = 6 * MiB + blockBytes;

/** The target is the point with some blocks overwritten since, some of them with what they held. */
function changed(seed: number) {
  const image = new PlainImage(seed, sizeBytes);
  const target = new PlainTarget(sizeBytes);
  image.content.copy(target.content);
  const random = new SeededRandom(seed);
  const ranges: BlockRange[] = [];
  for (let block = random.integerBelow(50); block < image.blockCount - 40; block += 40 + random.integerBelow(400)) {
    const count = 1 + random.integerBelow(39);
    ranges.push({ fromBlock: block, toBlock: block + count });
    if (random.chance(0.3)) continue;
    for (let at = block; at < block + count; at += 2) random.bytes(blockBytes).copy(target.content, at * blockBytes);
  }
  const differing = Array.from({ length: image.blockCount }, (_, block) => block).filter((block) => {
    const [start, end] = [block * blockBytes, (block + 1) * blockBytes];
    return !image.content.subarray(start, end).equals(target.content.subarray(start, end));
  });
  async function* told() {
    yield* ranges;
  }
  return { image, target, differing, order: { image, target, ranges: told, control: idleControl } };
}

test("only blocks that are not as they should be are written, and then all is as it was", async () => {
  for (const seed of [1, 2, 3]) {
    const { image, target, differing, order } = changed(seed);
    const { figures, findings } = await new RestoreChanges(order).run();
    expect(findings).toEqual([]);
    expect(target.content.equals(image.content)).toBe(true);
    expect(figures.writtenBytes + figures.zeroBytes).toBe(differing.length * blockBytes);
    expect(target.writtenBytes).toBe(figures.writtenBytes);
    const again = await new RestoreChanges(order).run();
    expect(again.figures).toMatchObject({ writtenBytes: 0, zeroBytes: 0 });
  }
});

test("what cannot be read of the point stays as it is, and is told", async () => {
  const { image, target, differing, order } = changed(4);
  const block = differing[3] as number;
  const before = Buffer.from(target.content.subarray(block * blockBytes, (block + 1) * blockBytes));
  image.damaged.add(block);
  const { figures, findings } = await new RestoreChanges(order).run();
  expect(findings).toHaveLength(1);
  expect(figures.damagedBytes).toBe(blockBytes);
  expect(target.content.subarray(block * blockBytes, (block + 1) * blockBytes).equals(before)).toBe(true);
});

test("whoever else writes to the target meanwhile is found out", async () => {
  const { target, order, differing } = changed(5);
  const sync = target.sync.bind(target);
  target.sync = async () => {
    target.content.fill(0x77, (differing[0] as number) * blockBytes, ((differing[0] as number) + 1) * blockBytes);
    await sync();
  };
  const { findings } = await new RestoreChanges(order).run();
  expect(findings).toEqual([`${blockBytes} bytes of the target are not what was written: somebody else writes to it`]);
});

test("whoever wrote elsewhere meanwhile is found out, since the second look is at what was written by then", async () => {
  const { target, order } = changed(6);
  const block = 2;
  let looks = 0;
  async function* ranges() {
    if (looks++ > 0) yield { fromBlock: block, toBlock: block + 1 };
    yield* order.ranges();
  }
  target.content.fill(0x77, block * blockBytes, (block + 1) * blockBytes);
  const { findings } = await new RestoreChanges({ ...order, ranges }).run();
  expect(findings).toEqual([`${blockBytes} bytes of the target are not what was written: somebody else writes to it`]);
});
