import { expect, test } from "vitest";
import { remoteHasSeq } from "#src/appliance/local/spool-keeping.ts";

const marks = { received: 90, durable: 80, stored: 30 };
/** One byte each. */
const spool = { bytesAfter: (seq: number) => 100 - seq };
const kept = (spoolKeepBytes: number, spoolLimitBytes = 1000) =>
  remoteHasSeq(marks, spool, { spoolKeepBytes, spoolLimitBytes });

test("what the remote has only written stays in the spool as long as it is no more than wanted", () => {
  expect([kept(0), kept(69), kept(70), kept(200)]).toEqual([80, 80, 30, 30]);
});

test("it never takes more than a quarter of the spool", () => {
  expect([kept(200, 279), kept(200, 280)]).toEqual([80, 30]);
});

test("where all is stored nothing is kept for it", () => {
  const all = { received: 90, durable: 80, stored: 80 };
  expect(remoteHasSeq(all, spool, { spoolKeepBytes: 500, spoolLimitBytes: 5000 })).toBe(80);
});
