/** A simulated index with something in it, and what is done to its folder behind its back. */
import { expect } from "vitest";
import { addressOf } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { directories, found, numbers, segmentOfBlocks } from "./index-blocks.ts";
import type { SimIndexWorld } from "./index-world.ts";

export const mapPath = "/index/fingerprints.map";
export const segments = new Map([
  [5, numbers(0, 50)],
  [6, numbers(100, 50)],
]);
export const names = [...segments.keys()].map((segment) => ({ segment, generation: 0 }));

export async function addAll(world: SimIndexWorld, index: FingerprintIndex): Promise<void> {
  for (const name of names) {
    await world.drive(index.add(name, segmentOfBlocks(name.segment, segments.get(name.segment) ?? [])));
  }
  await world.drive(index.flush());
}

export async function closedIndex(world: SimIndexWorld): Promise<void> {
  const index = await world.open();
  await addAll(world, index);
  await world.drive(index.close());
}

/** As it is when a process dies: nothing is written any more, and no lock is held. */
export async function abandoned(world: SimIndexWorld): Promise<void> {
  await world.open();
  world.host.kill();
}

export async function expectRebuilt(world: SimIndexWorld, index: FingerprintIndex): Promise<void> {
  const missing = await world.drive(index.missing(names));
  expect(missing).toEqual(names);
  await world.drive(index.rebuild(directories(segments, missing), () => {}));
  expect(found(index, [0, 149])).toEqual([addressOf(5, 0), addressOf(6, 49)]);
  expect(await world.drive(index.missing(names))).toEqual([]);
}

export function asides({ host }: SimIndexWorld): string[] {
  return host.files.list("/index").filter((name) => name.includes("aside"));
}

export function fileBytes({ host }: SimIndexWorld, path: string): Buffer {
  const handle = host.files.open(path, "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  handle.close();
  return bytes;
}

export function writeFile({ host }: SimIndexWorld, path: string, bytes: Buffer): void {
  const handle = host.files.open(path, "readWrite");
  handle.truncateNow(0);
  handle.writeNow(bytes, 0, bytes.length, 0);
  handle.close();
}

export function flipBit(world: SimIndexWorld, path: string, at: number): void {
  const bytes = fileBytes(world, path);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFile(world, path, bytes);
}
