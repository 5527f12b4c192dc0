/**
 * The end of a group's metadata journal: records are gathered into batches, and what was gathered is written at once.
 * Pieces are only ever appended to. Where a write failed nothing more is written: a new one of these begins a new piece,
 * so that no position is used twice.
 *
 * Invariants: gathered batches lie behind each other in the open piece, from `pieceBytes` on; the batches of an aggregate
 * lie in one piece.
 */
import { assert } from "#src/core/assert.ts";
import { alignUp } from "#src/core/byte-range.ts";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { logFileMagic, putLogFileHeader } from "#src/records/log-file.ts";
import type { DirtyFiles } from "./dirty-files.ts";
import type { JournalFolder } from "./journal-folder.ts";
import type { MetadataAggregate } from "./metadata-aggregate.ts";
import { MetadataBatchBuilder, type MetadataBatchPlace, metadataBatchBytesMax } from "./metadata-batch.ts";
import type { MetadataEntry } from "./metadata-entry.ts";

export interface MetadataJournalParts {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly group: string;
  readonly incarnation: number;
  /** The size of a piece when it is full. */
  readonly pieceBytes: number;
  readonly dirty: DirtyFiles;
  /** Up to where the journals are known to be durable. */
  readonly durableSeq: () => number;
}

const gatheredBytesMax = 4 * metadataBatchBytesMax;

export class MetadataJournal {
  readonly #parts: MetadataJournalParts;
  readonly #builder = new MetadataBatchBuilder();
  readonly #gathered = Buffer.alloc(gatheredBytesMax);
  #gatheredBytes = 0;
  #piece: FileHandle | undefined;
  /** Undefined: the next batch begins a piece, at `#endPosition` or behind it. */
  #basePosition: number | undefined;
  /** Written of the open piece. */
  #pieceBytes = 0;
  #endPosition: number;
  #pieceCount = 0;
  #expectedSeq: number;

  /** `endPosition`: no position before it is free. `expectedSeq`: the one after the last record's. */
  constructor(parts: MetadataJournalParts, endPosition: number, expectedSeq: number) {
    assert(parts.pieceBytes >= logFileHeaderBytes + metadataBatchBytesMax, "a largest batch fits into a piece");
    this.#parts = parts;
    this.#endPosition = endPosition;
    this.#expectedSeq = expectedSeq;
  }

  /** Pieces begun since the start. */
  get pieceCount(): number {
    return this.#pieceCount;
  }

  get openFileCount(): number {
    return this.#piece === undefined ? 0 : 1;
  }

  /** What was added and is not written. */
  get pendingBytes(): number {
    return this.#gatheredBytes + (this.#builder.recordCount > 0 ? this.#builder.spanBytes : 0);
  }

  /** The record's extra part lies at `extraAt` in `bytes`. */
  add(entry: MetadataEntry, bytes: Buffer, extraAt: number): void {
    if (!this.#builder.takes(entry)) this.#finishBatch();
    this.#builder.add(entry, bytes, extraAt);
  }

  /** All of an aggregate at once. What it has to say of payloads may be on the disk before `write`. */
  addAggregate(aggregate: MetadataAggregate): void {
    assert(aggregate.firstSeq === this.#nextSeq, "an aggregate follows what was added before");
    if (this.#builder.recordCount > 0) this.#finishBatch();
    this.#makeRoom(aggregate.spanBytes);
    for (let index = 0; index < aggregate.batchCount; index++) {
      const spanBytes = aggregate.batchSpanBytes(index);
      if (this.#gatheredBytes + spanBytes > gatheredBytesMax) this.#writeGathered();
      aggregate.putBatch(index, this.#place(), this.#gathered, this.#gatheredBytes);
      this.#gatheredBytes += spanBytes;
    }
    this.#expectedSeq = aggregate.lastSeq + 1;
  }

  get #nextSeq(): number {
    return this.#builder.recordCount > 0 ? this.#builder.endSeq : this.#expectedSeq;
  }

  /** Writes all that was added. */
  write(): void {
    if (this.#builder.recordCount > 0) this.#finishBatch();
    this.#writeGathered();
  }

  #finishBatch(): void {
    const spanBytes = this.#builder.spanBytes;
    if (this.#gatheredBytes + spanBytes > gatheredBytesMax) this.#writeGathered();
    this.#makeRoom(spanBytes);
    this.#expectedSeq = this.#builder.endSeq;
    this.#builder.finish(this.#place(), this.#gathered, this.#gatheredBytes);
    this.#gatheredBytes += spanBytes;
  }

  /** In the open piece. In a new one there always is: one that an aggregate overfills is longer than others. */
  #makeRoom(spanBytes: number): void {
    const used = this.#pieceBytes + this.#gatheredBytes;
    if (this.#basePosition === undefined || used + spanBytes > this.#parts.pieceBytes) this.#roll();
  }

  #place(): MetadataBatchPlace {
    return {
      incarnation: this.#parts.incarnation,
      position: (this.#basePosition as number) + this.#pieceBytes + this.#gatheredBytes,
      durableSeq: this.#parts.durableSeq(),
    };
  }

  #writeGathered(): void {
    if (this.#gatheredBytes === 0) return;
    const { files, folder, dirty } = this.#parts;
    const basePosition = this.#basePosition as number;
    this.#piece ??= files.open(folder.piecePath(basePosition), "readWrite");
    dirty.written(this.#piece);
    this.#piece.writeNow(this.#gathered, 0, this.#gatheredBytes, this.#pieceBytes);
    this.#pieceBytes += this.#gatheredBytes;
    this.#endPosition = basePosition + this.#pieceBytes;
    this.#gatheredBytes = 0;
  }

  #roll(): void {
    this.#writeGathered();
    this.release();
    const { files, folder, dirty, group, incarnation, pieceBytes } = this.#parts;
    const basePosition = alignUp(this.#endPosition, pieceBytes);
    const header = Buffer.alloc(logFileHeaderBytes);
    putLogFileHeader(header, 0, {
      magic: logFileMagic.metadata,
      group,
      incarnation,
      basePosition,
      fullBytes: pieceBytes,
      firstSeq: this.#expectedSeq,
      releasedSeq: 0,
    });
    dirty.named(folder.metadataPath);
    this.#piece = files.create(folder.piecePath(basePosition));
    dirty.written(this.#piece);
    this.#piece.writeNow(header, 0, header.length, 0);
    this.#pieceCount++;
    this.#basePosition = basePosition;
    this.#pieceBytes = header.length;
    this.#endPosition = basePosition + header.length;
  }

  /** Lets go of the file; it is opened again when it is needed. */
  release(): void {
    if (this.#piece !== undefined) this.#parts.dirty.retire(this.#piece);
    this.#piece = undefined;
  }
}
