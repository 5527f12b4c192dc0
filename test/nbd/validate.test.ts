import { describe, expect, test } from "vitest";
import { nbdPayloadBytesMax } from "#src/core/nbd-limits.ts";
import type { Agreement } from "#src/nbd/agreement.ts";
import { command, commandFlag, nbdError } from "#src/nbd/constants.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import type { ReplyStyle } from "#src/nbd/reply-codec.ts";
import { emptyRequestHeader, type RequestHeader } from "#src/nbd/request-codec.ts";
import { validate } from "#src/nbd/validate.ts";
import { allFeatures, ScriptedExport } from "#test/hostile/scripted-export.ts";

const sizeBytes = 2 ** 40;
const disk = new ScriptedExport({ sizeBytes, memoryBytes: 0 });
const contexts = [{ id: 1, name: "base:allocation" }];
const styles: readonly ReplyStyle[] = ["simple", "structured", "extended"];
const { read, write, flush, trim, cache, writeZeroes, blockStatus } = command;
const ranged = [read, write, trim, cache, writeZeroes, blockStatus];

interface Case extends Partial<RequestHeader> {
  readonly style?: ReplyStyle;
  readonly target?: NbdExport;
  readonly contexts?: Agreement["contexts"];
}

/** A valid request of 4 KiB, but for what is told. */
function judged(one: Case & { readonly type: number }): number {
  const style = one.style ?? "extended";
  const isExtendedWrite = style === "extended" && one.type === write;
  const length = one.length ?? (one.type === flush ? 0 : 4096);
  const flags = (one.flags ?? 0) | (isExtendedWrite ? commandFlag.payloadLength : 0);
  const carries = one.type === write || (flags & commandFlag.payloadLength) !== 0;
  const header = {
    ...emptyRequestHeader(),
    ...one,
    flags,
    length,
    payloadBytes: one.payloadBytes ?? (carries ? length : 0),
  };
  return validate(header, { target: one.target ?? disk, style, contexts: one.contexts ?? contexts });
}

describe.each(styles)("fault 31: requests in %s style", (style) => {
  test("every command is valid where the export has it", () => {
    for (const type of [...ranged, flush]) expect(judged({ type, style })).toBe(nbdError.ok);
  });

  test.each([2, 8, 9, 0xffff])("command %d is unknown", (type) => {
    expect(judged({ type, style })).toBe(nbdError.invalid);
  });

  test("each flag is valid only with the commands that it is for", () => {
    const { fua, noHole, doNotFragment, requestOne, fastZero, payloadLength } = commandFlag;
    const isExtended = style === "extended";
    const allowed: Readonly<Record<number, readonly number[]>> = {
      [read]: style === "simple" ? [fua] : [fua, doNotFragment],
      [write]: isExtended ? [fua, payloadLength] : [fua],
      [flush]: [fua],
      [trim]: [fua],
      [cache]: [fua],
      [writeZeroes]: [fua, noHole, fastZero],
      [blockStatus]: isExtended ? [fua, requestOne, payloadLength] : [fua, requestOne],
    };
    for (const type of [...ranged, flush]) {
      for (let bit = 0; bit < 16; bit++) {
        const flags = 1 << bit;
        const length = type === blockStatus && flags === payloadLength && isExtended ? 12 : undefined;
        const verdict = judged({ type, style, flags, ...(length === undefined ? {} : { length }) });
        const isAllowed = allowed[type]?.includes(flags) ?? false;
        expect(verdict, `command ${type}, flag ${flags}`).toBe(isAllowed ? nbdError.ok : nbdError.invalid);
      }
    }
  });

  test("a range must end within the export", () => {
    for (const type of ranged) {
      const outside = type === write || type === writeZeroes ? nbdError.noSpace : nbdError.invalid;
      expect(judged({ type, style, offset: sizeBytes - 4096 })).toBe(nbdError.ok);
      expect(judged({ type, style, offset: sizeBytes - 4095 })).toBe(outside);
      expect(judged({ type, style, offset: sizeBytes })).toBe(outside);
      expect(judged({ type, style, offset: 2 ** 64 - 4096 })).toBe(outside);
      expect(judged({ type, style, offset: 2 ** 64 })).toBe(outside);
    }
  });

  test("a range is not empty", () => {
    for (const type of ranged) expect(judged({ type, style, length: 0 })).toBe(nbdError.invalid);
  });

  test("a flush has no range", () => {
    expect(judged({ type: flush, style, offset: 1 })).toBe(nbdError.invalid);
    expect(judged({ type: flush, style, length: 1 })).toBe(nbdError.invalid);
  });

  test("data of the largest payload is carried, and one byte more is not", () => {
    for (const type of [read, write]) {
      expect(judged({ type, style, length: nbdPayloadBytesMax })).toBe(nbdError.ok);
      expect([nbdError.overflow, nbdError.invalid]).toContain(judged({ type, style, length: nbdPayloadBytesMax + 1 }));
    }
  });

  test("what carries no data may be as long as a length can say", () => {
    const length = style === "extended" ? sizeBytes : 2 ** 32 - 1;
    for (const type of [trim, cache, writeZeroes, blockStatus])
      expect(judged({ type, style, length })).toBe(nbdError.ok);
  });

  test("nothing writes to a read-only export", () => {
    const target = new ScriptedExport({ features: { readOnly: true } });
    for (const type of [write, trim, writeZeroes]) expect(judged({ type, style, target })).toBe(nbdError.notPermitted);
    for (const type of [read, flush, cache, blockStatus]) expect(judged({ type, style, target })).toBe(nbdError.ok);
  });

  test("what an export does not have is invalid", () => {
    const bare = { flush: false, trim: false, writeZeroes: false, fastZero: false, cache: false };
    const target = new ScriptedExport({ features: { ...allFeatures, ...bare } });
    for (const type of [flush, trim, writeZeroes, cache])
      expect(judged({ type, style, target })).toBe(nbdError.invalid);
    expect(judged({ type: write, style, target, flags: commandFlag.fua })).toBe(nbdError.invalid);
    expect(judged({ type: write, style, target })).toBe(nbdError.ok);
    expect(judged({ type: blockStatus, style, contexts: [] })).toBe(nbdError.invalid);
  });

  test("an export's smallest block is kept to", () => {
    const target = Object.assign(new ScriptedExport(), {
      blockSizes: { minimumBytes: 512, preferredBytes: 4096, payloadBytesMax: nbdPayloadBytesMax },
    });
    for (const type of [read, write, writeZeroes]) {
      expect(judged({ type, style, target, offset: 512, length: 1024 })).toBe(nbdError.ok);
      expect(judged({ type, style, target, offset: 511, length: 1024 })).toBe(nbdError.invalid);
      expect(judged({ type, style, target, offset: 512, length: 1023 })).toBe(nbdError.invalid);
    }
  });
});

test("a write in extended form without a payload has nothing to write", () => {
  const header = { ...emptyRequestHeader(), type: write, length: 4096 };
  expect(validate(header, { target: disk, style: "extended", contexts })).toBe(nbdError.invalid);
});

test.each([
  [8, nbdError.invalid],
  [11, nbdError.invalid],
  [12, nbdError.ok],
  [14, nbdError.invalid],
  [16, nbdError.ok],
  [8 + 4 * 16, nbdError.ok],
  [8 + 4 * 17, nbdError.invalid],
  [2 ** 32 - 4, nbdError.invalid],
])("a block status with a payload of %d bytes", (length, verdict) => {
  expect(judged({ type: blockStatus, flags: commandFlag.payloadLength, length })).toBe(verdict);
});
