import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { KiB } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import {
  getLogFileHeader,
  type LogFileHeader,
  logFileMagic,
  ownLogFileHeader,
  putLogFileHeader,
} from "#src/records/log-file.ts";

const header: LogFileHeader = {
  magic: logFileMagic.spool,
  group: "0f".repeat(16),
  incarnation: 7,
  basePosition: 3 * 64 * KiB,
  fullBytes: 64 * KiB,
  firstSeq: 1000,
  releasedSeq: 900,
};
const log = { group: header.group, incarnation: header.incarnation };

/** The header's bytes after a change, with or without a checksum that fits. */
function bytesWith(change: (bytes: Buffer) => void, isSummed = false): Buffer {
  const bytes = Buffer.alloc(512);
  putLogFileHeader(bytes, 0, header);
  change(bytes);
  if (isSummed) putChecksum(bytes, 0, 64, bytes, 64);
  return bytes;
}

function found(bytes: Buffer): string {
  return getLogFileHeader(bytes, logFileMagic.spool).kind;
}

test("what was written is read", () => {
  const bytes = bytesWith(() => {});
  expect(getLogFileHeader(bytes, logFileMagic.spool)).toEqual({ kind: "sound", header });
  expect(ownLogFileHeader("/a", { kind: "sound", header }, log)).toEqual(header);
});

test("a file without a header is blank, however long it is", () => {
  expect([0, 5, 512].map((length) => found(Buffer.alloc(length)))).toEqual(["blank", "blank", "blank"]);
  expect(ownLogFileHeader("/a", { kind: "blank" }, log)).toBe(undefined);
});

test("fault 18: a flipped bit, wherever it is, is turned back; two of them are damage", () => {
  const flip = (bytes: Buffer, bit: number): Buffer => {
    bytes.writeUInt8((bytes[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
    return bytes;
  };
  for (let bit = 0; bit < 512 * 8; bit++) {
    const flipped = flip(
      bytesWith(() => {}),
      bit,
    );
    expect(getLogFileHeader(flipped, logFileMagic.spool), `bit ${bit}`).toEqual({ kind: "sound", header });
    if (bit % 11 > 0) continue;
    const other = bit >= 72 * 8 ? 72 * 8 + ((bit + 1) % (440 * 8)) : (bit + 7) % 512;
    expect(found(flip(flipped, other)), `bits ${bit} and ${other}`).toBe("broken");
  }
});

test("fault 29: a flipped bit makes no other version, and no other kind of log", () => {
  const later = bytesWith((it) => it.writeUInt16LE(2, 4), true);
  later.writeUInt8(3, 4);
  expect(getLogFileHeader(later, logFileMagic.spool)).toEqual({ kind: "otherVersion", version: 2 });
  expect(found(bytesWith((it) => it.writeUInt16LE(2, 4)))).toBe("broken");
});

test("a header that was cut short is broken", () => {
  expect([8, 72, 511].map((length) => found(bytesWith(() => {}).subarray(0, length)))).toEqual([
    "broken",
    "broken",
    "broken",
  ]);
});

test("numbers that cannot be are broken, whatever their checksum says", () => {
  const changes: ((bytes: Buffer) => void)[] = [
    (bytes) => bytes.writeUInt16LE(1, 6),
    (bytes) => bytes.writeUInt32LE(1, 28),
    (bytes) => bytes.writeBigUInt64LE(64n * 1024n + 1n, 32),
    (bytes) => bytes.writeBigUInt64LE(0n, 40),
    (bytes) => bytes.writeBigUInt64LE(512n, 40),
    (bytes) => bytes.writeBigUInt64LE(0n, 48),
    (bytes) => bytes.writeBigUInt64LE(2n ** 53n, 48),
    (bytes) => bytes.writeBigUInt64LE(2n ** 53n, 56),
    (bytes) => bytes.writeBigUInt64LE(2n ** 53n, 32),
    (bytes) => bytes.writeUInt8(3, 511),
  ];
  expect(changes.map((change) => found(bytesWith(change, true)))).toEqual(changes.map(() => "broken"));
});

test("fault 29: another version is refused in words, if its checksum fits", () => {
  const later = bytesWith((it) => it.writeUInt16LE(2, 4), true);
  expect(() => ownLogFileHeader("/a", getLogFileHeader(later, logFileMagic.spool), log)).toThrow(
    new RefuseError("/a has version 2, and this program reads version 1: use the program that wrote it"),
  );
});

test("a file of another kind, group or log is refused in words", () => {
  const bytes = bytesWith(() => {});
  const kind = getLogFileHeader(bytes, logFileMagic.metadata);
  expect(() => ownLogFileHeader("/a", kind, log)).toThrow(new RefuseError("/a is a file of another kind of log"));
  const sound = getLogFileHeader(bytes, logFileMagic.spool);
  expect(() => ownLogFileHeader("/a", sound, { ...log, group: "00".repeat(16) })).toThrow(
    new RefuseError(`/a belongs to the group ${header.group}`),
  );
  expect(() => ownLogFileHeader("/a", sound, { ...log, incarnation: 8 })).toThrow(
    new RefuseError("/a belongs to another log of this group, 00000007"),
  );
});
