/** What a terminal shows while a snapshot is waited for. */
import { expect, test } from "vitest";
import { sealingLine } from "#src/cli/snapshot-order.ts";

const first = { seq: 1000, storedSeq: 200, unsealedBytes: 4096 };

test("how much of what it needs is sealed is shown, whatever has come since", () => {
  const line = sealingLine(first, { ...first, storedSeq: 600, unsealedBytes: 2 ** 30 }, 80);
  expect(line).toBe("[############------------] seals what it needs: 50 %, 400 of 800 records");
});

test("why it does not get on is said, and when all is sealed what comes then", () => {
  expect(sealingLine(first, { ...first, why: "the disk is full" }, 80)).toContain("waits (the disk is full): 0 %");
  expect(sealingLine(first, { ...first, storedSeq: 1000 }, 80)).toBe("makes snapshot 1000");
});
