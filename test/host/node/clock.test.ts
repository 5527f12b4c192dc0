import { expect, test } from "vitest";
import { nodeClock } from "#src/host/node/clock.ts";
import { startProcess } from "#src/host/node/process.ts";
import { startThread } from "#src/host/node/thread.ts";
import { describeClockContract } from "#test/contract/clock.ts";
import { realDriver } from "#test/contract/driver.ts";

const telling = new URL("./telling-thread.ts", import.meta.url);

test.each([
  ["thread", () => startThread(telling, "telling", {})],
  ["process", () => startProcess(telling, {})],
] as const)("another %s of the host has the same time of the host", async (_, start) => {
  const thread = start();
  const ask = async (): Promise<number> => {
    const told = new Promise((resolve) => thread.receive(resolve));
    thread.send("now");
    return (await told) as number;
  };
  await ask();
  const before = nodeClock.hostMs();
  const there = await ask();
  const after = nodeClock.hostMs();
  expect(there).toBeGreaterThanOrEqual(before);
  expect(there).toBeLessThanOrEqual(after);
  thread.end();
});

describeClockContract("the machine's clock", () => ({ clock: nodeClock, driver: realDriver }));
