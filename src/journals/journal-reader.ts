/**
 * Reads a group's journals back: the records in their order, each with its payload, every block of which is checked, be they
 * here or in the store alone. What is damaged is an error that says what exactly; nothing is left out silently.
 */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { segmentOf } from "#src/records/address.ts";
import { hasPayload } from "#src/records/record.ts";
import type { AddressRun } from "#src/store/block-reader.ts";
import type { JournalFolder } from "./journal-folder.ts";
import type { JournalStart } from "./journal-start.ts";
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

/** What the store has of all groups. */
export interface SealedHistory {
  readonly blocks: SealedBlocks;
  /** Those behind `afterSeq`, as far as they are sealed. */
  records(group: string, afterSeq: number): AsyncIterable<JournalRecord>;
}

export interface JournalReaderParts {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
  /** Undefined: nothing is sealed. */
  readonly sealed: SealedHistory | undefined;
  readonly start: JournalStart;
  /** Called once, when nothing is read any more. */
  readonly closed?: () => void;
}

export class JournalReader {
  readonly #parts: JournalReaderParts;
  readonly #segments: SegmentReader;
  #isClosed = false;

  constructor(parts: JournalReaderParts) {
    const { files, folder, identity } = parts;
    this.#parts = parts;
    this.#segments = new SegmentReader(files, folder, identity.group);
  }

  /** The records after `afterSeq` up to `lastSeq`, which are known to be there. An aggregate is at its last seq, whole. */
  async *records(afterSeq: number, lastSeq: number): AsyncGenerator<JournalRecord, void> {
    if (lastSeq <= afterSeq) return;
    const cursor = this.#cursor(afterSeq);
    const sealedSeq = cursor.expectedSeq - 1;
    cursor.close();
    if (sealedSeq > afterSeq) yield* this.#sealedRecords(afterSeq, lastSeq, sealedSeq);
    yield* this.ownRecords(Math.max(afterSeq, sealedSeq), lastSeq);
  }

  #cursor(afterSeq: number): MetadataCursor {
    const { files, folder, identity, start } = this.#parts;
    return new MetadataCursor(files, folder, identity, afterSeq + 1, start);
  }

  async *#sealedRecords(afterSeq: number, lastSeq: number, sealedSeq: number): AsyncGenerator<JournalRecord, void> {
    const { sealed, identity } = this.#parts;
    if (sealed === undefined) throw this.#missing(afterSeq + 1, lastSeq, "nothing");
    let seq = afterSeq;
    for await (const record of sealed.records(identity.group, afterSeq)) {
      if (record.seq > Math.min(lastSeq, sealedSeq)) return;
      seq = record.seq;
      yield record;
    }
    if (seq < Math.min(lastSeq, sealedSeq)) throw this.#missing(seq + 1, lastSeq, "nothing, nor in the store");
  }

  /** The same, if all of them are in the journals here. */
  *ownRecords(afterSeq: number, lastSeq: number): Generator<JournalRecord, void> {
    if (lastSeq <= afterSeq) return;
    const cursor = this.#cursor(afterSeq);
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
      `${this.#parts.folder.metadataPath} is damaged (${finding}): the records from ${seq} on cannot be read, of those up to ${lastSeq}`,
    );
  }

  /** Reads the payload to `start` in `target`; answers its bytes. Rejects with a `DamagedBlocksError` for just what is damaged. */
  async readPayload(record: MetadataEntry, target: Buffer, start: number): Promise<number> {
    if (!hasPayload(record.type)) return 0;
    // What the store has it has whole; of files that were removed a loss of power may bring back some.
    const blocks = this.#parts.sealed?.blocks;
    if (blocks?.has(segmentOf(record.address)) !== true) {
      this.#segments.read(record, target, start);
    } else {
      const { address, blockCount, volume } = record;
      const { group } = this.#parts.identity;
      const damaged = await blocks.read({ address, blockCount, volume, group }, target, start);
      if (damaged.length > 0)
        throw new DamagedBlocksError(
          record,
          damaged.map((block) => record.startBlock + block),
        );
    }
    return record.blockCount * blockBytes;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#segments.close();
    this.#parts.closed?.();
  }
}
