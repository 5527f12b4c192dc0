import { expect, test } from "vitest";
import { objectGatherBytes } from "#src/core/store-limits.ts";
import { ObjectBuilder } from "#src/store/object-builder.ts";
import { kindNumbersBytes, objectFooterBytes, objectHeaderBytes } from "#src/store/object-format.ts";
import { partHeaderBytes, partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BytesObject } from "./bytes-object.ts";
import { facts, makeObject, openObject, somePlainParts, storeKey } from "./small-object.ts";

const end = { table: Buffer.from("table"), kindNumbers: Buffer.alloc(kindNumbersBytes), timeMicros: 1 };

function begin(writer: BytesObject, key?: Buffer): ObjectBuilder {
  return new ObjectBuilder(writer, { facts, randomness: new SeededRandom(4), key });
}

test("an object is written whole, and says what it is", async () => {
  for (const key of [undefined, storeKey]) {
    const { bytes, table } = await makeObject(somePlainParts(), { key });
    expect(bytes.isFinished).toBe(true);
    const object = await openObject(bytes, key);
    expect(object.header).toMatchObject({ ...facts, isEncrypted: key !== undefined });
    expect(object.footer).toMatchObject({ sizeBytes: bytes.bytes.length, timeMicros: 1_700_000_000_123_456 });
    expect(object.footer.kindNumbers).toEqual(Buffer.alloc(kindNumbersBytes, 9));
    expect(object.table).toEqual(table);
  }
});

test("parts lie without gaps, where the builder said", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  let offset = objectHeaderBytes;
  for (const place of places) {
    expect(place.offset).toBe(offset);
    offset += place.storedBytes;
  }
  const object = await openObject(bytes);
  expect(object.footer.tableAt).toBe(offset);
  expect(object.footer.tableAt + object.footer.tableBytes + objectFooterBytes).toBe(bytes.bytes.length);
});

test("an object without parts has a table nevertheless, and that may be empty", async () => {
  const { bytes } = await makeObject([], { table: Buffer.alloc(0) });
  expect(bytes.bytes.length).toBe(objectHeaderBytes + partHeaderBytes + objectFooterBytes);
  expect((await openObject(bytes)).table).toEqual(Buffer.alloc(0));
});

test("nothing is written before enough is gathered, and then in large pieces", async () => {
  const writer = new BytesObject();
  const builder = begin(writer);
  const content = new SeededRandom(6).bytes(16_384);
  for (let number = 0; number < 200; number++) {
    if (builder.isFull) await builder.flush();
    builder.addPart(partType.frame, number, content, 0, content.length);
    expect(builder.sizeBytes).toBe(objectHeaderBytes + (number + 1) * (partHeaderBytes + content.length));
  }
  await builder.finish(end);
  expect(writer.writes.length).toBe(4);
  for (const byteLength of writer.writes.slice(0, -1)) expect(byteLength).toBeGreaterThanOrEqual(objectGatherBytes);
});

test("a part may be a piece of a larger buffer, which may be used again at once", async () => {
  const writer = new BytesObject();
  const builder = begin(writer);
  const buffer = Buffer.from("before content behind");
  const place = builder.addPart(partType.frame, 0, buffer, 7, 14);
  buffer.fill(0);
  await builder.finish(end);
  expect(await (await openObject(writer)).readNewPart(place)).toEqual(Buffer.from("content"));
});

test("the last part and the table find room though the builder is full", async () => {
  const writer = new BytesObject();
  const builder = begin(writer);
  const content = new SeededRandom(6).bytes(objectGatherBytes);
  const places = [builder.addPart(partType.frame, 0, content, 0, content.length)];
  expect(builder.isFull).toBe(true);
  await builder.flush();
  builder.addPart(partType.frame, 1, content, 0, content.length - 5000);
  expect(builder.isFull).toBe(false);
  places.push(builder.addPart(partType.frame, 2, content, 0, content.length));
  await builder.finish({ ...end, table: content });
  const object = await openObject(writer);
  expect(object.table.equals(content)).toBe(true);
  for (const place of places) expect((await object.readNewPart(place)).equals(content)).toBe(true);
});

test("who adds to a full builder, or to one that is over, is at fault", async () => {
  const writer = new BytesObject();
  const builder = begin(writer);
  const content = new SeededRandom(6).bytes(objectGatherBytes);
  builder.addPart(partType.frame, 0, content, 0, content.length);
  expect(() => builder.addPart(partType.frame, 1, content, 0, 1)).toThrow("there is room for a part");
  const flushing = builder.flush();
  expect(() => builder.addPart(partType.frame, 1, content, 0, 1)).toThrow("there is room for a part");
  await flushing;
  await builder.finish(end);
  expect(() => builder.addPart(partType.frame, 1, content, 0, 1)).toThrow("there is room for a part");
});

test("fault 19: an object that another writer put under the same name is not taken for the one that was opened", async () => {
  const parts = somePlainParts();
  const one = await makeObject(parts, { randomness: new SeededRandom(1) });
  const other = await makeObject(parts, { randomness: new SeededRandom(2) });
  expect(other.places).toEqual(one.places);
  const object = await openObject(one.bytes);
  one.bytes.bytes = other.bytes.bytes;
  for (const place of one.places) await expect(object.readNewPart(place)).rejects.toThrow("it belongs elsewhere");
});

test("after an error of the writer nothing is added, and the object is abandoned", async () => {
  const writer = new BytesObject();
  writer.write = async () => {
    throw new Error("no room");
  };
  const builder = begin(writer);
  await expect(builder.finish(end)).rejects.toThrow("no room");
  expect(() => builder.addPart(partType.frame, 1, Buffer.alloc(1), 0, 1)).toThrow();
  await expect(builder.finish(end)).rejects.toThrow();
  expect(writer.isFinished).toBe(false);
  await builder.abandon();
  expect(writer.isAbandoned).toBe(true);
});
