/**
 * A volume with data, sealed: an image of files as it was written first, in rows, and an eighth of its blocks written again one
 * by one in disorder, with a few bytes changed in each. At both points it holds what an image file does, so that others can be asked
 * for the same.
 */
import { closeSync, copyFileSync, openSync, statSync, truncateSync, writeSync } from "node:fs";
import { blockBytes } from "#src/core/limits.ts";
import { putLe64 } from "#src/core/little-endian.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BenchHistory, type BenchWrite, benchGroup } from "./points-history.ts";
import type { Scratch } from "./scratch.ts";
import { makePackagesImage } from "./store-image.ts";
import { objectsFolder, openOwnStore } from "./store-own.ts";
import { ImageSource } from "./store-source.ts";

const MiB = 1024 ** 2;
const rowBlocks = 256;
/** One in so many is written again. */
const againShare = 8;
const sealThreadCount = 2;

/** What the volume holds at a point, as a plain file. */
export interface PointImageFile {
  readonly image: string;
  readonly seq: number;
}

export interface PointsData {
  readonly storeFolder: string;
  readonly sizeBytes: number;
  /** As it was written first. */
  readonly first: PointImageFile;
  /** With what was written again. */
  readonly last: PointImageFile;
}

export async function makePointsData(
  scratch: Scratch,
  imageMebibytes: number,
  show: (what: string) => void,
): Promise<PointsData> {
  const [first, last, folder] = [scratch.file("first"), scratch.file("last"), scratch.file("store")];
  show("an image of files");
  await makePackagesImage(scratch, first, imageMebibytes * MiB);
  const sizeBytes = Math.ceil(statSync(first).size / (rowBlocks * blockBytes)) * rowBlocks * blockBytes;
  truncateSync(first, sizeBytes);
  copyFileSync(first, last);
  const blockCount = sizeBytes / blockBytes;
  const again = blocksAgain(blockCount);
  changeBlocks(last, again);
  show("seals what was written");
  const store = await openOwnStore(folder, sealThreadCount);
  let segment = await sealAll(store.store, first, 0, undefined);
  segment = await sealAll(store.store, last, segment, again);
  await store.close();
  show("makes its history");
  const seqs = await recordAll(folder, blockCount, again);
  return {
    storeFolder: objectsFolder(folder),
    sizeBytes,
    first: { image: first, seq: seqs.first },
    last: { image: last, seq: seqs.last },
  };
}

/** In disorder. */
function blocksAgain(blockCount: number): Uint32Array {
  const random = new SeededRandom(11);
  const again: number[] = [];
  for (let block = 0; block < blockCount; block++) if (random.integerBelow(againShare) === 0) again.push(block);
  for (let index = again.length - 1; index > 0; index--) {
    const other = random.integerBelow(index + 1);
    [again[index], again[other]] = [again[other] as number, again[index] as number];
  }
  return Uint32Array.from(again);
}

function changeBlocks(image: string, blocks: Uint32Array): void {
  const descriptor = openSync(image, "r+");
  const changed = Buffer.alloc(16, 0xa5);
  for (const block of blocks) {
    const position = block * blockBytes;
    putLe64(changed, 0, block);
    writeSync(descriptor, changed, 0, changed.length, position);
  }
  closeSync(descriptor);
}

type OwnSegments = Awaited<ReturnType<typeof openOwnStore>>["store"];

/** Behind this segment. Answers the last one. */
async function sealAll(store: OwnSegments, image: string, behind: number, numbers: Uint32Array | undefined) {
  const source = new ImageSource(image, numbers);
  for (let index = 0; index < source.segmentCount; index++) {
    await store.seal(source.segment(index, behind + index + 1), { group: benchGroup, level: 0 });
  }
  const last = behind + source.segmentCount;
  source.close();
  return last;
}

/** Two snapshots are behind the last point: half of what was written again came behind them. */
async function recordAll(folder: string, blockCount: number, again: Uint32Array) {
  const bench = await BenchHistory.begin(folder, blockCount);
  await bench.write(rows(blockCount));
  await bench.snapshot(false);
  const first = bench.lastSeq;
  bench.nextSegment();
  const half = Math.floor(again.length / 2);
  await bench.write(singles(again.subarray(0, half)));
  await bench.snapshot(false);
  await bench.write(singles(again.subarray(half)));
  await bench.close();
  return { first, last: bench.lastSeq };
}

function* rows(blockCount: number): Generator<BenchWrite> {
  for (let startBlock = 0; startBlock < blockCount; startBlock += rowBlocks)
    yield { startBlock, blockCount: rowBlocks };
}

function* singles(blocks: Uint32Array): Generator<BenchWrite> {
  for (const startBlock of blocks) yield { startBlock, blockCount: 1 };
}
