import { expect, test } from "vitest";
import { changesSince } from "#src/control/restore-live.ts";
import { hasPayload } from "#src/records/record.ts";
import type { BlockRange } from "#src/synth/block-difference.ts";
import { listOf } from "#test/journals/sealed-pieces.ts";
import { PointWorld } from "#test/synth/point-world.ts";

function holds(ranges: readonly BlockRange[], block: number): boolean {
  return ranges.some(({ fromBlock, toBlock }) => block >= fromBlock && block < toBlock);
}

test("what is to be restored onto a volume is asked anew each time, so that nothing behind the mark is left out", async () => {
  const world = await PointWorld.make(3);
  world.write(20);
  const point = world.pointSeqs.at(-1) as number;
  world.write(10);
  await world.open();
  const volume = 1;
  const changes = () => world.run(listOf(changesSince(async () => world.points, volume, point)));
  const before = await changes();
  const mark = world.lastSeq;
  world.write(40);
  const after = await changes();
  const later = world.records.filter(
    (one) => one.seq > mark && one.seq <= world.points.newestSeq && one.volume === volume && hasPayload(one.type),
  );
  expect(later.some(({ startBlock }) => !holds(before, startBlock))).toBe(true);
  for (const { startBlock } of later) expect(holds(after, startBlock)).toBe(true);
  for (const { fromBlock } of before) expect(holds(after, fromBlock)).toBe(true);
});
