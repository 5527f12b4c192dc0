/**
 * Brings the file of a region map to the size that its volume was given. It is published whole: whatever happens, it is
 * for one size or the other, and if it is still for the former one this is done again.
 *
 * What a volume grows by reads as zeros in the order. Where the source is not known to do so, as a disk that was made
 * larger is not, the new part is marked, and copied like what a source held when its volume was added.
 *
 * Invariant: every region that any marked region reaches into is marked.
 */
import type { Files } from "#src/host/files.ts";
import { publish } from "#src/host/publish.ts";
import { markBytes, resizedBits } from "./region-map.ts";
import {
  chooseCopy,
  copyBytesOf,
  decodeCopy,
  encodeCopy,
  type ReadCopy,
  type RegionMapCopy,
  type RegionMapOwner,
  type RegionMapState,
} from "./region-map-format.ts";

export interface ResizedOwner extends RegionMapOwner {
  /** None: it was never resized. */
  readonly previousBytes?: number;
}

/**
 * Nothing happens where there is no file, or it is for the size already; nor where it is damaged, which is for whoever
 * opens it to say. `isZeroFrom`: whether all of the source from this byte on is known to be zeros.
 */
export async function convertRegionMap(
  files: Files,
  path: string,
  owner: ResizedOwner,
  isZeroFrom: (fromByte: number) => Promise<boolean>,
): Promise<void> {
  const { id, sizeBytes, previousBytes = sizeBytes } = owner;
  if (previousBytes === sizeBytes || !files.exists(path)) return;
  const bytes = contentOf(files, path);
  if (copiesIn(bytes, owner).some(({ kind }) => kind === "whole")) return;
  const [one, other] = copiesIn(bytes, { id, sizeBytes: previousBytes });
  const chosen = chooseCopy(one, other);
  if (chosen === undefined) return;
  const isZero = sizeBytes < previousBytes || (await isZeroFrom(previousBytes));
  const { state, bits } = resizedCopy(chosen.copy, previousBytes, sizeBytes, isZero);
  if (chosen.isDoubtful) markBytes(bits, sizeBytes, 0, sizeBytes);
  const known = chosen.isDoubtful ? { ...state, resyncWanted: true } : state;
  const copies = [0, 1].map((generation) => encodeCopy(owner, { generation, state: known, bits }));
  await publish(files, path, Buffer.concat(copies));
}

/** What a map says after its volume was resized. `isZero`: what it has grown by is known to be zeros. */
export function resizedCopy(
  { state, bits }: RegionMapCopy,
  previousBytes: number,
  sizeBytes: number,
  isZero: boolean,
): { readonly state: RegionMapState; readonly bits: Uint8Array } {
  const resized = resizedBits(bits, previousBytes, sizeBytes);
  if (isZero) return { state, bits: resized };
  markBytes(resized, sizeBytes, previousBytes, sizeBytes);
  return { state: { ...state, base: state.base === "missing" ? "missing" : "copying" }, bits: resized };
}

function contentOf(files: Files, path: string): Buffer {
  const handle = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(handle.sizeBytesNow());
    return bytes.subarray(0, handle.readNow(bytes, 0, bytes.length, 0));
  } finally {
    handle.close();
  }
}

function copiesIn(bytes: Buffer, owner: RegionMapOwner): readonly [ReadCopy, ReadCopy] {
  return [decodeCopy(owner, bytes, 0, 0), decodeCopy(owner, bytes, copyBytesOf(owner.sizeBytes), 1)];
}
