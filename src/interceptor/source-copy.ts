/**
 * Journals all marked regions anew from the source, between a `resync-begin` and a `resync-end`, while the host goes on
 * writing. Each piece is taken as a partial write is: its blocks are locked, what is in flight over them reaches the
 * source, they are read, added and unlocked; so its place in the order is right.
 *
 * Regions that have not had their turn stay pinned in the map. After a crash it begins again with those that are still
 * marked: those that were done, and whose records are durable, lost their marks at a checkpoint like any others. A
 * `resync-begin` without an end is thus followed by another.
 */
import { blockBytes, recordBlocksMax, recordPayloadBytesMax, resyncRetryMs } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { nbdError } from "#src/nbd/constants.ts";
import type { WriteOrder, WriteTurn } from "#src/nbd/write-order.ts";
import { recordType } from "#src/records/record.ts";
import type { Flight } from "./flight.ts";
import type { FlushRounds } from "./flush-rounds.ts";
import type { Gate, GateEntry } from "./gate.ts";
import type { Outlet } from "./outlet.ts";
import type { RegionMapFile } from "./region-map-file.ts";
import type { Source } from "./source.ts";

export interface ResyncParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly flight: Flight;
  readonly locks: WriteOrder;
  readonly gate: Gate;
  readonly flushes: FlushRounds;
  readonly mapFile: RegionMapFile;
  readonly source: Source;
  readonly bytesPerSecond: number;
  /** Something was put into the gate, or asked of the link. */
  readonly moved: () => void;
  readonly readBytes: (byteLength: number) => void;
}

export interface ResyncProgress {
  readonly regionsTotal: number;
  readonly regionsDone: number;
}

export class Resync {
  readonly #parts: ResyncParts;
  /** One for each run: that of one that was given up may still be read into. */
  #bytes: Buffer | undefined;
  /** Which run is under way; the pieces of others end without effect. */
  #run = 0;
  #isRunning = false;
  /** The begin is not in the order yet. */
  #isBeginning = false;
  #total = 0;
  #region = 0;
  #nextBlock = 0;
  #nextAtMs = 0;
  #timer: Timer | undefined;

  constructor(parts: ResyncParts) {
    this.#parts = parts;
  }

