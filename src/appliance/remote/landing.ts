/**
 * Brings batches from the wire into the journals of a group: checks every block, lets the receiver decide, writes the
 * payloads of a frame at once, and what speaks of them when the read from the socket is through. Order on disk: payload, sums, metadata.
 *
 * Invariants: committed <= the receiver's place; a record is in the metadata journal only after its payload was written.
 */

import { ReconnectError } from "#src/core/errors.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { Files } from "#src/host/files.ts";
import { DataJournal } from "#src/journals/data-journal.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import { metadataBatchBytesMax } from "#src/journals/metadata-batch.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import type { JournalIdentity } from "#src/journals/metadata-piece.ts";
import { VolumeTable } from "#src/journals/volume-table.ts";
import { getAggregatePartHeader } from "#src/records/aggregate-part.ts";
import {
  type BatchRecord,
  batchMagic,
  batchRecords,
  batchSpanBytes,
  getBatchHeader,
  hasSoundHeads,
  hasSoundPayload,
} from "#src/records/batch.ts";
import { previousEpochOf } from "#src/records/batch-inspection.ts";
import { recordType } from "#src/records/record.ts";
import { AggregateLanding } from "./aggregate-landing.ts";
import type { Place, Receiver } from "./receiver.ts";

export interface LandingParts {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
  readonly pieceBytes: number;
  /** Of a full data segment. */
  readonly segmentSlots: number;
  /** Of the metadata journal: no position before this is free. */
  readonly endPosition: number;
  readonly receiver: Receiver;
  readonly takeSegment: () => number | undefined;
  /** Payloads of records behind what is committed next are not in this segment. */
  readonly closedSegment: (segment: number, slotCount: number) => void;
  readonly durableSeq: () => number;
  /** A block, or what speaks of it, was not what its checksum was made for. */
  readonly foundUnsound: () => void;
  /** A record about a volume itself was accepted. */
  readonly sawVolume: (type: number, seq: number, volume: number, extra: Buffer) => void;
  /** Of a volume, as of the last record. */
  readonly levelOf: (volume: number) => number;
  readonly hook: FaultHook | undefined;
}

export class Landing {
  readonly dirty: DirtyFiles;
  readonly aggregates: AggregateLanding;
  readonly #parts: LandingParts;
  readonly #data: DataJournal;
  readonly #metadata: MetadataJournal;
  #committed: Place;
  #lastTimeMicros = 0;
  #recordCount = 0;

