import { expect, test } from "vitest";
import { startBench } from "./appliance-bench.ts";

test("what follows a switch is shipped the new way, also where the switch had to wait for room", async () => {
  const it = await startBench("aggregated");
  it.write(5, 1);
  it.link.commit();
  await it.rest(2000);
  it.remote.markAll(it.figures.lastSeq);
  it.host.disk.faults.capacityBytes = 0;
  it.appliance.setMode("g", "async");
  expect(it.figures.state).toBe("stalled");
  it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  // The switch gets its place, and nobody has looked after it yet.
  await it.simulation.clock.pass(60_000, () => it.figures.state !== "stalled");
  it.write(6, 1);
  it.link.commit();
  await it.rest(2000);
  expect(it.shippedTypes.slice(-2)).toEqual(["mode", "write"]);
});

test("what was asked for and waited for room does not come behind auto, which was asked for after it", async () => {
  const it = await startBench("async");
  it.host.disk.faults.capacityBytes = 0;
  while (it.figures.state !== "stalled") {
    it.write(5, 1);
    it.link.commit();
  }
  it.appliance.setMode("g", "aggregated");
  it.appliance.setMode("g", "auto");
  it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  await it.simulation.clock.pass(60_000, () => it.figures.state !== "stalled");
  await it.rest(2000);
  expect(it.figures).toMatchObject({ mode: "async", wantedMode: "auto" });
});

test("for a remote that was made anew from its store, records of before a switch are points again", async () => {
  const it = await startBench("async");
  for (const block of [5, 6]) {
    it.write(block, 1);
    it.link.commit();
  }
  await it.rest();
  const { lastSeq } = it.figures;
  it.appliance.setMode("g", "aggregated");
  it.write(7, 1);
  it.link.commit();
  await it.rest(2000);
  // All of it is let go of, and the spool still has it, since a segment goes as a whole.
  it.link.reportDurable(it.link.lastOrdinal);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest();
  it.remote.go();
  it.remote.aggregates.splice(0);
  const back = lastSeq - 2;
  it.remote.come({ received: back, durable: back, stored: back, bootId: "anew" });
  await it.rest(2000);
  expect(it.shippedTypes.slice(-3)).toEqual(["write", "write", "mode"]);
  expect(it.remote.aggregates).toEqual([[lastSeq + 2, lastSeq + 2]]);
});
