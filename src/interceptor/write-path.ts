/**
 * The way of a volume's changes from the host to the appliance and on to the source, from one start to the next failure.
 * Here its parts are put together; each has a file of its own.
 *
 *     submit ─▶ locks ─▶ edges ─▶ gate ─▶ outlet ═▶ link          flight: what is between outlet and source
 *                                                    │
 *               reply ◀─ (flush rounds) ◀─ source writer ◀─ acknowledged
 *
 * Where nothing waits and the source is fast, all of this happens within `submit` and `endBatch`, without a promise, a
 * closure or an object per request.
 *
 * Everything that may let somebody go on ends in `#settle`, which does what is due, never twice at a time and never from
 * within the link. After a failure the path is dead: all that is under way fails, and another path is opened instead.
 * A fault of this program's own is no failure of the path: it ends the process, wherever it comes up.
 *
 * Invariants: ahead: nothing reaches the source before it was acknowledged (`SourceWriter`); promise: nothing is answered
 * before it is in the source, and what FLUSH covers is durable (`FlushRounds`); a region is marked durably before records
 * of it are made (`RegionMap`).
 */
import type { Clock } from "#src/host/clock.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { Log } from "#src/host/log.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { nbdErrorOf } from "#src/nbd/error-number.ts";
import type { ExportRequest } from "#src/nbd/export.ts";
import { WriteOrder } from "#src/nbd/write-order.ts";
import type { VolumeIdentity, VolumeLinks } from "#src/wire/volume-link.ts";
import { ChangeRegistry } from "./change-registry.ts";
import { Checkpoints } from "./checkpoints.ts";
import { readEdges } from "./edges.ts";
import { Flight } from "./flight.ts";
import { FlushRounds } from "./flush-rounds.ts";
import { Gate } from "./gate.ts";
import type { ChangeHandler, HostChange } from "./host-change.ts";
import { LinkKeeper } from "./link-keeper.ts";
import { Outlet } from "./outlet.ts";
import { PathTrace } from "./path-trace.ts";
import type { RecordInFlight } from "./record-in-flight.ts";
import { baseBehind, type RegionMapEvents, type RegionMapFile } from "./region-map-file.ts";
import type { Source } from "./source.ts";
import { SourceCopy } from "./source-copy.ts";
import { SourceWriter, type SourceWriterEvents } from "./source-writer.ts";
import type { VolumeFigures } from "./volume-figures.ts";
import type { VolumeOptions } from "./volume-options.ts";
import type { WriteTrace } from "./write-trace.ts";

export interface WritePathParts {
  readonly identity: VolumeIdentity;
  readonly source: Source;
  readonly mapFile: RegionMapFile;
  readonly links: VolumeLinks;
  readonly clock: Clock;
  readonly log: Log;
  readonly options: VolumeOptions;
  readonly figures: VolumeFigures;
  readonly hook: FaultHook | undefined;
  /** It has failed, and all that was under way was told so. */
  readonly fenced: (error: Error) => void;
}

export class WritePath implements ChangeHandler, SourceWriterEvents, RegionMapEvents {
  readonly #parts: WritePathParts;
  readonly #flight = new Flight();
  /** Changes that wait, or are being completed, in blocks. */
  readonly #locks = new WriteOrder();
  readonly #writer: SourceWriter;
  readonly #outlet: Outlet;
  readonly #gate: Gate;
  readonly flushes: FlushRounds;
  readonly #checkpoints: Checkpoints;
  readonly #copy: SourceCopy;
  readonly #keeper: LinkKeeper;
  readonly #changes = new ChangeRegistry(this);
  /** Added in this batch; whoever is not answered when it ends is kept. */
  #batch: HostChange[] = [];
  readonly #trace: PathTrace;
  #isSubmitting = false;
  #isSettling = false;
  #isAskedAgain = false;
  #failure: Error | undefined;
  #ended: (() => void) | undefined;
  #isOver = false;

