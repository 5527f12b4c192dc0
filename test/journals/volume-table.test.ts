/** What is known of a group's volumes, of records that say it well and of such that say nothing. */
import { describe, expect, test } from "vitest";
import { levelSecondsMax, remoteNameBytesMax } from "#src/core/limits.ts";
import { VolumeTable } from "#src/journals/volume-table.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";

const disk = { number: 1, id: "a", name: "disk", sizeBytes: 4096 };
const { volume, resize, level } = recordType;

function said(content: object): Buffer {
  return encodeExtra(content);
}

test("a volume is known at once, and durable when its record is", () => {
  const table = new VolumeTable([]);
  table.saw(volume, 5, 2, said({ id: "b", name: "other", sizeBytes: 8192 }));
  table.saw(volume, 7, 1, said({ id: "a", name: "disk", sizeBytes: 4096 }));
  const other = { number: 2, id: "b", name: "other", sizeBytes: 8192 };
  expect([table.durable, table.all]).toEqual([[], [disk, other]]);
  table.durableUpTo(6);
  expect([table.durable, table.all]).toEqual([[other], [disk, other]]);
  table.durableUpTo(7);
  expect(table.durable).toEqual([disk, other]);
});

test("another size is the same volume's, of the newest that is known of it", () => {
  const table = new VolumeTable([disk]);
  table.saw(resize, 8, 1, said({ sizeBytes: 8192 }));
  table.saw(resize, 9, 1, said({ sizeBytes: 16_384 }));
  expect(table.all).toEqual([{ ...disk, sizeBytes: 16_384 }]);
  table.durableUpTo(8);
  expect(table.durable).toEqual([{ ...disk, sizeBytes: 8192 }]);
});

test("a level is kept over sizes and names, holds from its record on, and counts once", () => {
  const table = new VolumeTable([disk]);
  expect([table.levelOf(1), table.levelOf(2)]).toEqual([0, 0]);
  table.saw(level, 10, 1, said({ seconds: 60 }));
  table.saw(level, 11, 1, said({ seconds: 60 }));
  table.saw(resize, 12, 1, said({ sizeBytes: 8192 }));
  table.saw(volume, 13, 1, said({ id: "a", name: "renamed", sizeBytes: 8192 }));
  expect([table.levelOf(1), table.durable]).toEqual([60, [disk]]);
  table.durableUpTo(11);
  expect(table.durable).toEqual([{ ...disk, level: 60 }]);
  table.durableUpTo(13);
  expect(table.durable).toEqual([{ ...disk, name: "renamed", sizeBytes: 8192, level: 60 }]);
  expect(new VolumeTable(table.durable).levelOf(1)).toBe(60);
  table.saw(level, 14, 1, said({ seconds: 0 }));
  expect([table.levelOf(1), table.all[0]?.level]).toEqual([0, 0]);
});

describe("what does not say what it should changes nothing", () => {
  const long = "n".repeat(remoteNameBytesMax + 1);
  // A record has no room for such a name; a peer of another make may have.
  const raw = (content: object) => Buffer.from(JSON.stringify(content));
  test.each<[what: string, type: number, number: number, extra: Buffer]>([
    ["no words", volume, 2, Buffer.alloc(0)],
    ["no object", volume, 2, Buffer.from("[1,2]   ")],
    ["no id", volume, 2, said({ name: "b", sizeBytes: 1 })],
    ["a name that is a number", volume, 2, said({ id: "b", name: 5, sizeBytes: 1 })],
    ["no size", volume, 2, said({ id: "b", name: "b" })],
    ["a size that is too large to be exact", volume, 2, said({ id: "b", name: "b", sizeBytes: 2 ** 60 })],
    ["a name that is too long", volume, 2, raw({ id: "b", name: long, sizeBytes: 1 })],
    ["an id that is too long", volume, 2, raw({ id: long, name: "b", sizeBytes: 1 })],
    ["a size of a volume that nobody knows", resize, 2, said({ sizeBytes: 1 })],
    ["a level of a volume that nobody knows", level, 2, said({ seconds: 60 })],
    ["a level that is none", level, 1, said({ seconds: -1 })],
    ["a level that is a text", level, 1, said({ seconds: "60" })],
    ["a level beyond the longest", level, 1, said({ seconds: levelSecondsMax + 1 })],
  ])("%s", (_what, type, number, extra) => {
    const table = new VolumeTable([disk]);
    table.saw(type, 20, number, extra);
    table.durableUpTo(20);
    expect([table.all, table.durable, table.levelOf(1), table.levelOf(2)]).toEqual([[disk], [disk], 0, 0]);
  });
});
