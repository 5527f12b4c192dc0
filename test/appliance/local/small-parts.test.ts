import { expect, test } from "vitest";
import { Acknowledgements } from "#src/appliance/local/acknowledgements.ts";
import { FlushWaits } from "#src/appliance/local/flush-waits.ts";
import { OrdinalMap } from "#src/appliance/local/ordinal-map.ts";
import { RecordClock } from "#src/appliance/local/record-clock.ts";

function told() {
  const ordinals: number[] = [];
  return { ordinals, to: { acknowledged: (ordinal: number) => ordinals.push(ordinal) } };
}

test("what needs the remote is acknowledged when the remote has received all of it", () => {
  const { ordinals, to } = told();
  const acknowledgements = new Acknowledgements();
  acknowledgements.add(10, true, [{ to, ordinal: 1 }]);
  acknowledgements.add(20, true, [{ to, ordinal: 2 }]);
  acknowledgements.received(19);
  expect(ordinals).toEqual([1]);
  acknowledgements.received(20);
  expect(ordinals).toEqual([1, 2]);
});

test("what needs nothing still waits for those ahead of it", () => {
  const { ordinals, to } = told();
  const acknowledgements = new Acknowledgements();
  acknowledgements.add(10, true, [{ to, ordinal: 1 }]);
  acknowledgements.add(20, false, [{ to, ordinal: 2 }]);
  expect(ordinals).toEqual([]);
  acknowledgements.received(10);
  expect(ordinals).toEqual([1, 2]);
});

test("a remote that came back with less is not taken at its earlier word", () => {
  const { ordinals, to } = told();
  const acknowledgements = new Acknowledgements();
  acknowledgements.received(30);
  acknowledgements.received(5);
  acknowledgements.add(10, true, [{ to, ordinal: 1 }]);
  expect(ordinals).toEqual([]);
});

test("releasing all acknowledges in order, also what is added by those who are told", () => {
  const acknowledgements = new Acknowledgements();
  const ordinals: number[] = [];
  const to = {
    acknowledged: (ordinal: number) => {
      ordinals.push(ordinal);
      if (ordinal === 1) acknowledgements.add(30, false, [{ to, ordinal: 3 }]);
    },
  };
  acknowledgements.add(10, true, [{ to, ordinal: 1 }]);
  acknowledgements.add(20, true, [{ to, ordinal: 2 }]);
  acknowledgements.releaseAll();
  expect(ordinals).toEqual([1, 2, 3]);
  expect(acknowledgements.isEmpty).toBe(true);
});

function flushes() {
  const waits = new FlushWaits();
  const done: string[] = [];
  const wait = (name: string, seq: number, needsRemote: boolean): void =>
    waits.add(seq, needsRemote, (error, neededRemote) => {
      done.push(error === null ? `${name}${neededRemote ? " at both" : ""}` : `${name}: ${error.message}`);
    });
  return { waits, done, wait };
}

test("a flush is done when the spool is durable up to it", () => {
  const { waits, done, wait } = flushes();
  wait("a", 10, false);
  waits.spoolDurable(9);
  expect(done).toEqual([]);
  waits.spoolDurable(10);
  expect(done).toEqual(["a"]);
});

test("a flush in sync needs the remote as well", () => {
  const { waits, done, wait } = flushes();
  wait("a", 10, true);
  waits.spoolDurable(10);
  waits.remoteDurable(9);
  expect(done).toEqual([]);
  expect(waits.remoteSeqWanted).toBe(10);
  waits.remoteDurable(10);
  expect(done).toEqual(["a at both"]);
  expect(waits.remoteSeqWanted).toBe(0);
});

test("after sync was left, flushes wait for the spool alone", () => {
  const { waits, done, wait } = flushes();
  wait("a", 10, true);
  wait("b", 20, true);
  waits.spoolDurable(10);
  waits.releaseRemote();
  expect(done).toEqual(["a"]);
});

test("when the group fails all flushes fail, once", () => {
  const { waits, done, wait } = flushes();
  wait("a", 10, true);
  waits.failAll(new Error("gone"));
  waits.spoolDurable(10);
  waits.remoteDurable(10);
  expect(done).toEqual(["a: gone"]);
});

test("the spool may be released up to the last record that the source has durably", () => {
  const ordinals = new OrdinalMap();
  ordinals.add(5, 50);
  ordinals.add(9, 90);
  expect(ordinals.releasableSeq(100)).toBe(0);
  ordinals.reportDurable(8);
  expect(ordinals.releasableSeq(100)).toBe(50);
  ordinals.reportDurable(9);
  expect(ordinals.releasableSeq(100)).toBe(100);
});

test("what is known of ordinals stays small, and never says too much", () => {
  const ordinals = new OrdinalMap();
  for (let ordinal = 1; ordinal <= 100_000; ordinal++) ordinals.add(ordinal, ordinal * 10);
  for (const durable of [1, 777, 50_000, 99_998]) {
    ordinals.reportDurable(durable);
    expect(ordinals.releasableSeq(2e6)).toBeLessThanOrEqual(durable * 10);
  }
  expect(ordinals.releasableSeq(2e6)).toBeGreaterThan(900_000);
});

test("what the remote has of a volume is told as its highest ordinal, and never goes back", () => {
  const ordinals = new OrdinalMap();
  ordinals.add(5, 50);
  ordinals.add(9, 90);
  expect(ordinals.remoteOrdinal).toBe(0);
  ordinals.remoteDurable(89);
  expect(ordinals.remoteOrdinal).toBe(5);
  ordinals.reportDurable(9);
  ordinals.remoteDurable(90);
  expect(ordinals.remoteOrdinal).toBe(9);
  ordinals.add(12, 120);
  ordinals.remoteDurable(50);
  expect(ordinals.remoteOrdinal).toBe(9);
});

test("what is in the spool no more is stored at the remote", () => {
  const ordinals = new OrdinalMap();
  ordinals.skipTo(7);
  expect([ordinals.lastOrdinal, ordinals.remoteOrdinal]).toEqual([7, 7]);
});

test("fault 28: times follow the clock, never go back, and a jump is noticed", () => {
  const clock = new RecordClock(0);
  expect(clock.next(10_000, 500)).toBe(10_000_000);
  expect(clock.next(10_000.25, 500.25)).toBe(10_000_250);
  expect(clock.takeJump()).toBeUndefined();
  expect(clock.next(8000, 500.25)).toBe(10_000_250);
  expect(clock.takeJump()).toBe(8_000_000);
  expect(clock.takeJump()).toBeUndefined();
  expect(clock.next(90_000, 502)).toBe(90_000_000);
  expect(clock.takeJump()).toBe(90_000_000);
});

test("fault 28: behind a clock that was put back, time goes on, more slowly, until the clock has caught up", () => {
  const clock = new RecordClock(0);
  clock.next(10_000, 0);
  expect(clock.next(8000, 0)).toBe(10_000_000);
  expect(clock.next(9000, 1000)).toBe(10_500_000);
  expect(clock.next(12_000, 4000)).toBe(12_000_000);
});

test("fault 28: a clock that is kept right in small steps does not count as jumping", () => {
  const clock = new RecordClock(0);
  for (let step = 0; step < 100; step++) clock.next(1000 + step * 10.5, step * 10);
  expect(clock.takeJump()).toBeUndefined();
});