  get progress(): ResyncProgress | undefined {
    if (!this.#isRunning) return undefined;
    return { regionsTotal: this.#total, regionsDone: this.#total - this.#parts.mapFile.map.pinnedCount };
  }

  get isBeginning(): boolean {
    return this.#isBeginning;
  }

  /**
   * Begins, or begins anew, with all regions that are marked now. Its first record goes before all that waits, so that
   * no point lies between the gap and it: the flight has an ordinal reserved for it.
   */
  begin(): void {
    this.abort();
    const { map } = this.#parts.mapFile;
    this.#isRunning = true;
    map.pinMarked();
    this.#total = map.pinnedCount;
    this.#parts.log.info("journaling the marked regions anew from the source", { regions: this.#total });
    this.#nextAtMs = this.#parts.clock.monotonicMs();
    this.#isBeginning = true;
    const add = (outlet: Outlet): void => outlet.addReserved(recordType.resyncBegin);
    this.#parts.gate.pushFirst(
      this.#marker(add, () => {
        this.#isBeginning = false;
        this.#nextRegion(0);
      }),
    );
    this.#parts.moved();
  }

  abort(): void {
    this.#run++;
    this.#isRunning = false;
    this.#isBeginning = false;
    this.#bytes = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One of the two records around all others. */
  #marker(add: (outlet: Outlet) => void, added: () => void): GateEntry {
    const run = this.#run;
    return {
      startBlock: 0,
      blockCount: 0,
      byteLength: 0,
      addTo: (outlet) => {
        if (run !== this.#run) return true;
        if (!outlet.hasRoomFor(0)) return false;
        add(outlet);
        return true;
      },
      passed: () => {
        if (run === this.#run) added();
      },
    };
  }

  #nextRegion(from: number): void {
    const { map } = this.#parts.mapFile;
    const region = map.nextPinned(from);
    if (region === undefined) return this.#addEnd();
    this.#region = region;
    this.#nextBlock = (region * map.regionBytes) / blockBytes;
    this.#nextPiece();
  }

  #nextPiece(): void {
    const waitMs = this.#nextAtMs - this.#parts.clock.monotonicMs();
    const run = this.#run;
    this.#timer = this.#parts.clock.timer(Math.max(0, waitMs), () => {
      this.#timer = undefined;
      if (run === this.#run) this.#lockPiece();
    });
  }

  #lockPiece(): void {
    const { mapFile, source, locks, flight } = this.#parts;
    const endBlock = Math.ceil(Math.min((this.#region + 1) * mapFile.map.regionBytes, source.sizeBytes) / blockBytes);
    const count = Math.min(recordBlocksMax, endBlock - this.#nextBlock);
    const startBlock = this.#nextBlock;
    const run = this.#run;
    const turn: WriteTurn = {
      offset: startBlock,
      length: count,
      start: () =>
        flight.whenFree(startBlock, count, () => {
          if (run === this.#run) this.#lookAtPiece(run, turn, endBlock);
          else this.#unlock(turn);
        }),
    };
    locks.enter(turn);
  }

  #unlock(turn: WriteTurn): void {
    this.#parts.locks.leave(turn);
    this.#parts.moved();
  }

  /** What is a hole needs no bytes: to say that it reads as zeros is enough. */
  #lookAtPiece(run: number, turn: WriteTurn, endBlock: number): void {
    const { source } = this.#parts;
    const position = turn.offset * blockBytes;
    const length = Math.min(turn.length * blockBytes, source.sizeBytes - position);
    const fail = (error: Error) => this.#tryLater(run, turn, error);
    try {
      source.extents(position, length, 1, (error, extents) => {
        const [first] = extents;
        if (error === null && first?.zero === true && first.lengthBytes >= length) {
          return this.#addPiece(run, turn, endBlock, undefined);
        }
        this.#readPiece(run, turn, endBlock, position, length, fail);
      });
    } catch (error) {
      fail(error as Error);
    }
  }

  #readPiece(
    run: number,
    turn: WriteTurn,
    endBlock: number,
    position: number,
    length: number,
    fail: (error: Error) => void,
  ): void {
    const { source, readBytes } = this.#parts;
    this.#bytes ??= Buffer.allocUnsafeSlow(recordPayloadBytesMax);
    const bytes = this.#bytes;
    bytes.fill(0, length, turn.length * blockBytes);
    readBytes(length);
    source.read(bytes, 0, length, position, (error) => {
      if (error === null) this.#addPiece(run, turn, endBlock, bytes);
      else fail(error);
    });
  }

  /** The gap in the journal remains until the source can be read. */
  #tryLater(run: number, turn: WriteTurn, error: Error): void {
    this.#unlock(turn);
    if (run !== this.#run) return;
    this.#parts.log.error("the source cannot be read to be journaled anew; tried again later", { error });
    this.#nextAtMs = this.#parts.clock.monotonicMs() + resyncRetryMs;
    this.#nextPiece();
  }

  #addPiece(run: number, turn: WriteTurn, endBlock: number, bytes: Buffer | undefined): void {
    const entry: GateEntry = {
      startBlock: turn.offset,
      blockCount: turn.length,
      byteLength: 0,
      addTo: (outlet: Outlet) => {
        if (run !== this.#run) return true;
        if (!outlet.hasRoomFor(bytes === undefined ? 0 : turn.length)) return false;
        outlet.addFromSource(turn.offset, turn.length, bytes);
        return true;
      },
      passed: () => {
        this.#parts.locks.leave(turn);
        if (run === this.#run) this.#pieceAdded(turn, endBlock, bytes === undefined ? 0 : bytes.length);
      },
    };
    this.#parts.gate.push(entry);
    this.#parts.moved();
  }

  #pieceAdded(turn: WriteTurn, endBlock: number, byteLength: number): void {
    const { clock, bytesPerSecond, mapFile } = this.#parts;
    this.#nextAtMs = Math.max(this.#nextAtMs, clock.monotonicMs()) + (byteLength / bytesPerSecond) * 1000;
    this.#nextBlock = turn.offset + turn.length;
    if (this.#nextBlock < endBlock) return this.#nextPiece();
    mapFile.map.unpin(this.#region);
    this.#nextRegion(this.#region + 1);
  }

  #addEnd(): void {
    const add = (outlet: Outlet): void => outlet.addRange(undefined, recordType.resyncEnd, 0, 0);
    this.#parts.gate.push(this.#marker(add, () => this.#end()));
    this.#parts.moved();
  }

  /** The end is in the order. That a resync is wanted is forgotten when it is durable. */
  #end(): void {
    const run = this.#run;
    const flushed = (error: number): void => {
      if (run !== this.#run || error !== nbdError.ok) return;
      this.#isRunning = false;
      this.#bytes = undefined;
      // A failure of the file is told to whoever listens to it.
      this.#parts.mapFile.update({ resyncWanted: false }).catch(() => {});
      this.#parts.log.info("the marked regions were journaled anew", { regions: this.#total });
    };
    this.#parts.flushes.caughtUp();
    this.#parts.flushes.join({ flushed });
    this.#parts.moved();
  }
}
