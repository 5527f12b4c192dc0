/** Segments in a store that is encrypted: nobody without its key has anything of them. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { rotateKey } from "#src/store/store-key-change.ts";
import type { StoreKeys } from "#src/store/store-keys.ts";
import { openStore } from "#src/store/store-opening.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import { driven } from "#test/contract/driver.ts";
import { origin, Segment, SegmentWorld } from "./segment-world.ts";

const keyOf = (letter: string) => WrappingKey.parse(Buffer.from(letter.repeat(64)), "the key file");

interface Sealed {
  readonly world: SegmentWorld;
  readonly keys: StoreKeys;
  readonly segments: readonly Segment[];
}

async function sealed(): Promise<Sealed> {
  const world = await SegmentWorld.make(1);
  const { keys } = await driven(world.driver, openStore(world.inner, world.host, keyOf("a")));
  const store = await world.store(world.inner, keys);
  const segments = [1, 2].map((segment) => new Segment(segment, world.simulation.random));
  for (const segment of segments) await driven(world.driver, store.seal(segment, origin));
  expect(store.figures.uniqueBytes).toBeLessThan(store.figures.logicalBytes);
  return { world, keys: keys as StoreKeys, segments };
}

function fileOf({ host }: SegmentWorld, segment: number): Buffer {
  const handle = host.files.open(`/store/segments/00000000000${segment}.0000`, "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  handle.close();
  return bytes;
}

test("blocks come back with the store's keys, and still do when it opens with another key", async () => {
  const { world, keys, segments } = await sealed();
  const before = segments.map(({ segment }) => fileOf(world, segment));
  for (const segment of segments) expect(await world.read(await world.store(world.inner, keys), segment)).toBe(0);
  await driven(world.driver, rotateKey(world.inner, world.host.randomness, keyOf("a"), keyOf("b")));
  await world.inner.close();
  const objects = await driven(world.driver, FolderObjects.open(world.host, "/store"));
  const opened = await driven(world.driver, openStore(objects, world.host, keyOf("b")));
  for (const segment of segments) expect(await world.read(await world.store(objects, opened.keys), segment)).toBe(0);
  expect(segments.map(({ segment }) => fileOf(world, segment))).toEqual(before);
});

test("nothing of a block, and no fingerprint that somebody could make without the key, is in a file", async () => {
  const { world, keys, segments } = await sealed();
  const files = Buffer.concat(segments.map(({ segment }) => fileOf(world, segment)));
  await driven(world.driver, world.index.close());
  const index = Buffer.concat(
    world.host.files.entries("/index").flatMap(({ name, isFolder }) => {
      if (isFolder) return [];
      const handle = world.host.files.open(`/index/${name}`, "read");
      const bytes = Buffer.alloc(handle.sizeBytesNow());
      handle.readNow(bytes, 0, bytes.length, 0);
      handle.close();
      return [bytes];
    }),
  );
  const secret = Buffer.alloc(32);
  const formsOf = (bytes: Buffer) => [bytes, Buffer.from(bytes.toString("hex"))];
  let foundCount = 0;
  for (const block of segments.flatMap(({ blocks }) => blocks)) {
    if (block.every((byte) => byte === 0)) continue;
    expect(files.includes(block.subarray(100, 116))).toBe(false);
    for (const fingerprints of [plainFingerprints, keyedFingerprints(keys.fingerprintKey)]) {
      fingerprints.put(block, 0, blockBytes, secret, 0);
      expect(files.includes(secret.subarray(0, 8))).toBe(false);
      const isFound = formsOf(secret.subarray(0, 8)).some((form) => index.includes(form));
      if (fingerprints === plainFingerprints) expect(isFound).toBe(false);
      else if (isFound) foundCount++;
    }
  }
  expect(foundCount).toBeGreaterThan(0);
});

test("fault 40: without the key, or with that of another store, nothing is read", async () => {
  const { world, segments } = await sealed();
  const [segment] = segments as readonly [Segment];
  await expect(world.read(await world.store(world.inner), segment)).rejects.toMatchObject({
    name: "RefuseError",
    message: "segments/000000000001.0000 is encrypted, and the store's key is not at hand",
  });
  const other = await SegmentWorld.make(2);
  const { keys } = await driven(other.driver, openStore(other.inner, other.host, keyOf("a")));
  const target = await world.store(world.inner, keys);
  expect(await world.read(target, segment)).toBe(segment.slotCount);
});
