/** A short run of the fuzzer; `fuzz.long.test.ts` is the long one. */
import { expect, test } from "vitest";
import { Fuzzer } from "./fuzz.ts";

test("faults 30 and 31: ten thousand spoiled sessions are answered as the model says, and leave nothing behind", async () => {
  const fuzzer = await Fuzzer.create(1);
  fuzzer.run(0, 10_000);
  expect(fuzzer.sessionCount).toBeGreaterThan(10_000);
  expect(fuzzer.requestCount).toBeGreaterThan(20_000);
});
