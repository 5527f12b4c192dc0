/** A million sessions. What it says about speed is for people; the test is about the sessions. */
import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { Fuzzer } from "./fuzz.ts";

const sessionCount = shareOf(1_000_000);
const sessionsPerFuzzer = 100_000;

test("faults 30 and 31: a million spoiled sessions are answered as the model says, and leave nothing behind", {
  timeout: 1_200_000,
}, async () => {
  const seeds = new SeededRandom(2026);
  const beganMs = performance.now();
  let requestCount = 0;
  for (let done = 0; done < sessionCount; done += sessionsPerFuzzer) {
    const fuzzer = await Fuzzer.create(seeds.integerBelow(2 ** 32));
    fuzzer.run(0, sessionsPerFuzzer);
    requestCount += fuzzer.requestCount;
  }
  const seconds = (performance.now() - beganMs) / 1000;
  console.info(
    `${sessionCount} sessions with ${requestCount} requests in ${seconds.toFixed(0)} s, ` +
      `${(sessionCount / seconds).toFixed(0)} sessions/s`,
  );
  expect(requestCount).toBeGreaterThan(sessionCount);
});
