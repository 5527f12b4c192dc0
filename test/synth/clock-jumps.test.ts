import { expect, test } from "vitest";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { jumpedMicrosOf, jumpsBehindRecord, noJumps } from "#src/synth/clock-jumps.ts";

const hour = 3600e6;
const year = 365 * 24 * hour;
const nothing = Buffer.alloc(0);

interface Timed {
  readonly type: number;
  readonly timeMicros: number;
  readonly extra: Buffer;
}

function write(timeMicros: number): Timed {
  return { type: recordType.write, timeMicros, extra: nothing };
}

function clock(timeMicros: number, wallMicros = timeMicros): Timed {
  return { type: recordType.clock, timeMicros, extra: encodeExtra({ wallMicros }) };
}

function stateBehind(...records: readonly Timed[]) {
  return records.reduce(jumpsBehindRecord, noJumps);
}

test("what a clock was put ahead by is what its record says that time did not pass", () => {
  const state = stateBehind(
    write(10 * hour),
    write(10 * hour + year),
    clock(10 * hour + year),
    write(10.5 * hour + year),
  );
  expect(jumpedMicrosOf(state)).toBe(year);
});

test("that nobody wrote for long is no jump, when what follows says nothing of the clock", () => {
  const idle = [write(10 * hour), write(50 * hour)];
  // The record may still come.
  expect(jumpedMicrosOf(stateBehind(...idle))).toBe(40 * hour);
  expect(jumpedMicrosOf(stateBehind(...idle, write(50.5 * hour)))).toBe(0);
});

test("a clock that was put back after nobody had written did not jump ahead", () => {
  expect(jumpedMicrosOf(stateBehind(write(10 * hour), write(50 * hour), clock(50 * hour, 3 * hour)))).toBe(0);
});

test("jumps add up, and one whose record tells no time counts", () => {
  const unreadable = { ...clock(year + hour), extra: nothing };
  const state = stateBehind(write(hour), write(year + hour), unreadable, write(3 * year), clock(3 * year));
  expect(jumpedMicrosOf(state)).toBe(3 * year - hour);
});
