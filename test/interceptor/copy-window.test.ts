import { expect, test } from "vitest";
import { copyAheadBytesMax, copyPressureMax, MiB } from "#src/core/limits.ts";
import { CopyWindow } from "#src/interceptor/copy-window.ts";

/** As much as may be, a MiB at a time, with the ordinals from 1 on. */
function full(link: { remoteOrdinal: number; pressure: number }): CopyWindow {
  const window = new CopyWindow();
  for (let ordinal = 1; ordinal <= copyAheadBytesMax / MiB; ordinal++) {
    expect(window.isFull(link)).toBe(false);
    window.added(link, ordinal, MiB);
  }
  return window;
}

test("the copy waits when so much is not durable at the remote, and goes on with each piece that is", () => {
  const link = { remoteOrdinal: 0, pressure: 0 };
  const window = full(link);
  expect(window.isFull(link)).toBe(true);
  link.remoteOrdinal = 1;
  expect(window.isFull(link)).toBe(false);
  window.added(link, 1000, MiB);
  expect(window.isFull(link)).toBe(true);
});

test("what brings no payload is not counted", () => {
  const link = { remoteOrdinal: 0, pressure: 0 };
  const window = new CopyWindow();
  for (let ordinal = 1; ordinal < 1000; ordinal++) window.added(link, ordinal, 0);
  expect(window.isFull(link)).toBe(false);
});

test("without a link it waits no longer than with one, and with a new one not for what went by another", () => {
  const window = full({ remoteOrdinal: 0, pressure: 0 });
  expect(window.isFull({ remoteOrdinal: 0, pressure: 0 })).toBe(false);
  expect(window.isFull(undefined)).toBe(false);
});

test("where the spool fills up all the same, one piece is waited for before the next", () => {
  const link = { remoteOrdinal: 0, pressure: copyPressureMax };
  const window = new CopyWindow();
  window.added(link, 1, MiB);
  expect(window.isFull(link)).toBe(false);
  link.pressure = copyPressureMax + 0.01;
  expect(window.isFull(link)).toBe(true);
  link.remoteOrdinal = 1;
  expect(window.isFull(link)).toBe(false);
});
