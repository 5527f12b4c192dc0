import { describe, expect, test } from "vitest";
import { bandwidthBurstMs } from "#src/core/limits.ts";
import { type BandwidthPolicy, bandwidthAt, TokenBucket } from "#src/wire/bandwidth.ts";
import { BandwidthGate } from "#src/wire/bandwidth-gate.ts";
import { Simulation } from "#test/sim/simulation.ts";

const unlimited = Number.POSITIVE_INFINITY;

describe("the hours of the day", () => {
  const policy: BandwidthPolicy = {
    bytesPerSecond: 1,
    hours: [
      { fromMinute: 480, toMinute: 1080, bytesPerSecond: 2 },
      { fromMinute: 1320, toMinute: 360, bytesPerSecond: unlimited },
      { fromMinute: 0, toMinute: 700, bytesPerSecond: 3 },
    ],
  };

  test.each([
    [479, 3],
    [480, 2],
    [1079, 2],
    [1080, 1],
    [1319, 1],
    [1320, unlimited],
    [1439, unlimited],
    [0, unlimited],
    [359, unlimited],
    [360, 3],
  ])("at minute %i the limit is %d", (minute, bytesPerSecond) => {
    expect(bandwidthAt(policy, minute)).toBe(bytesPerSecond);
  });

  test("that end where they begin are all of the day", () => {
    const hours = [{ fromMinute: 60, toMinute: 60, bytesPerSecond: 5 }];
    expect([0, 60, 1439].map((minute) => bandwidthAt({ bytesPerSecond: 1, hours }, minute))).toEqual([5, 5, 5]);
  });
});

describe("the bucket", () => {
  test("is overdrawn by one piece, and then made up for", () => {
    const bucket = new TokenBucket(0);
    expect(bucket.waitMs(0, 1000)).toBe(0);
    bucket.take(5000);
    expect([bucket.waitMs(0, 1000), bucket.waitMs(2000, 1000), bucket.waitMs(5000, 1000)]).toEqual([5000, 3000, 0]);
  });

  test("saves up no more than a moment's worth", () => {
    const bucket = new TokenBucket(0);
    bucket.waitMs(1e9, 1000);
    bucket.take(bandwidthBurstMs + 1000);
    expect(bucket.waitMs(1e9, 1000)).toBe(1000);
  });

  test("without a limit forgets what it lacked", () => {
    const bucket = new TokenBucket(0);
    bucket.take(1e9);
    expect([bucket.waitMs(0, unlimited), bucket.waitMs(1, 1000)]).toEqual([0, 0]);
  });
});

describe("the gate", () => {
  /** Sends pieces for as long as it is let, and counts them by name. */
  function sender(gate: BandwidthGate, name: string, sent: string[], pieceBytes = 1000) {
    const send = (): void => {
      while (gate.mayPass(send)) {
        gate.sent(pieceBytes);
        sent.push(name);
      }
    };
    return send;
  }

  test("lets through what the limit allows, over time", () => {
    const simulation = new Simulation(1);
    const { clock } = simulation.host("a");
    const gate = new BandwidthGate({ bytesPerSecond: 10_000, hours: [] }, clock, () => 0);
    const sent: string[] = [];
    sender(gate, "a", sent)();
    simulation.clock.advance(60_000);
    expect(sent.length).toBeGreaterThanOrEqual(595);
    expect(sent.length).toBeLessThanOrEqual(605);
  });

  test("gives turns to all who wait, in their order", () => {
    const simulation = new Simulation(1);
    const { clock } = simulation.host("a");
    const gate = new BandwidthGate({ bytesPerSecond: 10_000, hours: [] }, clock, () => 0);
    const sent: string[] = [];
    for (const name of ["a", "b", "c"]) sender(gate, name, sent, 5000)();
    simulation.clock.advance(60_000);
    const counts = ["a", "b", "c"].map((name) => sent.filter((one) => one === name).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    expect(counts[0]).toBeGreaterThan(30);
  });

  test("sees that another hour has begun", () => {
    const simulation = new Simulation(1);
    const { clock } = simulation.host("a");
    let minute = 0;
    const hours = [{ fromMinute: 0, toMinute: 1, bytesPerSecond: 1 }];
    const gate = new BandwidthGate({ bytesPerSecond: unlimited, hours }, clock, () => minute);
    gate.sent(1e6);
    let isCalled = false;
    const mayPass = gate.mayPass(() => {
      isCalled = true;
    });
    expect(mayPass).toBe(false);
    simulation.clock.advance(10_000);
    expect(isCalled).toBe(false);
    minute = 1;
    simulation.clock.advance(2_000);
    expect(isCalled).toBe(true);
  });

  test("does not call who has gone", () => {
    const simulation = new Simulation(1);
    const { clock } = simulation.host("a");
    const gate = new BandwidthGate({ bytesPerSecond: 1000, hours: [] }, clock, () => 0);
    gate.sent(1000);
    let isCalled = false;
    const waiter = () => {
      isCalled = true;
    };
    gate.mayPass(waiter);
    gate.forget(waiter);
    simulation.clock.advance(10_000);
    expect(isCalled).toBe(false);
  });
});
