/** Small objects to read, and to damage: with parts of all types, some of them compressed. */
import type { Randomness } from "#src/host/randomness.ts";
import { ObjectBuilder } from "#src/store/object-builder.ts";
import { ObjectFile, type PlacedPart } from "#src/store/object-file.ts";
import { kindNumbersBytes, type ObjectFacts, objectKind } from "#src/store/object-format.ts";
import { type PartPlace, type PartType, partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BytesObject } from "./bytes-object.ts";

export const objectName = "segments/000000000007.0002";
export const facts: ObjectFacts = {
  kind: objectKind.segment,
  group: "00112233445566778899aabbccddeeff",
  number: 7,
  generation: 2,
  level: 3,
};
export const storeKey = Buffer.alloc(32, "the key of a store");
/** In golden files, where it has to be known. */
export const fixedRandomness: Randomness = {
  bytes: (count) => Buffer.from(Array.from({ length: count }, (_, index) => 0xf0 ^ index)),
  integerBelow: () => 0,
};

export interface PlainPart {
  readonly type: PartType;
  readonly number: number;
  readonly content: Buffer;
}

export interface SmallObject {
  readonly bytes: BytesObject;
  /** Without the table, which comes last. */
  readonly parts: readonly PlainPart[];
  readonly places: readonly PartPlace[];
  readonly table: Buffer;
}

export interface Making {
  readonly key?: Buffer | undefined;
  readonly randomness?: Randomness;
  readonly facts?: ObjectFacts;
  readonly table?: Buffer;
}

/** Frames of which every other one can be compressed, then a page of a directory. */
export function somePlainParts(seed = 1): PlainPart[] {
  const random = new SeededRandom(seed);
  const frames = [0, 1, 2, 3].map((index) => ({
    type: partType.frame,
    number: index * 4,
    content: index % 2 === 0 ? random.bytes(60) : Buffer.alloc(200, `frame ${index} `),
  }));
  return [
    ...frames,
    { type: partType.slots, number: 0, content: Buffer.alloc(96, "slots") },
    { type: partType.fingerprints, number: 0, content: random.bytes(64) },
  ];
}

export async function makeObject(parts: readonly PlainPart[], making: Making = {}): Promise<SmallObject> {
  const bytes = new BytesObject();
  const randomness = making.randomness ?? new SeededRandom(99);
  const builder = new ObjectBuilder(bytes, { facts: making.facts ?? facts, randomness, key: making.key });
  const places: PartPlace[] = [];
  for (const { type, number, content } of parts) {
    if (builder.isFull) await builder.flush();
    places.push(builder.addPart(type, number, content, 0, content.length));
  }
  const table = making.table ?? Buffer.from("where everything is");
  await builder.finish({ table, kindNumbers: Buffer.alloc(kindNumbersBytes, 9), timeMicros: 1_700_000_000_123_456 });
  return { bytes, parts, places, table };
}

export function openObject(bytes: BytesObject, key?: Buffer): Promise<ObjectFile> {
  return ObjectFile.open(bytes, objectName, facts, key);
}

/** Each with room of its own. */
export function placed(places: readonly PartPlace[], roomBytes = 4096): PlacedPart[] {
  return places.map((place) => ({ ...place, room: Buffer.alloc(roomBytes) }));
}
