import { expect, test } from "vitest";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { objectTailBytes } from "#src/core/store-limits.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { objectKind } from "#src/store/object-format.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import { type PartPlace, partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BytesObject } from "./bytes-object.ts";
import { facts, makeObject, objectName, openObject, placed, somePlainParts, storeKey } from "./small-object.ts";

const keys = [
  ["plain", undefined],
  ["encrypted", storeKey],
] as const;

test.each(keys)("each part comes back, into memory of the reader's or of its own: %s", async (_, key) => {
  const { bytes, parts, places } = await makeObject(somePlainParts(), { key });
  const object = await openObject(bytes, key);
  for (const [index, place] of places.entries()) {
    const { content } = parts[index] as (typeof parts)[number];
    const target = Buffer.alloc(300, 0xa5);
    expect(await object.readPart(place, target, 10)).toBe(content.length);
    expect(target.subarray(10, 10 + content.length)).toEqual(content);
    expect(target.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xa5));
    expect(await object.readNewPart(place)).toEqual(content);
  }
});

test.each(keys)("what is at hand comes at once, unless one bit of it is not as it was: %s", async (_, key) => {
  const { bytes, parts, places } = await makeObject(somePlainParts(), { key });
  const atHand = Object.assign(bytes, {
    readNow: (_name: string, target: Buffer, byteLength: number, position: number) =>
      bytes.bytes.copy(target, 0, Math.min(position, bytes.bytes.length), position + byteLength),
  });
  const object = await openObject(atHand, key);
  const [content, place] = [parts[1]?.content as Buffer, places[1] as PartPlace];
  const target = Buffer.alloc(content.length + 20, 0xa5);
  expect(object.readPartNow(place, target, 10)).toBe(content.length);
  expect(target.subarray(10, 10 + content.length)).toEqual(content);
  expect(target.subarray(10 + content.length)).toEqual(Buffer.alloc(10, 0xa5));
  for (let at = place.offset; at < place.offset + place.storedBytes; at++) {
    bytes.bytes[at] = (bytes.bytes[at] as number) ^ 1;
    expect(object.readPartNow(place, target, 0)).toBe(undefined);
    bytes.bytes[at] = (bytes.bytes[at] as number) ^ 1;
  }
  expect(object.readPartNow({ ...place, number: place.number + 1 }, target, 0)).toBe(undefined);
  expect(object.readPartNow({ ...place, offset: bytes.bytes.length }, target, 0)).toBe(undefined);
  expect(object.readPartNow(place, target, 0)).toBe(content.length);
});

test.each(keys)("nothing comes at once where nothing is at hand: %s", async (_, key) => {
  const { bytes, places } = await makeObject(somePlainParts(), { key });
  const object = await openObject(bytes, key);
  expect(object.readPartNow(places[0] as PartPlace, Buffer.alloc(300), 0)).toBe(undefined);
});

test.each(keys)("all parts come in their order, the table last: %s", async (_, key) => {
  const { bytes, parts, places, table } = await makeObject(somePlainParts(), { key });
  const object = await openObject(bytes, key);
  const expected = [
    ...parts.map((part, index) => ({ ...part, ...places[index] })),
    { type: partType.table, number: 0, content: table },
  ];
  let index = 0;
  for await (const part of object.parts()) expect(part).toMatchObject(expected[index++] as (typeof expected)[number]);
  expect(index).toBe(expected.length);
});

test.each(keys)("a run of neighbours takes one request: %s", async (_, key) => {
  const { bytes, parts, places } = await makeObject(somePlainParts(), { key });
  const object = await openObject(bytes, key);
  const reads: number[] = [];
  const read = bytes.read.bind(bytes);
  bytes.read = (name, target, position) => {
    reads.push(target.length);
    return read(name, target, position);
  };
  const run = placed(places.slice(1, 5));
  const lengths = await object.readRun(run);
  expect(reads).toEqual([run.reduce((sum, place) => sum + place.storedBytes, 0)]);
  const contents = parts.slice(1, 5).map((part) => part.content);
  expect(lengths).toEqual(contents.map((content) => content.length));
  expect(run.map(({ room }, index) => room.subarray(0, lengths[index] as number))).toEqual(contents);
});

test("in a run, those around a part that is damaged come", async () => {
  const { bytes, parts, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  const damaged = places[1] as PartPlace;
  bytes.bytes.fill(0xff, damaged.offset + 40, damaged.offset + 41);
  const run = placed(places.slice(0, 3));
  const [first, second, third] = await object.readRun(run);
  expect([first, third]).toEqual([60, 60]);
  expect(second).toBeInstanceOf(ObjectDamageError);
  expect(second).toMatchObject({ thing: { type: partType.frame, number: 4, offset: damaged.offset } });
  expect(run.map(({ room }) => room.subarray(0, 60))).toMatchObject({ 0: parts[0]?.content, 2: parts[2]?.content });
});

test("in a run, a part that is longer than its room is none, and leaves the bytes behind it alone", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  const memory = Buffer.alloc(100, 0xee);
  const [found] = await object.readRun([{ ...(places[0] as PartPlace), room: memory.subarray(0, 59) }]);
  expect(found).toMatchObject({ message: expect.stringContaining("it is longer than it may be") });
  expect(memory.subarray(59)).toEqual(Buffer.alloc(41, 0xee));
});

