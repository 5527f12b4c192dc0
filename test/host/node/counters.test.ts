import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { counterStepMax } from "#src/core/limits.ts";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";

test("numbers begin at 0 and are read by their names", () => {
  const counters = countersOver(shareCounters(["reads_total", "writes_total"], ["connections"]));
  counters.counter("writes_total").add(3);
  counters.counter("writes_total").add(0);
  counters.gauge("connections").raise(5);
  counters.gauge("connections").lower(2);
  expect(counters.read()).toEqual({ reads_total: 0, writes_total: 3, connections: 3 });
});

test("a counter goes on beyond 32 bits without a wrong number on the way", () => {
  const counters = countersOver(shareCounters(["a", "bytes_total", "z"], []));
  const bytes = counters.counter("bytes_total");
  const step = counterStepMax - 1;
  for (let count = 1; count <= 300; count++) {
    bytes.add(step);
    expect(counters.read()).toEqual({ a: 0, bytes_total: count * step, z: 0 });
  }
  expect(300 * step).toBeGreaterThan(4 * 2 ** 32);
});

test("a carry falls exactly on the line", () => {
  const counters = countersOver(shareCounters(["bytes_total"], []));
  const bytes = counters.counter("bytes_total");
  const read = (): unknown => counters.read().bytes_total;
  for (let total = 0; total < 2 ** 31 - counterStepMax; total += counterStepMax) bytes.add(counterStepMax);
  bytes.add(counterStepMax - 1);
  expect(read()).toBe(2 ** 31 - 1);
  bytes.add(1);
  expect(read()).toBe(2 ** 31);
  for (let added = 0; added < 2 ** 32; added += counterStepMax) bytes.add(counterStepMax);
  expect(read()).toBe(2 ** 31 + 2 ** 32);
});

test("a gauge is exact when what went up and down is beyond 32 bits", () => {
  const counters = countersOver(shareCounters([], ["bytes_in_flight"]));
  const gauge = counters.gauge("bytes_in_flight");
  for (let count = 0; count < 200; count++) {
    gauge.raise(counterStepMax);
    if (count >= 2) gauge.lower(counterStepMax);
  }
  expect(counters.read().bytes_in_flight).toBe(2 * counterStepMax);
});

test("a step that is none is a mistake", () => {
  const counter = countersOver(shareCounters(["a"], [])).counter("a");
  for (const amount of [-1, counterStepMax + 1, Number.NaN]) expect(() => counter.add(amount)).toThrow(AssertionError);
});

test("a name must have been declared, as what it is, and once", () => {
  const counters = countersOver(shareCounters(["a"], ["b"]));
  expect(() => counters.counter("b")).toThrow("b was not declared");
  expect(() => counters.gauge("a")).toThrow("a was not declared");
  expect(() => shareCounters(["a"], ["a"])).toThrow("a name is given once");
});

test("threads that add at the same time lose nothing, and no reader sees a number go back", async () => {
  const shared = shareCounters(["bytes_total"], []);
  const step = counterStepMax - 1;
  const addsPerThread = 60_000;
  const script = `
    import { workerData } from "node:worker_threads";
    const { countersOver } = await import(workerData.module);
    const counter = countersOver(workerData.shared).counter("bytes_total");
    for (let count = 0; count < workerData.adds; count++) counter.add(workerData.step);`;
  const module = new URL("../../../src/host/node/counters.ts", import.meta.url).href;
  const workerData = { module, shared, adds: addsPerThread, step };
  const address = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  const workers = [0, 1].map(() => new Worker(address, { workerData }));
  let runningCount = workers.length;
  const exits = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
  for (const exit of exits) void exit.then(() => runningCount--);
  const counters = countersOver(shared);
  let before = 0;
  while (runningCount > 0) {
    for (let count = 0; count < 1000; count++) {
      const now = counters.read().bytes_total as number;
      if (now < before) expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  expect(await Promise.all(exits)).toEqual([0, 0]);
  expect(counters.read().bytes_total).toBe(2 * addsPerThread * step);
});