  constructor(parts: WritePathParts) {
    this.#parts = parts;
    const { source, mapFile, clock, options, log, figures, hook } = parts;
    const flight = this.#flight;
    this.#trace = new PathTrace(clock, figures);
    this.#writer = new SourceWriter({ source, flight, clock, log, hook }, this);
    const writer = this.#writer;
    this.#outlet = new Outlet({
      flight,
      mapFile,
      take: () => writer.take(),
      added: (record) => this.#trace.added(record),
    });
    const outlet = this.#outlet;
    const moved = (): void => this.#settle();
    const failed = (error: Error): void => this.failed(error);
    const isHeldUp = (): boolean => writer.isFull && options.whenFull === "wait";
    this.#gate = new Gate({ outlet, mapFile, clock, pumped: moved, isHeldUp });
    const gate = this.#gate;
    const syncsSource = (): boolean => options.flush === "both" || this.#keeper.state === "tracking";
    this.flushes = new FlushRounds({ outlet, writer, source, syncsSource, failed });
    const flushes = this.flushes;
    const shared = { clock, log, source, mapFile, flight, writer, outlet, gate, flushes, moved, failed };
    this.#checkpoints = new Checkpoints({
      ...shared,
      everyMs: options.checkpointMs,
      everyBytes: options.checkpointBytes,
    });
    this.#copy = new SourceCopy({
      ...shared,
      locks: this.#locks,
      bytesPerSecond: options.copyBytesPerSecond,
      readBytes: (byteLength) => {
        figures.copyBytes += byteLength;
      },
      hostChangeCount: () => figures.changes,
    });
    this.#keeper = new LinkKeeper({
      ...shared,
      ...options,
      identity: parts.identity,
      links: parts.links,
      checkpoints: this.#checkpoints,
      copy: this.#copy,
      acknowledged: (ordinal) => this.#acknowledged(ordinal),
      stalled: () => this.#changes.wakeWaiter(),
    });
  }

  /** Resolves when the source has all that was acknowledged, and changes may come. */
  async start(takesSource: boolean): Promise<void> {
    const { mapFile } = this.#parts;
    mapFile.listen(this);
    try {
      if (takesSource) mapFile.map.markAll();
      if (takesSource) await mapFile.update({ resyncWanted: true });
      await this.#keeper.start(takesSource);
      if (this.#failure !== undefined) throw this.#failure;
    } catch (error) {
      await this.#end();
      throw error;
    }
    this.#checkpoints.start();
  }

  set trace(trace: WriteTrace | undefined) {
    this.#trace.target = trace;
  }

  get flight(): Flight {
    return this.#flight;
  }

  get keeper(): LinkKeeper {
    return this.#keeper;
  }

  get copy(): SourceCopy {
    return this.#copy;
  }

  /** The source may differ from what was journaled, anywhere. Resolves when no point is offered that has it as it was. */
  async copyAll(): Promise<void> {
    const { mapFile } = this.#parts;
    mapFile.map.markAll();
    // No checkpoint may take these marks before the copy has begun.
    mapFile.map.pinMarked();
    this.#copy.supersede();
    await mapFile.update({ resyncWanted: true, ...baseBehind(this.#flight.lastOrdinal) });
    const isUp = this.#keeper.state === "up" && this.#failure === undefined;
    if (isUp && this.#copy.isSuperseded) this.#copy.begin("next");
    await this.#copy.whenBegun();
  }

  get isSourceFull(): boolean {
    return this.#writer.isFull;
  }

  /** Something waits for the link, room or a mark. */
  get isWaiting(): boolean {
    return this.#gate.count > 0;
  }

  // Requests

  /** A write, a trim or a zeroing. */
  submit(request: ExportRequest): void {
    if (this.#failure !== undefined) return request.complete(nbdErrorOf(this.#failure));
    if (this.#writer.isFull && this.#refusesFull(request)) return request.complete(nbdError.noSpace);
    const change = this.#changes.enter(request, this.#parts.source.sizeBytes);
    change.arrivedMs = this.#trace.arrivalMs;
    this.#isSubmitting = true;
    if (change.blockCount === 0) this.finished(change);
    else if (!this.#addAtOnce(change)) this.#locks.enter(change);
    if (this.#gate.count > 0) this.#gate.pump();
    this.#isSubmitting = false;
    if (change.request !== request) return;
    if (change.isAdded) this.#batch.push(change);
    else {
      change.isKept = true;
      request.keep();
    }
  }

  /** What frees space is always welcome. */
  #refusesFull(request: ExportRequest): boolean {
    const needsSpace = request.command === command.write || (request.command === command.writeZeroes && request.noHole);
    return needsSpace && this.#parts.options.whenFull === "refuse";
  }

  #addAtOnce(change: HostChange): boolean {
    const { startBlock, blockCount } = change;
    if (!change.isWhole || !this.#gate.isOpen || !this.#locks.isFree(startBlock, blockCount)) return false;
    return this.#parts.mapFile.map.covers(startBlock, blockCount) && change.addTo(this.#outlet);
  }

  flush(request: ExportRequest): void {
    if (this.#failure !== undefined) return request.complete(nbdErrorOf(this.#failure));
    request.keep();
    this.flushes.join(this.#trace.flush(request));
  }

  endBatch(): void {
    this.#settle();
    // One that was answered may be another's already, who is not added yet and needs his payload.
    for (const change of this.#batch) if (change.isAdded) change.request?.keepWithoutPayload();
    if (this.#batch.length > 0) this.#batch = [];
    this.#trace.batchEnded();
  }

  // ChangeHandler

  begin(change: HostChange): void {
    const { request } = change;
    if (request === undefined) return this.#locks.leave(change);
    if (request.abandoned) return this.#giveUp(change, nbdError.io);
    if (change.isWhole) return this.#gate.push(change);
    const { source, figures } = this.#parts;
    readEdges(change, this.#flight, source, figures, (error) => {
      if (change.request === undefined) return;
      if (error === null) this.#gate.push(change);
      else this.#giveUp(change, nbdErrorOf(error));
      if (!this.#isSubmitting) this.#settle();
    });
  }

  #giveUp(change: HostChange, error: number): void {
    change.error = error;
    this.#locks.leave(change);
    this.finished(change);
  }

  added(change: HostChange): void {
    this.#locks.leave(change);
    if (change.request === undefined) return;
    change.head = undefined;
    change.tail = undefined;
    if (change.isOver) this.finished(change);
    else if (change.isKept) change.request.keepWithoutPayload();
  }

  finished(change: HostChange): void {
    const { request } = change;
    // A failure has answered it.
    if (request === undefined || change.index < 0) return;
    this.#changes.leave(change);
    if (change.error !== nbdError.ok || !request.fua) this.#reply(change, request);
    else this.flushes.join(change);
  }

  flushed(change: HostChange, error: number): void {
    const { request } = change;
    if (request === undefined) return;
    change.error = error;
    this.#reply(change, request);
  }

  #reply(change: HostChange, request: ExportRequest): void {
    change.request = undefined;
    this.#trace.replied(change, request);
    request.complete(change.error);
    // After a failure somebody may still have it in hand.
    if (this.#failure === undefined) this.#changes.free(change);
  }

  // What the link, the source and the map tell

  #acknowledged(ordinal: number): void {
    const before = this.#flight.acknowledgedOrdinal;
    this.#flight.acknowledge(ordinal);
    this.#copy.acknowledged(ordinal);
    this.#trace.acknowledged(before, ordinal);
    this.#writer.begin();
    this.#settle();
  }

  written(record: RecordInFlight): void {
    this.#trace.written(record);
    record.owner?.recordWritten();
  }

  settled(): void {
    this.#settle();
  }

  marked(): void {
    this.#settle();
  }

  /** Does all that can be done now. Asked for from within, or from within the link, it is done a moment later. */
  #settle(): void {
    if (this.#isSettling || this.#isSubmitting || this.#outlet.isCommitting) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isSettling = true;
    do {
      this.#isAskedAgain = false;
      if (this.#gate.count > 0) this.#gate.pump();
      this.#outlet.commit();
      this.flushes.begin();
    } while (this.#isAskedAgain);
    this.#isSettling = false;
    this.#checkpoints.consider();
  }

  // Failure and end

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Nothing is added from here on; what is under way is told a moment later, when nobody is at work on it. */
  failed(error: Error): void {
    raiseOwnFault(error, this.#parts.clock);
    if (this.#failure !== undefined || this.#isOver) return;
    this.#failure = error;
    this.#outlet.close();
    this.#parts.log.error("the volume is fenced: all writes fail until it is unfenced", { error });
    this.#parts.clock.soon(() => {
      if (this.#isOver) return;
      this.#shutDown(nbdErrorOf(error));
      this.#parts.fenced(error);
    });
  }

  /** Everything under way ends with this error, and nothing is begun any more. */
  #shutDown(error: number): void {
    this.#isOver = true;
    this.#failure ??= new Error("the volume was closed");
    this.#keeper.end();
    this.#checkpoints.stop();
    this.#copy.abort();
    this.#gate.close();
    this.#writer.end();
    this.flushes.failAll(error);
    this.#changes.failAll(error);
    this.#ended?.();
    this.#parts.mapFile.close();
  }

  async #end(): Promise<void> {
    this.#shutDownIfOpen();
    await this.#writer.idle();
  }

  /**
   * Resolves when nothing touches the source any more. What came in has so long to come to its end; if it does, nothing
   * has to be redone at the next start.
   */
  async stop(graceMs: number): Promise<void> {
    const timer = this.#parts.clock.timer(graceMs, () => this.#shutDownIfOpen());
    const end = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    if (!this.#isOver) await Promise.race([end, this.#finishAll()]);
    timer.cancel();
    await this.#end();
  }

  #shutDownIfOpen(): void {
    if (!this.#isOver) this.#shutDown(nbdError.shutdown);
  }

  async #finishAll(): Promise<void> {
    if (this.#keeper.state !== "stalled") await this.#changes.emptied();
    if (this.#isOver || this.#keeper.state !== "up") return;
    try {
      await this.#checkpoints.run("all");
    } catch (error) {
      this.#parts.log.warn("the last checkpoint failed: the next start redoes what came after the one before", {
        error,
      });
    }
  }
}
