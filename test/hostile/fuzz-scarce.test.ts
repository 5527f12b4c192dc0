import { expect, test } from "vitest";
import { Fuzzer } from "./fuzz.ts";

test("fault 37: where others hold nearly all memory, sessions wait or go on, and are answered the same", async () => {
  const fuzzer = await Fuzzer.create(2, { scarce: true });
  fuzzer.run(0, 150);
  expect(fuzzer.requestCount).toBeGreaterThan(300);
});
