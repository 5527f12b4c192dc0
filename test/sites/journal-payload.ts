/** Reads payloads out of data segments as docs/formats.md describes them. */
import { blockBytes } from "#src/core/limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import type { SimDisk } from "#test/sim/sim-disk.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import type { FoundEntry } from "./batch-reading.ts";
import { filesOf, Written } from "./file-tree.ts";
import type { KnownRecord } from "./record-history.ts";
import { demand } from "./violation.ts";

const slotsPerSegment = 65_536;
const sumsHeaderBytes = 512;
const sumBytes = 16;

interface SegmentFiles {
  readonly data: SimFile;
  readonly sums: SimFile;
}

/** Found once: a segment's files keep their names for as long as a simulation lasts. */
const found = new WeakMap<SimDisk, Map<string, SegmentFiles>>();

export function segmentFiles(disk: SimDisk, group: string, segment: number): SegmentFiles | undefined {
  const known = found.get(disk) ?? new Map<string, SegmentFiles>();
  found.set(disk, known);
  const key = `${group} ${segment}`;
  const files = known.get(key) ?? lookUp(disk, group, segment);
  if (files !== undefined) known.set(key, files);
  return files;
}

function lookUp(disk: SimDisk, group: string, segment: number): SegmentFiles | undefined {
  const header = Buffer.alloc(64);
  const all = filesOf(disk.root);
  for (const [path, sums] of all) {
    if (!path.endsWith(".sums") || sums.current.read(header, 0, 64, 0) < 64) continue;
    if (header.toString("hex", 8, 24) !== group || Number(header.readBigUInt64LE(24)) !== segment) continue;
    const data = all.get(path.replace(/\.sums$/, ".data"));
    if (data !== undefined) return { data, sums };
  }
  return undefined;
}

/** The entry's payload, block behind block; throws where the disk has something else than its sums say. */
export function payloadOf(disk: SimDisk, group: string, entry: FoundEntry): Buffer {
  const segment = Math.floor(entry.address / slotsPerSegment);
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

/** That the journal has the payload which the spool had. Answers the files that it lies in, as they are now. */
export function demandBlocks(disk: SimDisk, group: string, entry: FoundEntry, record: KnownRecord): Written[] {
  const bytes = payloadOf(disk, group, entry);
  record.checksums.forEach((checksum, block) => {
    const expected = Buffer.from(checksum, "latin1");
    const isSame = hasChecksum(bytes, block * blockBytes, (block + 1) * blockBytes, expected, 0);
    demand("prefix", isSame, () => `block ${block} of seq ${entry.seq} is not the block that the spool has`);
  });
  return writtenFiles(disk, group, entry);
}

/** The files that the entry's payload lies in, as they are now. */
export function writtenFiles(disk: SimDisk, group: string, entry: FoundEntry): Written[] {
  const { data, sums } = segmentFiles(disk, group, Math.floor(entry.address / slotsPerSegment)) as SegmentFiles;
  return [new Written(data), new Written(sums)];
}
