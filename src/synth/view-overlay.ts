/**
 * What was written to a view: journals of its own, of the same form as a group's, and in memory where each block is. Payload first,
 * then the sums, then what speaks of it; so a crash at any moment leaves whole writes in their order, from the first one on, and all
 * that a flush promised.
 *
 * Invariants: what is in the map is written; nothing of what is gathered is. After a write that failed nothing more is written before
 * the journals were opened anew, so that it is known what counts; after a sync that failed nothing more is written at all.
 */
import { assert } from "#src/core/assert.ts";
import { RetryError } from "#src/core/errors.ts";
import { batchRecordCountMax, blockBytes, recordBlocksMax } from "#src/core/limits.ts";
import { viewBlocksMax, viewPieceBytes, viewStageBytes } from "#src/core/view-limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import { whenDone } from "#src/host/when-done.ts";
import { DataJournal, everyWriteLevel } from "#src/journals/data-journal.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import { recoverJournals } from "#src/journals/journal-recovery.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import type { JournalIdentity } from "#src/journals/metadata-piece.ts";
import { SegmentReader } from "#src/journals/segment-reader.ts";
import { segmentOf, slotOf, slotsPerSegment } from "#src/records/address.ts";
import type { BatchRecord } from "#src/records/batch.ts";
import { recordType } from "#src/records/record.ts";
import type { LostSync } from "./lost-sync.ts";
import { OverlayMap, type OverlayRun } from "./overlay-map.ts";

export interface ViewOverlayParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly folder: JournalFolder;
  /** `group`: the view's own id. */
  readonly identity: JournalIdentity;
  readonly blockCount: number;
  /** Of this view, in whatever process. */
  readonly lostSync: LostSync;
}

/** A view is one volume, of which its own journals speak, from its one opening on. */
export const viewVolume = 1;
const viewEpoch = 1;
const noBytes = Buffer.alloc(0);

interface Journals {
  readonly data: DataJournal;
  readonly metadata: MetadataJournal;
  readonly dirty: DirtyFiles;
}

export class ViewOverlay {
  readonly #parts: ViewOverlayParts;
  readonly #map: OverlayMap;
  readonly #reader: SegmentReader;
  readonly #journals: Journals;
  /** Payload, and behind the room for that the checksums. */
  readonly #stage = Buffer.allocUnsafeSlow(viewStageBytes + (viewStageBytes / blockBytes) * checksumBytes);
  #stagedBlocks = 0;
  #records: BatchRecord[] = [];
  #lastSeq: number;
  #timeMicros: number;
  #durableSeq: number;
  #nextSegment: number;
  #failure: Error | undefined;
  /** Who waits for a sync that begins after what is there now. */
  #waiting: DoneCallback[] = [];
  #isSyncing = false;

