/** A spool segment of each version, kept for ever: never changed, always read. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KiB } from "#src/core/limits.ts";
import { SpoolWorld, spoolFolder } from "./spool-world.ts";

const golden = readFileSync(new URL("../../golden/spool-segment-v1.bin", import.meta.url));
const options = { segmentBytes: 8 * KiB, limitBytes: 64 * KiB };

async function written(): Promise<SpoolWorld> {
  const world = new SpoolWorld(1, options);
  await world.open();
  world.append([1, 0]);
  await world.sync();
  world.beginEpoch(1000);
  world.append([0, 0, 0]);
  await world.sync();
  return world;
}

test("a spool segment, version 1, is written as ever", async () => {
  const world = await written();
  const handle = world.host.files.open(world.paths[0] as string, "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  expect(bytes).toEqual(golden);
});

test("a spool segment, version 1, is read as ever", async () => {
  const world = await written();
  world.host.kill();
  for (const path of world.paths) world.host.files.remove(path);
  const handle = world.host.files.create(`${spoolFolder}/00000001.segment`);
  handle.writeNow(golden, 0, golden.length, 0);
  await world.open({ knownDurableSeq: 1003 });
  expect(await world.read()).toEqual([1, 2, 1000, 1001, 1002, 1003]);
  expect([world.spool.lastEpoch, world.spool.lastTimeMicros]).toEqual([2, 1_001_000]);
});
