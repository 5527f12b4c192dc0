import { expect, test } from "vitest";
import { oneIn, shareOf } from "#test/long-share.ts";
import { agedHistory, foldedUntilEnded } from "./ageing-world.ts";

const minutes = 60_000;

test("histories that are folded beside all else keep each point that they offer", {
  timeout: 20 * minutes,
}, async () => {
  const count = shareOf(30);
  for (let seed = 2; seed < 2 + count; seed++) await agedHistory(seed);
});

for (const end of ["killed", "without power"] as const) {
  test(`fault 7: whoever folds may be ${end} at each call to the disk`, async () => {
    expect(await foldedUntilEnded(end, oneIn)).toBeGreaterThan(40 / oneIn - 1);
  });
}
