/** Jumps of the clock in pieces, of which only those pages are read in which time makes a step; and where nobody can read them. */
import { describe, expect, test } from "vitest";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { partType } from "#src/store/part.ts";
import { type JumpState, jumpedMicrosOf, jumpsBehind, noJumps } from "#src/synth/clock-jumps.ts";

const hour = 3600e6;
const minute = hour / 60;
const year = 365 * 24 * hour;
const name = "pieces/x";

interface Timed {
  readonly type: number;
  readonly timeMicros: number;
  readonly extra: Buffer;
}

function write(timeMicros: number): Timed {
  return { type: recordType.write, timeMicros, extra: Buffer.alloc(0) };
}

function clock(timeMicros: number): Timed {
  return { type: recordType.clock, timeMicros, extra: encodeExtra({ wallMicros: timeMicros }) };
}

/** A piece of such pages, and which of them were read. A page is told by the time of its last record. */
function pieceOf(pages: readonly (readonly Timed[])[], damaged: readonly number[] = []) {
  const read: number[] = [];
  const piece = {
    numbers: { earliestMicros: pages[0]?.[0]?.timeMicros },
    recordPageCount: pages.length,
    recordPagePlace: (page: number) => ({ timeMicros: pages[page]?.at(-1)?.timeMicros }),
    recordPage: async (page: number) => {
      read.push(page);
      const part = { type: partType.records, number: page, offset: 128, storedBytes: 64 };
      if (damaged.includes(page)) throw new ObjectDamageError(name, part, "its checksum does not fit");
      return { records: pages[page] };
    },
  };
  return { piece: piece as unknown as SealedPiece, read };
}

const quiet = [write(10 * hour), write(10 * hour + minute)];
const jump = [write(year), clock(year + minute)];
const jumpedMicros = year - (10 * hour + minute);

test("a page in which time makes no step is not read", async () => {
  const { piece, read } = pieceOf([quiet, [write(10.2 * hour)], [write(10.3 * hour)]]);
  expect(await jumpsBehind(piece, noJumps)).toEqual({ ...noJumps, lastMicros: 10.3 * hour });
  expect(read).toEqual([]);
});

test("one with a jump is, and what it was ahead by is known behind it, also over the end of a piece", async () => {
  const { piece, read } = pieceOf([quiet, jump, [write(year + 2 * minute)]]);
  expect(jumpedMicrosOf(await jumpsBehind(piece, noJumps))).toBe(jumpedMicros);
  expect(read).toEqual([1]);
  const before = await jumpsBehind(pieceOf([quiet]).piece, noJumps);
  const behind = await jumpsBehind(pieceOf([jump]).piece, before);
  expect([jumpedMicrosOf(behind), behind.open]).toEqual([jumpedMicros, undefined]);
});

test("a step at the end is open, and the next piece tells what it was", async () => {
  const open = await jumpsBehind(pieceOf([quiet, [write(year)]]).piece, noJumps);
  // As long as nobody knows, it counts.
  expect([open.jumpedMicros, jumpedMicrosOf(open)]).toEqual([0, jumpedMicros]);
  const told = pieceOf([[clock(year + minute)]]);
  expect(jumpedMicrosOf(await jumpsBehind(told.piece, open))).toBe(jumpedMicros);
  const idle = pieceOf([[write(year + 30 * minute)]]);
  expect(jumpedMicrosOf(await jumpsBehind(idle.piece, open))).toBe(0);
  // While it is open each page is read, however little it says.
  expect([told.read, idle.read]).toEqual([[0], [0]]);
});

describe("fault 18: what nobody can read counts as a jump, so that nothing is let go of too early", () => {
  test("a page that is damaged, up to its own time and no further", async () => {
    const { piece } = pieceOf([quiet, jump, [write(year + 10 * minute)]], [1]);
    const state = await jumpsBehind(piece, noJumps);
    expect(state).toEqual({
      jumpedMicros: jumpedMicros + minute,
      lastMicros: year + 10 * minute,
      open: undefined,
      isBlind: false,
    });
  });

  test("a damaged page behind an open step, with both", async () => {
    const later = 2 * year;
    const { piece } = pieceOf([quiet, [write(year)], [write(later)]], [2]);
    expect(jumpedMicrosOf(await jumpsBehind(piece, noJumps))).toBe(jumpedMicros + year);
  });

  test("all that lies before the next piece that can be read", async () => {
    const before: JumpState = { jumpedMicros: hour, lastMicros: 10 * hour, open: undefined, isBlind: true };
    const state = await jumpsBehind(pieceOf([[write(50 * hour), write(50.5 * hour)]]).piece, before);
    expect(state).toEqual({ jumpedMicros: 41 * hour, lastMicros: 50.5 * hour, open: undefined, isBlind: false });
  });

  test("of times that go back, or before the first record that is known, nothing", async () => {
    const blind = { ...noJumps, isBlind: true };
    expect(jumpedMicrosOf(await jumpsBehind(pieceOf([quiet]).piece, blind))).toBe(0);
    const late = { ...blind, lastMicros: 20 * hour };
    expect(jumpedMicrosOf(await jumpsBehind(pieceOf([quiet]).piece, late))).toBe(0);
  });

  test("but any other error is one", async () => {
    const { piece } = pieceOf([quiet, jump]);
    const broken = Object.assign(piece, { recordPage: () => Promise.reject(new Error("no descriptor")) });
    await expect(jumpsBehind(broken, noJumps)).rejects.toThrow("no descriptor");
  });
});
