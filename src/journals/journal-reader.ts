/**
 * Reads a group's journals back: the records in their order, each with its payload, every block of which is checked. What
 * is damaged is an error that says what exactly; nothing is left out silently.
 */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { segmentOf } from "#src/records/address.ts";
import { hasPayload } from "#src/records/record.ts";
import type { AddressRun } from "#src/store/block-reader.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { MetadataCursor } from "./metadata-cursor.ts";
import type { MetadataEntry } from "./metadata-entry.ts";
import type { JournalIdentity } from "./metadata-piece.ts";
import { DamagedBlocksError, SegmentReader } from "./segment-reader.ts";

export interface JournalRecord extends MetadataEntry {
  readonly extra: Buffer;
  /**
   * It stands with others of the same seq, up to an `aggregate` record, for all records that they were folded from: only
   * all of them together are a state of the volumes.
   */
  readonly isAggregated: boolean;
}

/** Reads what lies in sealed segments; answers which blocks are damaged, counted from the run's first one on. */
export interface SealedBlocks {
  has(segment: number): boolean;
  read(run: AddressRun, target: Buffer, start: number): Promise<number[]>;
}

export class JournalReader {
  readonly #files: Files;
  readonly #folder: JournalFolder;
  readonly #identity: JournalIdentity;
  readonly #segments: SegmentReader;
  readonly #sealed: SealedBlocks | undefined;

  constructor(files: Files, folder: JournalFolder, identity: JournalIdentity, sealed?: SealedBlocks) {
    this.#sealed = sealed;
    this.#files = files;
    this.#folder = folder;
    this.#identity = identity;
    this.#segments = new SegmentReader(files, folder, identity.group);
  }

  /** The records after `afterSeq` up to `lastSeq`, which are known to be there. An aggregate is at its last seq, whole. */
  *records(afterSeq: number, lastSeq: number): Generator<JournalRecord> {
    if (lastSeq <= afterSeq) return;
    const cursor = new MetadataCursor(this.#files, this.#folder, this.#identity, afterSeq + 1);
    try {
      if (cursor.expectedSeq > afterSeq + 1) throw this.#missing(afterSeq + 1, lastSeq, "nothing");
      for (let seq = cursor.expectedSeq - 1; seq < lastSeq; ) {
        const found = cursor.next();
        if (found.finding !== "sound")
          throw this.#missing(Math.max(cursor.expectedSeq, afterSeq + 1), lastSeq, found.finding);
        seq = found.lastSeq;
        if (seq <= afterSeq) continue;
        // Whoever takes them may take a while, and the walk's memory is used again.
        const records = found.records.map((record) => ({
          ...record,
          isAggregated: found.isAggregate,
          extra: Buffer.from(found.bytes.subarray(record.extraAt, record.extraAt + record.extraBytes)),
        }));
        for (const record of records) if (record.seq > afterSeq && record.seq <= lastSeq) yield record;
      }
    } finally {
      cursor.close();
    }
  }

  #missing(seq: number, lastSeq: number, finding: string): StopError {
    return new StopError(
      `${this.#folder.metadataPath} is damaged (${finding}): the records from ${seq} on cannot be read, of those up to ${lastSeq}`,
    );
  }

  /** Reads the payload to `start` in `target`; answers its bytes. Rejects with a `DamagedBlocksError` for just what is damaged. */
  async readPayload(record: MetadataEntry, target: Buffer, start: number): Promise<number> {
    if (!hasPayload(record.type)) return 0;
    // What the store has it has whole; of files that were removed a loss of power may bring back some.
    if (this.#sealed?.has(segmentOf(record.address)) !== true) {
      this.#segments.read(record, target, start);
    } else {
      const damaged = await this.#sealed.read(record, target, start);
      if (damaged.length > 0)
        throw new DamagedBlocksError(
          record,
          damaged.map((block) => record.startBlock + block),
        );
    }
    return record.blockCount * blockBytes;
  }

  close(): void {
    this.#segments.close();
  }
}
