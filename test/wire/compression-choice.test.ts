import { expect, test } from "vitest";
import { compressAfterWaitMs, compressAgainAfterMs, compressWaitMsMin } from "#src/core/limits.ts";
import { CompressionChoice } from "#src/wire/compression-choice.ts";

test("nothing is compressed for a link that was never waited for", () => {
  const choice = new CompressionChoice();
  expect(choice.shouldTry(0)).toBe(false);
  choice.waited(compressWaitMsMin / 2, 10);
  expect(choice.shouldTry(10)).toBe(false);
});

test("it is tried for a while after each time the link was waited for", () => {
  const choice = new CompressionChoice();
  choice.waited(compressWaitMsMin, 100);
  expect([choice.shouldTry(100), choice.shouldTry(100 + compressAfterWaitMs)]).toEqual([true, true]);
  expect(choice.shouldTry(101 + compressAfterWaitMs)).toBe(false);
});

test.each([
  [800, true],
  [801, false],
])("of 1000 bytes that come to %i it is said whether they leave compressed: %s", (compressedBytes, isWorth) => {
  expect(new CompressionChoice().tried(1000, compressedBytes, 0)).toBe(isWorth);
});

test("what does not shrink is left alone, and looked at again later", () => {
  const choice = new CompressionChoice();
  choice.waited(10, 0);
  choice.tried(1000, 1000, 5);
  expect(choice.shouldTry(6)).toBe(false);
  choice.waited(10, 5 + compressAgainAfterMs);
  expect(choice.shouldTry(5 + compressAgainAfterMs)).toBe(true);
});

test("one piece that does not shrink among many that do changes nothing", () => {
  const choice = new CompressionChoice();
  choice.waited(10, 0);
  for (let count = 0; count < 5; count++) choice.tried(1000, 400, 0);
  expect(choice.tried(1000, 1000, 0)).toBe(false);
  expect(choice.shouldTry(1)).toBe(true);
});
