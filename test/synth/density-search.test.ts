import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { pointListMs } from "#src/core/point-limits.ts";
import { hasPayload, recordType } from "#src/records/record.ts";
import type { PlainRecord } from "#test/journals/random-units.ts";
import { PointWorld } from "./point-world.ts";

const bucketCount = 50;
const writes: readonly number[] = [recordType.write, recordType.trim, recordType.zero];

async function written(seed: number, shares: readonly ("sealed" | "open")[]): Promise<PointWorld> {
  const world = await PointWorld.make(seed);
  for (const share of shares) {
    world.write(150);
    if (share === "sealed") await world.seal();
  }
  await world.open();
  await world.pass(pointListMs + 1);
  return world;
}

function isOf(volume: number): (record: PlainRecord) => boolean {
  return (record) => record.volume === volume && record.blockCount > 0 && writes.includes(record.type);
}

for (const shares of [["open"], ["sealed"], ["sealed", "sealed", "open"]] as const) {
  test(`every write of a volume is counted where it was made: ${shares.join(", ")}`, async () => {
    const world = await written(7, shares);
    const own = world.records.filter(isOf(1));
    const times = world.records.map(({ timeMicros }) => timeMicros);
    const [fromMicros, toMicros] = [Math.min(...times), Math.max(...times) + 1];
    const found = await world.run(world.points.density(1, { fromMicros, toMicros, bucketCount }));
    const bytes = own.reduce((all, { type, blockCount }) => all + (hasPayload(type) ? blockCount * blockBytes : 0), 0);
    expect(own.length).toBeGreaterThan(50);
    expect(found.writes.reduce((all, one) => all + one, 0)).toBe(own.length);
    expect(found.bytes.reduce((all, one) => all + one, 0)).toBe(bytes);
    expect(Math.max(...found.lastSeqs)).toBe(own.at(-1)?.seq);
    expect(found.isEstimated).toBe(false);
  });
}

test("what lies before or behind the span is not counted", async () => {
  const world = await written(8, ["sealed", "open"]);
  const times = world.records.map(({ timeMicros }) => timeMicros);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const fromMicros = Math.round(first + (last - first) / 3);
  const toMicros = Math.round(first + (2 * (last - first)) / 3);
  const own = world.records.filter(isOf(1)).filter(({ timeMicros: at }) => at >= fromMicros && at < toMicros);
  const found = await world.run(world.points.density(1, { fromMicros, toMicros, bucketCount }));
  expect(found.writes.reduce((all, one) => all + one, 0)).toBe(own.length);
});