  constructor(parts: LandingParts) {
    this.#parts = parts;
    this.dirty = new DirtyFiles(parts.files);
    const { files, folder, identity, pieceBytes, segmentSlots: slotsMax, durableSeq, takeSegment } = parts;
    const shared = { files, folder, dirty: this.dirty, group: identity.group };
    this.#data = new DataJournal({ ...shared, slotsMax, takeSegment, closed: parts.closedSegment });
    this.#metadata = new MetadataJournal(
      { ...shared, incarnation: identity.incarnation, pieceBytes, durableSeq },
      parts.endPosition,
      parts.receiver.place.received + 1,
    );
    this.aggregates = new AggregateLanding({
      receiver: parts.receiver,
      data: this.#data,
      metadata: this.#metadata,
      levelOf: parts.levelOf,
      unsound: (what) => this.#unsound(what),
      accepted: (timeMicros) => {
        this.#lastTimeMicros = timeMicros;
        this.commit();
      },
      hook: parts.hook,
    });
    this.#committed = parts.receiver.place;
  }

  /** What the journals hold. */
  get committed(): Place {
    return this.#committed;
  }

  /** Of the last record that was taken since the start; 0: there was none. */
  get lastTimeMicros(): number {
    return this.#lastTimeMicros;
  }

  /** Records that were taken since the start, those that aggregates stand for included. */
  get recordCount(): number {
    return this.#recordCount + this.aggregates.recordCount;
  }

  get segmentCount(): number {
    return this.#data.segmentCount;
  }

  get hasOpenSegment(): boolean {
    return this.#data.hasOpenSegment;
  }

  /** What lands next begins another one. */
  closeSegment(): void {
    this.#data.closeSegment();
  }

  get pieceCount(): number {
    return this.#metadata.pieceCount;
  }

  get openFileCount(): number {
    return this.#data.openFileCount + this.#metadata.openFileCount;
  }

  /** Whole batches lie from `start` to `end`. What is thrown leaves those before the bad one taken, to be committed. */
  land(bytes: Buffer, start: number, end: number): void {
    try {
      for (let at = start; at < end; ) at += this.#landBatch(bytes, at, end);
    } finally {
      // The bytes are the caller's again after this.
      this.#data.writePayloads();
    }
  }

  #landBatch(bytes: Buffer, start: number, end: number): number {
    const part = getAggregatePartHeader(bytes, start);
    if (part !== undefined) return this.aggregates.landPart(bytes, start, end, part);
    this.aggregates.forget();
    const header = getBatchHeader(bytes, start, batchMagic.records);
    if (header === undefined || start + batchSpanBytes(header) > end) throw this.#unsound("a batch's header");
    if (!hasSoundHeads(bytes, start, header)) throw this.#unsound(`the heads of the batch at ${header.firstSeq}`);
    const records = batchRecords(bytes, start, header);
    // An aggregate comes in parts of its own kind.
    if (records === undefined || records.some(({ type }) => type === recordType.aggregate)) {
      throw this.#unsound(`what the batch at ${header.firstSeq} says`);
    }
    const damaged = records.find((record) => !hasSoundPayload(bytes, record));
    if (damaged !== undefined) throw this.#unsound(`the payload of record ${damaged.seq}`);
    const { epoch, firstSeq, recordCount } = header;
    const knownCount = this.#parts.receiver.judgeBatch({
      epoch,
      firstSeq,
      recordCount,
      previous: previousOf(bytes, records),
    });
    if (knownCount < recordCount) this.#landRecords(bytes, records.slice(knownCount));
    return batchSpanBytes(header);
  }

  #unsound(what: string): ReconnectError {
    this.#parts.foundUnsound();
    return new ReconnectError(`${what} did not arrive as it was sent`);
  }

  #landRecords(bytes: Buffer, records: readonly BatchRecord[]): void {
    this.#parts.hook?.("remote.before-data");
    const { levelOf } = this.#parts;
    const addresses = this.#data.land(bytes, records);
    for (const [index, record] of records.entries()) {
      const address = addresses[index] as number;
      this.#metadata.add({ ...record, address, level: levelOf(record.volume) }, bytes, record.extraAt);
      const { type, seq, volume, extraAt, extraBytes } = record;
      if (VolumeTable.isAbout(type)) {
        this.#parts.sawVolume(type, seq, volume, bytes.subarray(extraAt, extraAt + extraBytes));
      }
    }
    const last = records.at(-1) as BatchRecord;
    this.#parts.receiver.accepted(last.epoch, last.seq);
    this.#recordCount += records.length;
    this.#lastTimeMicros = last.timeMicros;
    if (this.#metadata.pendingBytes > metadataBatchBytesMax) this.commit();
  }

  /** Writes what speaks of all that was taken. */
  commit(): void {
    if (this.#committed === this.#parts.receiver.place) return;
    this.#data.writeSums();
    this.#parts.hook?.("remote.after-data");
    this.#metadata.write();
    this.#parts.hook?.("remote.after-metadata");
    this.#committed = this.#parts.receiver.place;
  }

  /** Lets go of the files until something lands again. */
  release(): void {
    this.#data.release();
    this.#metadata.release();
  }
}

function previousOf(bytes: Buffer, records: readonly BatchRecord[]): ReturnType<typeof previousEpochOf> {
  const first = records[0] as BatchRecord;
  if (first.type !== recordType.epoch) return undefined;
  return previousEpochOf(bytes.subarray(first.extraAt, first.extraAt + first.extraBytes));
}
