/** Objects of random parts, read back in every way that there is. */
import { expect, test } from "vitest";
import { objectRunBytesMax, partBytesMax } from "#src/core/store-limits.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectFile } from "#src/store/object-file.ts";
import { type PartPlace, partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { makeObject, openObject, type PlainPart } from "./small-object.ts";

const chance = new SeededRandom(77).bytes(partBytesMax);

/** Zeros, a pattern, chance, or both halves of it, mostly short. */
function randomContent(random: SeededRandom): Buffer {
  const byteLength = random.chance(0.1) ? random.between(0, partBytesMax) : random.between(0, 40_000);
  const content = Buffer.alloc(byteLength);
  if (random.chance(0.2)) return content;
  if (random.chance(0.3)) return content.fill(`pattern ${random.integerBelow(100)} `);
  const from = random.integerBelow(partBytesMax - byteLength + 1);
  const length = random.chance(0.5) ? byteLength : byteLength >>> 1;
  chance.copy(content, 0, from, from + length);
  return content;
}

function randomParts(random: SeededRandom): PlainPart[] {
  return Array.from({ length: random.between(0, 60) }, () => ({
    type: random.pick([partType.frame, partType.slots, partType.fingerprints]),
    number: random.integerBelow(2 ** 32),
    content: randomContent(random),
  }));
}

/** As many neighbours from `first` on as fit into a run, or some of them. */
function randomRun(places: readonly PartPlace[], first: number, random: SeededRandom): PartPlace[] {
  const run: PartPlace[] = [];
  let storedBytes = 0;
  for (const place of places.slice(first, first + random.between(1, 30))) {
    storedBytes += place.storedBytes;
    if (storedBytes > objectRunBytesMax) break;
    run.push(place);
  }
  return run;
}

async function expectRuns(
  object: ObjectFile,
  places: readonly PartPlace[],
  parts: readonly PlainPart[],
  random: SeededRandom,
) {
  for (let first = 0; first < places.length; ) {
    const run = randomRun(places, first, random);
    const expected = parts.slice(first, first + run.length).map((part) => part.content);
    const rooms = expected.map((content) => Buffer.alloc(content.length));
    const found = await object.readRun(run.map((place, index) => ({ ...place, room: rooms[index] as Buffer })));
    expect(found).toEqual(expected.map((content) => content.length));
    expect(Buffer.concat(rooms).equals(Buffer.concat(expected))).toBe(true);
    first += run.length;
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])("what is put into an object comes back, seed %i", async (seed) => {
  const random = new SeededRandom(seed);
  const key = random.chance(0.5) ? random.bytes(32) : undefined;
  const made = await makeObject(randomParts(random), { key, randomness: random, table: randomContent(random) });
  const { bytes, parts, places, table } = made;
  const object = await openObject(bytes, key);
  expect(object.table.equals(table)).toBe(true);
  for (const [index, place] of places.entries()) {
    expect((await object.readNewPart(place)).equals(parts[index]?.content as Buffer)).toBe(true);
  }
  await expectRuns(object, places, parts, random);
  let index = 0;
  for await (const part of object.parts()) {
    if (part instanceof ObjectDamageError) throw part;
    const { type, number, content } = parts[index] ?? { type: partType.table, number: 0, content: table };
    expect(part).toMatchObject({ type, number });
    expect(part.content.equals(content)).toBe(true);
    index++;
  }
  expect(index).toBe(parts.length + 1);
});
