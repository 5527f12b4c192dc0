/** Where faults can be ordered for the works of the store that nobody waits for. */
import { expect, test } from "vitest";
import { hookedObjects } from "#src/control/hooked-objects.ts";
import { sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import type { ObjectName, Objects } from "#src/store/objects.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import { MemoryObjects } from "#test/store/memory-objects.ts";

const group = "ab".repeat(16);

async function put(objects: Objects, name: ObjectName): Promise<void> {
  const writer = objects.create(name);
  await writer.write(Buffer.alloc(16, 1));
  await writer.finish();
}

test("a place before a snapshot or a folded piece has its name, and one behind it; what is sealed has none", async () => {
  const inner = new MemoryObjects();
  const places: string[] = [];
  const objects = hookedObjects(inner, (place) => places.push(place));
  await put(objects, sealedPieceName({ group, firstSeq: 1 }));
  expect(places).toEqual([]);
  await put(objects, sealedPieceName({ group, firstSeq: 1, folded: { lastSeq: 9, generation: 1 } }));
  await put(objects, snapshotName({ group, seq: 9 }));
  await objects.remove(sealedPieceName({ group, firstSeq: 1 }));
  const works = ["fold", "snapshot"].flatMap((work) => [`store.before-${work}`, `store.after-${work}`]);
  expect(places).toEqual([...works, "store.before-removal"]);
});

test("what fails at a place before leaves nothing of the name, and what fails behind it leaves it", async () => {
  const [first, second] = [1, 2].map((seq) => snapshotName({ group, seq })) as [string, string];
  const inner = new MemoryObjects();
  const failingAt = (wanted: string): Objects =>
    hookedObjects(inner, (place) => {
      if (place === wanted) throw new Error(`a fault at ${place}`);
    });
  await expect(put(failingAt("store.before-snapshot"), first)).rejects.toThrow("before-snapshot");
  expect(inner.contents.has(first)).toBe(false);
  await expect(put(failingAt("store.after-snapshot"), second)).rejects.toThrow("after-snapshot");
  expect(inner.contents.has(second)).toBe(true);
  await expect(failingAt("store.before-removal").remove(second)).rejects.toThrow("before-removal");
  expect(inner.contents.has(second)).toBe(true);
});

test("where no fault was ordered the objects are what they were", () => {
  const objects = new MemoryObjects();
  expect(hookedObjects(objects, undefined)).toBe(objects);
});
