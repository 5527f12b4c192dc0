/** Objects in which somebody has written what he liked, with checksums that fit. */
import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { putLe32 } from "#src/core/little-endian.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { describeObject, objectLine } from "#src/store/object-description.ts";
import { type PartPlace, partHeaderBytes, partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import {
  makeObject,
  objectName,
  openObject,
  placed,
  type SmallObject,
  somePlainParts,
  storeKey,
} from "./small-object.ts";

const ends = [0, 1, 31, 32, 127, 128, 2 ** 16, 2 ** 20, 2 ** 20 + 1, 2 ** 24, 2 ** 31, 2 ** 32 - 1];

/** Changes one field, or a byte, from `start` to `end`, and sums it anew. */
function write(bytes: Buffer, start: number, end: number, random: SeededRandom): void {
  const at = random.between(start, end - 1);
  if (random.chance(0.5)) bytes[at] = random.integerBelow(256);
  else putLe32(bytes, Math.min(at, end - 4), random.pick(ends));
}

function change(bytes: Buffer, places: readonly PartPlace[], random: SeededRandom): void {
  const place = random.pick([undefined, ...places]);
  if (place === undefined) {
    const start = random.pick([0, bytes.length - 128]);
    write(bytes, start + 4, start + 120, random);
    putChecksum(bytes, start, start + 120, bytes, start + 120);
    return;
  }
  const end = place.offset + place.storedBytes;
  // Mostly its header, and what decides how it is decompressed.
  const isHeader = random.chance(0.6);
  write(
    bytes,
    place.offset + (isHeader ? 8 : partHeaderBytes),
    isHeader ? place.offset + partHeaderBytes : end,
    random,
  );
  putChecksum(bytes, place.offset + 8, end, bytes, place.offset);
}

/** Everything that can be done with it. Answers what went wrong. */
async function useAll({ bytes, parts, places, table }: SmallObject, key: Buffer | undefined): Promise<unknown[]> {
  const failed: unknown[] = [];
  const tried = async (doing: () => Promise<unknown>) => {
    try {
      await doing();
    } catch (error) {
      failed.push(error);
    }
  };
  await tried(async () => {
    const object = await openObject(bytes, key);
    const target = Buffer.alloc(4096);
    // Without the key nobody can make something that passes for what it was.
    if (key !== undefined) expect(object.table).toEqual(table);
    for (const [index, place] of places.entries()) {
      await tried(async () => {
        const content = await object.readNewPart(place);
        if (key !== undefined) expect(content).toEqual(parts[index]?.content);
      });
    }
    for (const place of places) await tried(() => object.readPart(place, target, 0));
    for (const found of await object.readRun(placed(places))) if (typeof found !== "number") failed.push(found);
    for await (const part of object.parts()) if (part instanceof Error) failed.push(part);
  });
  await tried(async () => {
    for await (const item of describeObject(bytes, objectName)) expect(objectLine(item)).not.toContain("undefined");
  });
  return failed;
}

test.each([
  ["plain", undefined],
  ["encrypted", storeKey],
] as const)("whatever an object says, it is damage, or refused, and nothing else: %s", async (_, key) => {
  const random = new SeededRandom(2024);
  const made = await makeObject(somePlainParts(), { key });
  const sound = made.bytes.bytes;
  const { tableAt, tableBytes } = (await openObject(made.bytes, key)).footer;
  const table = { type: partType.table, number: 0, offset: tableAt, storedBytes: tableBytes };
  let failedCount = 0;
  for (let round = 0; round < 2500; round++) {
    made.bytes.bytes = Buffer.from(sound);
    for (let changes = random.between(1, 2); changes > 0; changes--)
      change(made.bytes.bytes, [...made.places, table], random);
    for (const error of await useAll(made, key)) {
      failedCount++;
      if (!(error instanceof ObjectDamageError || error instanceof RefuseError)) throw error;
    }
  }
  expect(failedCount).toBeGreaterThan(1000);
});
