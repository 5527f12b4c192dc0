/** Help to seal that is begun when it is wanted. */
import { expect, test } from "vitest";
import { plainFingerprints } from "#src/host/fingerprint.ts";
import { LateHelpers } from "#src/store/late-helpers.ts";
import { ownHelpers } from "#src/store/seal-helpers.ts";

test("help is begun by the first who wants it, once, and does what it is asked", async () => {
  let begunCount = 0;
  const late = new LateHelpers(() => {
    begunCount++;
    return ownHelpers(plainFingerprints);
  });
  expect(begunCount).toBe(0);
  const batch = late.takeBatch();
  expect([begunCount, batch.frameCount, late.aheadCount]).toEqual([1, 0, 1]);
  await late.pack(batch);
  late.giveBatch(batch);
  expect([late.takeBatch() === batch, begunCount]).toEqual([true, 1]);
});
