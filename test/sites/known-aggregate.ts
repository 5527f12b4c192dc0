/**
 * What an aggregate in a journal must be: exactly what the records that it stands for make of the volumes, as the spool
 * had them. What was a point by itself is in no aggregate.
 */
import { blockBytes } from "#src/core/limits.ts";
import { hasChecksum } from "#src/host/checksum.ts";
import type { FoundEntry } from "./batch-reading.ts";
import type { JournalUnit } from "./journal-unit.ts";
import { isChange, type KnownRecord, type RecordHistory, type as recordTypes } from "./record-history.ts";
import { demand } from "./violation.ts";

/** For each block that is changed: its checksum, or nothing where it reads as zeros. */
type Content = Map<string, string | undefined>;

export type ReadPayload = (entry: FoundEntry) => Buffer;

export function demandFolded(history: RecordHistory, unit: JournalUnit, read: ReadPayload): void {
  const name = `the aggregate of ${unit.firstSeq} to ${unit.lastSeq}`;
  const expected = folded(history, unit, name);
  const last = history.get(unit.lastSeq) as KnownRecord;
  const found: Content = new Map();
  for (const entry of unit.entries) {
    const isDated = entry.time === last.time && entry.epoch === last.epoch && entry.ordinal === 0;
    demand(
      "prefix",
      isDated,
      () => `an entry of ${name} has another time or epoch than seq ${unit.lastSeq}, or an ordinal`,
    );
    if (entry.type === recordTypes.aggregate) {
      demandFigures(history, unit, entry.extra, name);
      continue;
    }
    demand("prefix", isChange(entry), () => `${name} holds type ${entry.type}`);
    apply(found, entry, entry.type === recordTypes.write ? checksumsOf(read(entry), entry, expected) : undefined);
  }
  demand("prefix", found.size === expected.size, () => `${name} changes ${found.size} blocks, not ${expected.size}`);
  for (const [key, checksum] of expected) {
    demand("prefix", found.get(key) === checksum, () => `${name} has something else in block ${key}`);
  }
}

function demandFigures(history: RecordHistory, { firstSeq, lastSeq }: JournalUnit, extra: string, name: string): void {
  let blocks = 0;
  for (let seq = firstSeq; seq <= lastSeq; seq++) blocks += history.get(seq)?.checksums.length ?? 0;
  const expected = JSON.stringify({ records: lastSeq - firstSeq + 1, bytes: blocks * blockBytes });
  demand("prefix", extra === expected, () => `${name} says that it is of ${extra}, and it is of ${expected}`);
}

function folded(history: RecordHistory, unit: JournalUnit, name: string): Content {
  const content: Content = new Map();
  for (let seq = unit.firstSeq; seq <= unit.lastSeq; seq++) {
    const record = history.get(seq);
    demand("prefix", record?.epoch === unit.epoch, () => `${name} stands for seq ${seq}, which the spool never had`);
    const { type } = record as KnownRecord;
    const isFoldable = isChange(record as KnownRecord) || type === recordTypes.flush;
    demand("prefix", isFoldable, () => `${name} goes over seq ${seq}, which is of type ${type}`);
    demand("prefix", history.isFolded(seq), () => `${name} takes seq ${seq}, which is a point by itself`);
    if (isChange(record as KnownRecord)) apply(content, record as KnownRecord, record?.checksums);
  }
  return content;
}

function apply(
  content: Content,
  { volume, startBlock, blockCount, type }: Pick<FoundEntry, "volume" | "startBlock" | "blockCount" | "type">,
  checksums: readonly (string | undefined)[] | undefined,
): void {
  for (let index = 0; index < blockCount; index++) {
    content.set(
      `${startBlock + index} of volume ${volume}`,
      type === recordTypes.write ? checksums?.[index] : undefined,
    );
  }
}

/** Of each block, the checksum that is expected if it fits. */
function checksumsOf(bytes: Buffer, entry: FoundEntry, expected: Content): string[] {
  return Array.from({ length: entry.blockCount }, (_, index) => {
    const checksum = expected.get(`${entry.startBlock + index} of volume ${entry.volume}`);
    const at = index * blockBytes;
    const fits = checksum !== undefined && hasChecksum(bytes, at, at + blockBytes, Buffer.from(checksum, "latin1"), 0);
    return fits ? checksum : "another";
  });
}
