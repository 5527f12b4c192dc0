/** Where the batch behind a record lies, also of records so old that the index has forgotten all but a few of them. */
import { expect, test } from "vitest";
import { KiB, spoolIndexRecentCount, spoolIndexStepBytesMin } from "#src/core/limits.ts";
import { range, SpoolWorld } from "./spool-world.ts";

const options = { segmentBytes: 256 * KiB, limitBytes: 64 * 256 * KiB };
const batchCount = spoolIndexRecentCount + 4000;

test("what the index has forgotten is found by going through the spool, batch by batch, also after a start", async () => {
  const world = new SpoolWorld(3, options);
  await world.open();
  /** By the last seq before each batch; asked for while it is known exactly. */
  const positions: number[] = [];
  for (let count = 0; count < batchCount; count++) {
    const { lastSeq } = world.spool;
    world.append([0, 0]);
    positions[lastSeq] = world.spool.positionAfter(lastSeq);
  }
  const forgotten = 2 * (batchCount - spoolIndexRecentCount);
  // There is more than one place in it from which to go on looking, and more than one file.
  expect(positions[forgotten]).toBeGreaterThan(2 * spoolIndexStepBytesMin);
  const asked = range(0, 60).map((draw) => (draw < 30 ? draw : world.random.integerBelow(forgotten)));
  const wrong = () =>
    // Where the record is in the middle of a batch, what follows it is in the same one.
    asked.filter((seq) => world.spool.positionAfter(seq) !== positions[seq - (seq % 2)]);
  expect(wrong()).toEqual([]);
  expect(world.spool.positionAfter(2 * batchCount)).toBe(world.spool.endPosition);
  world.host.kill();
  await world.open();
  expect(wrong()).toEqual([]);
  expect(await world.read(forgotten - 5)).toEqual(range(forgotten - 4, 2 * batchCount));
});