test("a run with a gap is a fault of the caller, and an empty one is nothing", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  const gap = [places[0], places[2]] as PartPlace[];
  await expect(object.readRun(placed(gap))).rejects.toThrow("a run has no gaps");
  expect(await object.readRun([])).toEqual([]);
});

test("many reads may be under way", async () => {
  const { bytes, parts, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  const order = Array.from({ length: 300 }, (_, index) => index % parts.length);
  const contents = await Promise.all(order.map((index) => object.readNewPart(places[index] as PartPlace)));
  expect(contents).toEqual(order.map((index) => parts[index]?.content));
});

test("an object is opened with few requests, whether its table is short or long", async () => {
  const counted = async (table: Buffer, parts = somePlainParts()) => {
    const { bytes } = await makeObject(parts, { table });
    let count = 0;
    const read = bytes.read.bind(bytes);
    bytes.read = (name, target, position) => {
      count++;
      return read(name, target, position);
    };
    expect((await openObject(bytes)).table).toEqual(table);
    return count;
  };
  const chance = new SeededRandom(1).bytes(3 * objectTailBytes);
  const long = [{ type: partType.frame, number: 0, content: chance }];
  expect(await counted(Buffer.from("short"))).toBe(1);
  expect(await counted(Buffer.from("short"), long)).toBe(2);
  expect(await counted(chance, long)).toBe(3);
});

test("fault 19: another object under the name is damage, and said to be another", async () => {
  for (const other of [
    { kind: objectKind.piece },
    { group: "ff112233445566778899aabbccddeeff" },
    { number: 8 },
    { generation: 1 },
  ]) {
    const { bytes } = await makeObject(somePlainParts(), { facts: { ...facts, ...other } });
    await expect(openObject(bytes)).rejects.toThrow(
      `${objectName} is damaged in its header: another object lies there`,
    );
    await expect(openObject(bytes)).rejects.toThrow(StopError);
  }
});

test("an encrypted object without a key is refused, with another key it is damaged in its table", async () => {
  const { bytes } = await makeObject(somePlainParts(), { key: storeKey });
  await expect(openObject(bytes)).rejects.toThrow(RefuseError);
  await expect(openObject(bytes)).rejects.toThrow("is encrypted, and the store's key is not at hand");
  await expect(openObject(bytes, Buffer.alloc(32))).rejects.toThrow("it was encrypted with another key");
});

test("what is not encrypted is none of an encrypted store's objects", async () => {
  const { bytes } = await makeObject(somePlainParts());
  await expect(openObject(bytes, storeKey)).rejects.toThrow("it says that it is not encrypted, and its store is");
});

test("an encrypted object does not pass for another one, whoever writes its header anew", async () => {
  const { bytes } = await makeObject(somePlainParts(), { key: storeKey });
  const forged = await makeObject(somePlainParts(), { key: storeKey, facts: { ...facts, number: 8 } });
  bytes.bytes.copy(forged.bytes.bytes, 128, 128);
  const identity = { ...facts, number: 8 };
  await expect(ObjectFile.open(forged.bytes, objectName, identity, storeKey)).rejects.toThrow("with another key");
});

test("an object that is not there is not damaged", async () => {
  const none = new BytesObject();
  none.sizeBytes = async () => {
    throw new AbsentObjectError(objectName);
  };
  await expect(openObject(none)).rejects.toThrow(AbsentObjectError);
});

test("a place where no part can lie is damage of whoever keeps it, without a read", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  bytes.read = () => Promise.reject(new Error("nothing is read"));
  const place = places[0] as PartPlace;
  for (const wrong of [
    { offset: 0 },
    { offset: 127 },
    { offset: bytes.bytes.length },
    { offset: 2 ** 32 },
    { storedBytes: 0 },
    { storedBytes: 31 },
    { storedBytes: 2 ** 32 - 1 },
    { storedBytes: bytes.bytes.length - 128 },
  ]) {
    await expect(object.readNewPart({ ...place, ...wrong })).rejects.toThrow("it cannot lie there");
  }
});

test("fault 21: a read that answers less than there is, or nothing, is damage and no zeros", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  for (const kept of [0, 1, 40]) {
    bytes.read = async (_name, target, position) => bytes.bytes.copy(target, 0, position, position + kept);
    for (const place of places) await expect(object.readNewPart(place)).rejects.toThrow("it is not all there");
    await expect(openObject(bytes)).rejects.toThrow("it is not all there");
  }
});

test("fault 21: an error of the read is handed on as it is, and the next read works", async () => {
  const { bytes, parts, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  const read = bytes.read;
  bytes.read = () => Promise.reject(new Error("late"));
  const target = Buffer.alloc(1000);
  await expect(object.readPart(places[0] as PartPlace, target, 0)).rejects.toThrow("late");
  await expect(object.readRun(placed(places))).rejects.toThrow("late");
  bytes.read = read;
  expect(await object.readNewPart(places[0] as PartPlace)).toEqual(parts[0]?.content);
});

test("an object that is open keeps nothing alive that it was opened with", async () => {
  const content = new SeededRandom(7).bytes(2 * objectTailBytes);
  const { bytes } = await makeObject([{ type: partType.frame, number: 0, content }]);
  const openCount = 200;
  const slabs = new Set<ArrayBufferLike>();
  for (let count = 0; count < openCount; count++) slabs.add((await openObject(bytes)).header.salt.buffer);
  expect((slabs.size * Buffer.poolSize) / openCount).toBeLessThan(1024);
});
