/** Reads payloads out of data segments, open or sealed, as docs/formats.md describes them. */
import { blockBytes } from "#src/core/limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import type { SealedBlocks } from "#test/oracle/sealed-blocks.ts";
import type { SimDisk } from "#test/sim/sim-disk.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import type { FoundEntry } from "./batch-reading.ts";
import { filesOf, Written } from "./file-tree.ts";
import type { KnownRecord } from "./record-history.ts";
import type { RemoteDisks } from "./remote-disks.ts";
import { demand, Violation } from "./violation.ts";

const slotsPerSegment = 65_536;
const sumsHeaderBytes = 512;
const sumBytes = 16;

interface SegmentFiles {
  readonly data: SimFile;
  readonly sums: SimFile;
  readonly dataPath: string;
  readonly sumsPath: string;
}

/** Found once: a segment's files keep their names until they are removed. */
const found = new WeakMap<SimDisk, Map<string, SegmentFiles>>();

export function segmentFiles(disk: SimDisk, group: string, segment: number): SegmentFiles | undefined {
  const known = found.get(disk) ?? new Map<string, SegmentFiles>();
  found.set(disk, known);
  const key = `${group} ${segment}`;
  const files = stillThere(disk, known.get(key)) ?? lookUp(disk, group, segment);
  if (files !== undefined) known.set(key, files);
  return files;
}

function stillThere(disk: SimDisk, files: SegmentFiles | undefined): SegmentFiles | undefined {
  if (files === undefined) return undefined;
  return disk.find(files.dataPath) === files.data && disk.find(files.sumsPath) === files.sums ? files : undefined;
}

function lookUp(disk: SimDisk, group: string, segment: number): SegmentFiles | undefined {
  const header = Buffer.alloc(64);
  const all = filesOf(disk.root);
  for (const [path, sums] of all) {
    if (!path.endsWith(".sums") || sums.current.read(header, 0, 64, 0) < 64) continue;
    if (header.toString("hex", 8, 24) !== group || Number(header.readBigUInt64LE(24)) !== segment) continue;
    const dataPath = path.replace(/\.sums$/, ".data");
    const data = all.get(dataPath);
    if (data !== undefined) return { data, sums, dataPath, sumsPath: path };
  }
  return undefined;
}

export function segmentOf({ address }: FoundEntry): number {
  return Math.floor(address / slotsPerSegment);
}

/**
 * The entry's payload, block behind block; throws where a disk has something else than its sums say. What is sealed is read
 * there: of files that were removed a loss of power may bring back some.
 */
export function payloadOf(disks: RemoteDisks, group: string, entry: FoundEntry): Buffer {
  const sealed = disks.sealed();
  if (sealed?.has(segmentOf(entry)) === true) return sealedPayloadOf(sealed, entry);
  return landedPayloadOf(disks.journals, group, entry);
}

export function sealedPayloadOf(sealed: SealedBlocks, { seq, volume, address, blockCount }: FoundEntry): Buffer {
  try {
    return Buffer.concat(Array.from({ length: blockCount }, (_, block) => sealed.read(volume, address + block)));
  } catch (error) {
    throw new Violation(
      "truth",
      `a block of seq ${seq} cannot be read where it is sealed: ${(error as Error).message}`,
    );
  }
}

function landedPayloadOf(disk: SimDisk, group: string, entry: FoundEntry): Buffer {
  const segment = segmentOf(entry);
  const slot = entry.address % slotsPerSegment;
  const files = segmentFiles(disk, group, segment);
  demand(
    "prefix",
    files !== undefined,
    () => `seq ${entry.seq} has its payload in segment ${segment}, which is not there`,
  );
  const { data, sums } = files as SegmentFiles;
  const bytes = Buffer.alloc(entry.blockCount * blockBytes);
  const sumsBytes = Buffer.alloc(entry.blockCount * sumBytes);
  const dataCount = data.current.read(bytes, 0, bytes.length, slot * blockBytes);
  const sumsCount = sums.current.read(sumsBytes, 0, sumsBytes.length, sumsHeaderBytes + slot * sumBytes);
  const isWhole = dataCount === bytes.length && sumsCount === sumsBytes.length;
  demand("prefix", isWhole, () => `seq ${entry.seq} has its payload or its sums behind the end of segment ${segment}`);
  for (let block = 0; block < entry.blockCount; block++) {
    const blockAt = block * blockBytes;
    const isSound = hasChecksum(bytes, blockAt, blockAt + blockBytes, sumsBytes, block * sumBytes);
    const isOfVolume = sumsBytes.readUInt32LE(block * sumBytes + checksumBytes) === entry.volume;
    demand("truth", isSound && isOfVolume, () => `block ${block} of seq ${entry.seq} is not what its sums say`);
  }
  return bytes;
}

/** That the payload is the one which the spool had. */
export function demandBlocks(bytes: Buffer, entry: FoundEntry, record: KnownRecord): void {
  record.checksums.forEach((checksum, block) => {
    const expected = Buffer.from(checksum, "latin1");
    const isSame = hasChecksum(bytes, block * blockBytes, (block + 1) * blockBytes, expected, 0);
    demand("prefix", isSame, () => `block ${block} of seq ${entry.seq} is not the block that the spool has`);
  });
}

/** The files that the entry's payload lies in, as they are now. */
export function writtenFiles(disk: SimDisk, group: string, entry: FoundEntry): Written[] {
  const { data, sums } = segmentFiles(disk, group, segmentOf(entry)) as SegmentFiles;
  return [new Written(data), new Written(sums)];
}
