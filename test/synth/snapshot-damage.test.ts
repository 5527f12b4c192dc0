/** Snapshots that are not as they were written, or not those that were meant. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import { synthesize } from "#src/synth/synthesis.ts";
import { plainRecords, RandomUnits } from "#test/journals/random-units.ts";
import { listOf, MemoryObjects, PieceMaker, pieceGroup } from "#test/journals/sealed-pieces.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { differencesOf, idleControl, SnapshotWorld } from "./snapshot-world.ts";

const golden = (name: string) => readFileSync(new URL(`../golden/${name}`, import.meta.url));
const nameOf = (seq: number) => snapshotName({ group: pieceGroup, seq });

function stored(): MemoryObjects {
  const objects = new MemoryObjects();
  objects.bytes.set(nameOf(2000), golden("snapshot-before-v1.bin"));
  objects.bytes.set(nameOf(2001), golden("snapshot-v1.bin"));
  return objects;
}

async function content(objects: MemoryObjects): Promise<unknown> {
  const snapshot = await Snapshot.open(objects, { group: pieceGroup, seq: 2001 }, undefined);
  const { numbers, volumes, sources, through } = snapshot;
  return { numbers, volumes, sources, through, extents: await listOf(snapshot.scan(1)) };
}

test("fault 18: whichever bit of a snapshot is flipped, it says what it said, or nothing", async () => {
  const sound = await content(stored());
  for (const seq of [2000, 2001]) {
    const byteLength = (stored().bytes.get(nameOf(seq)) as Buffer).length;
    for (let at = 0; at < byteLength; at++) {
      const objects = stored();
      const bytes = Buffer.from(objects.bytes.get(nameOf(seq)) as Buffer);
      (bytes[at] as number) ^= 1 << (at % 8);
      objects.bytes.set(nameOf(seq), bytes);
      const found = await content(objects).catch((error: unknown) => error);
      if (found instanceof Error) expect(found.name, `byte ${at} of ${seq}`).toMatch(/^(ObjectDamage|Refuse)Error$/);
      else expect(found, `byte ${at} of ${seq}`).toEqual(sound);
    }
  }
});

test("an object that was made a second time under its name is not taken for the one that was pointed to", async () => {
  const world = new SnapshotWorld(5);
  await world.seal(60);
  const first = await world.synthesize(undefined, world.lastSeq);
  const other = new SnapshotWorld(5);
  other.maker.randomness.bytes(16);
  await other.seal(60);
  const again = await other.synthesize(undefined, other.lastSeq);
  expect(again.name).toBe(first.name);
  await world.seal(1);
  const second = await world.synthesize(first, world.lastSeq);
  const volume = second.volumes.find(({ layers }) => layers[0]?.pointer.snapshotSeq === first.seq)?.number ?? 0;
  world.maker.objects.bytes.set(first.name, other.maker.objects.bytes.get(first.name) as Buffer);
  const reopened = await world.open(second.seq);
  await expect(listOf(reopened.scan(volume))).rejects.toThrow("it is not the one that was pointed to");
});

test("a snapshot that is there is taken as it is, unless it was made of another history", async () => {
  const world = new SnapshotWorld(6);
  await world.seal(10);
  const first = await world.synthesize(undefined, world.lastSeq);
  const bytes = world.maker.objects.bytes.get(first.name);
  const again = await world.synthesize(undefined, world.lastSeq);
  expect(again.seq).toBe(first.seq);
  expect(world.maker.objects.bytes.get(first.name)).toBe(bytes);
  const other = new SnapshotWorld(6);
  other.maker.randomness.bytes(16);
  await other.seal(10);
  other.maker.objects.bytes.set(first.name, bytes as Buffer);
  await expect(other.synthesize(undefined, other.lastSeq)).rejects.toThrow("made of another history");
});

test("pieces that do not follow are no way to a snapshot", async () => {
  const world = new SnapshotWorld(7);
  for (let count = 0; count < 3; count++) await world.seal(5);
  const [first, , third] = world.pieces;
  const step = { base: undefined, seq: world.lastSeq, nowMicros: 1, control: idleControl };
  const pieces = [first, third].filter((piece) => piece !== undefined);
  await expect(synthesize(world.parts, { ...step, pieces })).rejects.toThrow("does not follow");
  expect([...world.maker.objects.bytes.keys()].some((name) => name.startsWith("snapshots/"))).toBe(false);
});

test("in an encrypted store snapshots are encrypted, and read with its key alone", async () => {
  const key = Buffer.alloc(32, 7);
  const maker = new PieceMaker(9, key);
  const units = new RandomUnits(new SeededRandom(9)).take(30);
  const piece = await maker.seal(units);
  const parts = { objects: maker.objects, randomness: maker.randomness, key, group: pieceGroup };
  const seq = piece.numbers.lastSeq;
  const step = { base: undefined, pieces: [piece], seq, nowMicros: 1, control: idleControl };
  const snapshot = await synthesize(parts, step);
  expect(await differencesOf(snapshot, plainRecords(units))).toEqual([]);
  const without = Snapshot.open(maker.objects, { group: pieceGroup, seq }, undefined);
  await expect(without).rejects.toThrow("is encrypted");
  const other = Snapshot.open(maker.objects, { group: pieceGroup, seq }, Buffer.alloc(32, 8));
  await expect(other).rejects.toThrow(ObjectDamageError);
});
