import { expect, test } from "vitest";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { objectFooterBytes, objectHeaderBytes } from "#src/store/object-format.ts";
import { type PartPlace, partHeaderBytes, partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { BytesObject } from "./bytes-object.ts";
import { makeObject, openObject, type PlainPart, type SmallObject, somePlainParts, storeKey } from "./small-object.ts";

const keys = [
  ["plain", undefined],
  ["encrypted", storeKey],
] as const;

async function damageOf(reading: Promise<unknown>): Promise<ObjectDamageError> {
  const found = await reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(found).toBeInstanceOf(ObjectDamageError);
  return found as ObjectDamageError;
}

/** What a walk finds damaged, by the offset, and how many parts were sound. */
async function walked(bytes: BytesObject, key?: Buffer, object = openObject(bytes, key)) {
  const damaged: ObjectDamageError["thing"][] = [];
  let soundCount = 0;
  for await (const part of (await object).parts()) {
    if (part instanceof ObjectDamageError) damaged.push(part.thing);
    else soundCount++;
  }
  return { damaged, soundCount };
}

/** Every part but the damaged one is what it was; that one is told by its name. */
async function expectOnlyDamaged({ bytes, parts, places }: SmallObject, index: number, key?: Buffer): Promise<void> {
  const object = await openObject(bytes, key);
  for (const [other, place] of places.entries()) {
    const reading = object.readNewPart(place);
    if (other !== index) expect((await reading).equals(parts[other]?.content as Buffer)).toBe(true);
    else expect(await damageOf(reading)).toMatchObject({ thing: place });
  }
  const { offset, storedBytes } = places[index] as PartPlace;
  const { damaged, soundCount } = await walked(bytes, key);
  expect(damaged).toMatchObject([{ offset, storedBytes }]);
  expect(soundCount).toBe(places.length);
}

test.each(keys)("fault 18: every bit that flips is found, and only what it lies in is lost: %s", async (_, key) => {
  const made = await makeObject(somePlainParts(), { key });
  const { bytes, places } = made;
  const sound = Buffer.from(bytes.bytes);
  const { tableAt } = (await openObject(bytes, key)).footer;
  for (let bit = 0; bit < sound.length * 8; bit++) {
    const at = bit >>> 3;
    bytes.bytes = Buffer.from(sound);
    bytes.bytes[at] = (sound[at] as number) ^ (1 << (bit & 7));
    const index = places.findIndex(({ offset, storedBytes }) => at >= offset && at < offset + storedBytes);
    if (index !== -1) {
      await expectOnlyDamaged(made, index, key);
      continue;
    }
    const { thing } = await damageOf(openObject(bytes, key));
    if (at < objectHeaderBytes) expect(thing).toBe("header");
    else if (at >= sound.length - objectFooterBytes) expect(thing).toBe("footer");
    else expect(thing).toMatchObject({ type: partType.table, number: 0, offset: tableAt });
  }
});

test.each(keys)("an object that is cut off anywhere is damaged: %s", async (_, key) => {
  const { bytes } = await makeObject(somePlainParts(), { key });
  const sound = bytes.bytes;
  for (let length = 0; length < sound.length; length++) {
    bytes.bytes = sound.subarray(0, length);
    await damageOf(openObject(bytes, key));
  }
});

test("an object that is cut off while it is open loses what is gone, and no more", async () => {
  const { bytes, parts, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  const sound = bytes.bytes;
  for (let length = 0; length < sound.length; length += 3) {
    bytes.bytes = sound.subarray(0, length);
    for (const [index, place] of places.entries()) {
      const reading = object.readNewPart(place);
      if (place.offset + place.storedBytes <= length) expect(await reading).toEqual(parts[index]?.content);
      else expect(await damageOf(reading)).toMatchObject({ thing: place, finding: "it is not all there" });
    }
  }
});

test("an object with something before or behind it is damaged", async () => {
  const { bytes } = await makeObject(somePlainParts());
  const sound = bytes.bytes;
  for (const more of [1, 128, 4096]) {
    bytes.bytes = Buffer.concat([sound, Buffer.alloc(more)]);
    await damageOf(openObject(bytes));
    bytes.bytes = Buffer.concat([Buffer.alloc(more), sound]);
    await damageOf(openObject(bytes));
    bytes.bytes = Buffer.concat([sound, sound.subarray(-more)]);
    await damageOf(openObject(bytes));
  }
});

/** Of the same length as they are stored, so that they can change places. */
function equalParts(seed: number): PlainPart[] {
  const random = new SeededRandom(seed);
  return [partType.frame, partType.frame, partType.slots].map((type, index) => ({
    type,
    number: index,
    content: random.bytes(100),
  }));
}

function copyPart(from: Buffer, place: PartPlace, to: Buffer, offset: number): void {
  from.copy(to, offset, place.offset, place.offset + place.storedBytes);
}

test.each(keys)("fault 19: parts that changed places are found, by a reader and by a walk: %s", async (_, key) => {
  const { bytes, places } = await makeObject(equalParts(1), { key });
  const sound = bytes.bytes;
  for (const [one, other] of [
    [0, 1],
    [1, 2],
    [0, 2],
  ] as const) {
    const [first, second] = [places[one], places[other]] as [PartPlace, PartPlace];
    bytes.bytes = Buffer.from(sound);
    copyPart(sound, first, bytes.bytes, second.offset);
    copyPart(sound, second, bytes.bytes, first.offset);
    const object = await openObject(bytes, key);
    for (const place of [first, second]) {
      expect(await damageOf(object.readNewPart(place))).toMatchObject({
        thing: place,
        finding: "it belongs elsewhere",
      });
    }
    const { damaged, soundCount } = await walked(bytes, key);
    expect(soundCount).toBe(2);
    expect(damaged.length).toBeGreaterThan(0);
  }
});

test.each(keys)("fault 19: parts of another object are found, at the same place as well: %s", async (_, key) => {
  const { bytes, places } = await makeObject(equalParts(1), { key, randomness: new SeededRandom(1) });
  const other = await makeObject(equalParts(1), { key, randomness: new SeededRandom(2) });
  const sound = bytes.bytes;
  for (const place of places) {
    bytes.bytes = Buffer.from(sound);
    copyPart(other.bytes.bytes, place, bytes.bytes, place.offset);
    const object = await openObject(bytes, key);
    expect(await damageOf(object.readNewPart(place))).toMatchObject({ thing: place, finding: "it belongs elsewhere" });
    const { offset, storedBytes } = place;
    expect(await walked(bytes, key)).toMatchObject({ damaged: [{ offset, storedBytes }], soundCount: 3 });
  }
});

test("fault 19: a footer or a table of another object is found", async () => {
  const one = await makeObject(equalParts(1), { randomness: new SeededRandom(1) });
  const other = await makeObject(equalParts(1), { randomness: new SeededRandom(2) });
  const sound = one.bytes.bytes;
  const footerAt = sound.length - objectFooterBytes;
  one.bytes.bytes = Buffer.concat([sound.subarray(0, footerAt), other.bytes.bytes.subarray(footerAt)]);
  expect(await damageOf(openObject(one.bytes))).toMatchObject({
    thing: "footer",
    finding: "it belongs to another object",
  });
  one.bytes.bytes = Buffer.from(sound);
  const { tableAt } = (await openObject(other.bytes)).footer;
  other.bytes.bytes.copy(one.bytes.bytes, tableAt, tableAt, footerAt);
  expect(await damageOf(openObject(one.bytes))).toMatchObject({
    thing: { type: partType.table, number: 0 },
    finding: "it belongs elsewhere",
  });
});

test("a walk goes on behind parts that are gone, wherever what is damaged begins and ends", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const sound = bytes.bytes;
  const random = new SeededRandom(11);
  const end = (places.at(-1) as PartPlace).offset + (places.at(-1) as PartPlace).storedBytes;
  for (let round = 0; round < 300; round++) {
    const from = random.between(objectHeaderBytes, end - 1);
    const to = random.between(from + 1, end);
    bytes.bytes = Buffer.from(sound);
    if (round % 2 === 0) bytes.bytes.fill(0, from, to);
    else random.bytes(to - from).copy(bytes.bytes, from);
    const touched = places.filter(({ offset, storedBytes }) => offset < to && offset + storedBytes > from);
    const { damaged, soundCount } = await walked(bytes);
    // The table is sound too. A touched part may be as it was by chance, so some more may be.
    expect(soundCount).toBeGreaterThanOrEqual(places.length - touched.length + 1);
    for (const thing of damaged) {
      const { offset, storedBytes } = thing as PartPlace;
      expect(
        touched.some((place) => offset < place.offset + place.storedBytes && offset + storedBytes > place.offset),
      ).toBe(true);
    }
  }
});

test("a walk over nothing but chance finds one thing that is damaged", async () => {
  const { bytes, places } = await makeObject([
    { type: partType.frame, number: 0, content: new SeededRandom(1).bytes(1_048_576) },
    { type: partType.frame, number: 1, content: new SeededRandom(2).bytes(1_048_576) },
    { type: partType.frame, number: 2, content: new SeededRandom(3).bytes(1_048_576) },
  ]);
  const place = places[0] as PartPlace;
  const storedBytes = 3 * place.storedBytes;
  bytes.bytes.fill(0xee, place.offset, place.offset + storedBytes);
  expect(await walked(bytes)).toMatchObject({ damaged: [{ offset: place.offset, storedBytes }], soundCount: 1 });
});

test("a part that says it is longer than anything is one that is damaged, and those behind it come", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const place = places[1] as PartPlace;
  bytes.bytes.fill(0xff, place.offset + 12, place.offset + 16);
  const { offset, storedBytes } = place;
  expect(await walked(bytes)).toMatchObject({ damaged: [{ offset, storedBytes }], soundCount: places.length });
  expect(storedBytes).toBeGreaterThan(partHeaderBytes);
});

test("what is damaged is said in words", async () => {
  const { bytes, places } = await makeObject(somePlainParts());
  const object = await openObject(bytes);
  const { offset } = places[1] as PartPlace;
  bytes.bytes.fill(0, offset + partHeaderBytes, offset + partHeaderBytes + 4);
  await expect(object.readNewPart(places[1] as PartPlace)).rejects.toThrow(
    /^segments\/000000000007\.0002 is damaged in its part frame 4 \(at 220, \d+ bytes\): its checksum does not fit$/,
  );
});
