import { expect, test } from "vitest";
import { tracedLives } from "#src/control/trace.ts";
import { recordType } from "#src/records/record.ts";
import { Simulation } from "#test/sim/simulation.ts";

const nothing = { acknowledgedMicros: 0, writtenMicros: 0, repliedMicros: 0 };
const { clock } = new Simulation(1).host("a");
clock.elapse(10);

test("a life has the steps of both, counted from the write's arrival", () => {
  const written = {
    ordinal: 7,
    type: recordType.write,
    offsetBytes: 4096,
    lengthBytes: 512,
    arrivedMicros: 4_000,
    acknowledgedMicros: 4_050,
    writtenMicros: 4_060,
    repliedMicros: 4_070,
  };
  const shipped = { volume: 1, ordinal: 7, seq: 70, receivedAtMs: 4.5, durableAtMs: 6, storedAtMs: undefined };
  const [life] = tracedLives([written], [shipped, { ...shipped, ordinal: 8 }], clock);
  expect(life).toMatchObject({ ordinal: 7, seq: 70, kind: "write", offsetBytes: 4096, lengthBytes: 512 });
  expect(life?.steps).toEqual({ acknowledged: 50, sourceWritten: 60, replied: 70, received: 500, durable: 2000 });
  expect(life?.atWallMs).toBe(clock.wallMs() - 6);
});

test("what has not come yet is not there, and what is no change of a host's is left out", () => {
  const trim = { ordinal: 1, type: recordType.trim, offsetBytes: 0, lengthBytes: 1, arrivedMicros: 1, ...nothing };
  const [life, ...more] = tracedLives([trim, { ...trim, type: recordType.resyncBegin }], [], clock);
  expect([life?.kind, life?.steps, life?.seq, more]).toEqual(["trim", {}, undefined, []]);
});