  private constructor(parts: ViewOverlayParts, found: Found) {
    const { files, folder, identity } = parts;
    this.#parts = parts;
    this.#map = found.map;
    this.#lastSeq = found.lastSeq;
    this.#durableSeq = found.lastSeq;
    this.#timeMicros = found.timeMicros;
    this.#nextSegment = found.nextSegment;
    this.#failure = parts.lostSync.error;
    this.#reader = new SegmentReader(files, folder, identity.group);
    const dirty = new DirtyFiles(files);
    const shared = { files, folder, group: identity.group, dirty };
    const takeSegment = () => this.#nextSegment++;
    const data = new DataJournal({ ...shared, slotsMax: slotsPerSegment, takeSegment, closed: () => {} });
    const { incarnation } = identity;
    const ofLog = { ...shared, incarnation, pieceBytes: viewPieceBytes, durableSeq: () => this.#durableSeq };
    this.#journals = { data, dirty, metadata: new MetadataJournal(ofLog, found.endPosition, this.#lastSeq + 1) };
  }

  /** Finds what counts; the folder need not be there yet. Throws a `StopError` where what was promised is damaged. */
  static async open(parts: ViewOverlayParts): Promise<ViewOverlay> {
    const { files, folder, identity, blockCount, lostSync } = parts;
    folder.makeNow(files);
    const map = new OverlayMap(blockCount);
    let lastSegment = folder.segments(files).at(-1) ?? 0;
    const recovered = await recoverJournals({
      files,
      folder,
      identity,
      checkpointSeq: 0,
      durableSeq: 0,
      syncFailed: (error) => lostSync.note(error),
      see: ({ type, startBlock, blockCount: count, address }) => {
        if (type !== recordType.write) return map.clear(startBlock, count);
        map.write(startBlock, count, address);
        lastSegment = Math.max(lastSegment, segmentOf(address));
      },
    }).finally(() => lostSync.settled());
    const { lastSeq, timeMicros, endPosition } = recovered;
    return new ViewOverlay(parts, { map, lastSeq, timeMicros, endPosition, nextSegment: lastSegment + 1 });
  }

  /** Why nothing more is written. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** A sync has failed: to open the journals anew would be to believe what nobody knows. */
  get hasLostSync(): boolean {
    return this.#parts.lostSync.error !== undefined;
  }

  /** Nothing was ever written. */
  get isEmpty(): boolean {
    return this.#lastSeq === 0;
  }

  /** Since the view was opened for the first time. */
  get changeCount(): number {
    return this.#lastSeq;
  }

  get tableBlocks(): number {
    return this.#map.tableBlocks;
  }

  /** Whether so many blocks can be gathered before `commit`. */
  hasRoomFor(blockCount: number): boolean {
    const isRoomForBytes = (this.#stagedBlocks + blockCount) * blockBytes <= viewStageBytes;
    return isRoomForBytes && this.#records.length < batchRecordCountMax;
  }

  /** Gathers whole blocks, a largest record's at most; the bytes are the caller's again. */
  write(startBlock: number, blockCount: number, source: Buffer, start: number): void {
    assert(blockCount <= recordBlocksMax && this.hasRoomFor(blockCount), "what is gathered has its place");
    const at = this.#stagedBlocks * blockBytes;
    source.copy(this.#stage, at, start, start + blockCount * blockBytes);
    for (let block = 0; block < blockCount; block++) {
      const from = at + block * blockBytes;
      putChecksum(this.#stage, from, from + blockBytes, this.#stage, checksumAt(this.#stagedBlocks + block));
    }
    this.#add(recordType.write, startBlock, blockCount, blockCount);
    this.#stagedBlocks += blockCount;
  }

  /** Gathers that these blocks read as zeros. */
  clear(startBlock: number, blockCount: number): void {
    assert(this.hasRoomFor(0), "what is gathered has its place");
    this.#add(recordType.zero, startBlock, blockCount, 0);
  }

  #add(type: number, startBlock: number, blockCount: number, payloadBlocks: number): void {
    this.#timeMicros = Math.max(this.#timeMicros, Math.round(this.#parts.clock.wallMs() * 1000));
    this.#records.push({
      ...{ type, volume: viewVolume, startBlock, blockCount, timeMicros: this.#timeMicros, ordinal: 0, extraBytes: 0 },
      ...{ seq: this.#lastSeq + this.#records.length + 1, epoch: viewEpoch, headAt: 0, extraAt: 0 },
      checksumsAt: checksumAt(this.#stagedBlocks),
      payloadAt: this.#stagedBlocks * blockBytes,
      payloadBytes: payloadBlocks * blockBytes,
    });
  }

  /** Writes what was gathered: from then on it is what is read. What is thrown leaves none of it, and is the end of writing. */
  commit(): void {
    const records = this.#records;
    if (records.length === 0) return;
    this.#records = [];
    this.#stagedBlocks = 0;
    this.#assertWritable();
    try {
      this.#writeOut(records);
    } catch (error) {
      this.#failure = error as Error;
      throw error;
    }
  }

  #assertWritable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#map.tableBlocks <= viewBlocksMax) return;
    const error = new Error(`more than ${viewBlocksMax} blocks were written to a view`);
    throw Object.assign(error, { code: "ENOSPC" });
  }

  #writeOut(records: readonly BatchRecord[]): void {
    const { data, metadata } = this.#journals;
    const addresses = data.land(this.#stage, records);
    data.writePayloads();
    data.writeSums();
    for (const [index, record] of records.entries()) {
      metadata.add({ ...record, address: addresses[index] as number, level: everyWriteLevel }, noBytes, 0);
    }
    metadata.write();
    for (const [index, { type, startBlock, blockCount }] of records.entries()) {
      if (type === recordType.write) this.#map.write(startBlock, blockCount, addresses[index] as number);
      else this.#map.clear(startBlock, blockCount);
    }
    this.#lastSeq += records.length;
  }

  /** As `OverlayMap.runAt`. */
  runAt(block: number, endBlock: number, run: OverlayRun): void {
    this.#map.runAt(block, endBlock, run);
  }

  /** Of a run that has an address. Throws a `DamagedBlocksError` for what is not as it was written. */
  read(startBlock: number, run: Readonly<OverlayRun>, target: Buffer, start: number): void {
    const { address, blockCount } = run;
    // A run goes on where the segment's numbers do, and its blocks may lie in two.
    for (let done = 0; done < blockCount; ) {
      const count = Math.min(blockCount - done, slotsPerSegment - slotOf(address + done));
      const part = { volume: viewVolume, startBlock: startBlock + done, blockCount: count, address: address + done };
      this.#reader.read(part, target, start + done * blockBytes);
      done += count;
    }
  }

  /** All that was committed before this call is durable when `done` is called without an error. */
  sync(done: DoneCallback): void {
    this.#waiting.push(done);
    if (!this.#isSyncing) this.#sync();
  }

  /** The same, and what failed is noted. Answers why nobody knows that all of it is durable; undefined: it is. */
  async synced(): Promise<Error | undefined> {
    const failure = await whenDone((done) => this.sync(done)).catch((error: Error) => error);
    await this.#parts.lostSync.settled();
    return failure ?? undefined;
  }

  #sync(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const { dirty } = this.#journals;
    const { clock, lostSync } = this.#parts;
    if (dirty.isClean) return clock.soon(() => this.#synced(waiting, lostSync.error ?? null));
    const seq = this.#lastSeq;
    this.#isSyncing = true;
    dirty.sync((error) => {
      this.#isSyncing = false;
      if (error === null) this.#durableSeq = seq;
      else lostSync.note(error);
      this.#failure = lostSync.error ?? this.#failure;
      this.#synced(waiting, lostSync.error ?? null);
      if (this.#waiting.length > 0) this.#sync();
    });
  }

  #synced(waiting: readonly DoneCallback[], error: Error | null): void {
    for (const done of waiting) done(error);
  }

  /** What is written is left as it is; a sync is over first. */
  async close(): Promise<void> {
    if (this.#isSyncing) await whenDone((done) => this.#waiting.push(() => done(null)));
    const { data, metadata, dirty } = this.#journals;
    this.#failure ??= new RetryError("the view is closed");
    data.release();
    metadata.release();
    dirty.abandon();
    this.#reader.close();
  }
}

interface Found {
  readonly map: OverlayMap;
  readonly lastSeq: number;
  readonly timeMicros: number;
  readonly endPosition: number;
  readonly nextSegment: number;
}

/** In the stage, of a block that is gathered. */
function checksumAt(block: number): number {
  return viewStageBytes + block * checksumBytes;
}
