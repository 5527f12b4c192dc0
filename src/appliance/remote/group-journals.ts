/**
 * The journals of a group from one opening to the next: recovered, then appended to and synced. Now and then it is noted
 * durably how far they are durable, so that the next recovery begins there, and knows damage from a tail.
 */

import type { Timer } from "#src/host/clock.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { Files } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import { closedSlotCount } from "#src/journals/closed-segment.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import { JournalReader } from "#src/journals/journal-reader.ts";
import { type RecoveredJournals, recoverJournals } from "#src/journals/journal-recovery.ts";
import type { JournalIdentity } from "#src/journals/metadata-piece.ts";
import { VolumeTable } from "#src/journals/volume-table.ts";
import type { Watermarks } from "#src/wire/group-link.ts";
import type { Crowd } from "../crowd.ts";
import { Durability } from "./durability.ts";
import { GroupSealing, type Sealer } from "./group-sealing.ts";
import { JournalRemoval } from "./journal-removal.ts";
import { Landing } from "./landing.ts";
import { Receiver } from "./receiver.ts";
import type { RemoteGroupStateFile } from "./remote-group-state.ts";
import type { LandedFigures } from "./remote-group-status.ts";
import type { RemoteOptions } from "./remote-options.ts";
import type { SealTurn } from "./seal-turn.ts";
import type { SegmentSupply } from "./segment-catalogue.ts";
import { checkStored, foundStoredSeq } from "./stored-check.ts";

export interface GroupJournalsParts {
  readonly machine: Machine;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
  readonly state: RemoteGroupStateFile;
  readonly supply: SegmentSupply;
  readonly options: RemoteOptions;
  readonly hook: FaultHook | undefined;
  readonly sealer: Sealer | undefined;
  readonly sealTurn: SealTurn;
  readonly crowd: Crowd;
  /** Known to be durable, though perhaps not noted yet. */
  readonly durableSeq: number;
  readonly foundUnsound: () => void;
  /** More is durable, or less waits to be sealed. */
  readonly synced: () => void;
  /** The open data segment has become old enough to be closed. */
  readonly sealDue: () => void;
  /** A sync has failed. */
  readonly failed: (error: Error) => void;
}

export async function openGroupJournals(parts: GroupJournalsParts): Promise<GroupJournals> {
  const { machine, folder, identity, state, durableSeq } = parts;
  const volumes = new VolumeTable(state.state.volumes);
  const recovered = await recoverJournals({
    files: machine.files,
    folder,
    identity,
    checkpointSeq: state.state.checkpointSeq,
    durableSeq: Math.max(durableSeq, state.state.checkpointSeq),
    start: state.state.journalStart,
    see: (record, bytes) => {
      const { type, seq, volume, extraAt, extraBytes } = record;
      if (VolumeTable.isAbout(type)) volumes.saw(type, seq, volume, bytes.subarray(extraAt, extraAt + extraBytes));
    },
  });
  volumes.durableUpTo(recovered.lastSeq);
  await parts.supply.fill();
  const storedSeq = parts.sealer === undefined ? 0 : await foundStoredSeq(parts, parts.sealer);
  checkStored(parts, recovered.lastSeq, storedSeq);
  const journals = new GroupJournals(parts, recovered, volumes, storedSeq);
  await journals.noteCheckpoint();
  return journals;
}

export class GroupJournals {
  readonly receiver: Receiver;
  readonly volumes: VolumeTable;
  readonly droppedBytes: number;
  readonly #parts: GroupJournalsParts;
  readonly #landing: Landing;
  readonly #durability: Durability;
  readonly #recoveredTimeMicros: number;
  #notedPieceCount = 0;
  #checkpointTimer: Timer | undefined;
  #landedBytes = 0;
  #allLandedBytes = 0;
  readonly #foundBytes: number;
  readonly #foundSegmentCount: number;
  readonly #sealing: GroupSealing | undefined;
  #removal: JournalRemoval | undefined;
  /** Closed, with their slots; the records that they hold are not all committed. */
  readonly #closing: { readonly segment: number; readonly slotCount: number }[] = [];
  /** Who reads here may be in any of the pieces. */
  #readerCount = 0;
  #sealTimer: Timer | undefined;
  /** What was committed when a closed segment was last handed over. */
  #handedOverSeq = 0;

  constructor(parts: GroupJournalsParts, recovered: RecoveredJournals, volumes: VolumeTable, storedSeq: number) {
    const { machine, folder, identity, options, supply, hook, foundUnsound } = parts;
    this.#parts = parts;
    this.volumes = volumes;
    this.droppedBytes = recovered.droppedBytes;
    this.#foundBytes = sizeOfJournals(machine.files, folder);
    this.#foundSegmentCount = folder.segments(machine.files).length;
    this.#recoveredTimeMicros = recovered.timeMicros;
    this.#sealing = this.#newSealing(parts, storedSeq);
    this.receiver = new Receiver({ epoch: recovered.epoch, received: recovered.lastSeq });
    this.#landing = new Landing({
      files: machine.files,
      folder,
      identity,
      pieceBytes: options.pieceBytes,
      segmentSlots: options.segmentSlots,
      endPosition: recovered.endPosition,
      receiver: this.receiver,
      takeSegment: () => supply.takeNow(),
      closedSegment: (segment, slotCount) => this.#closing.push({ segment, slotCount }),
      durableSeq: () => this.#durability.durableSeq,
      foundUnsound,
      sawVolume: (type, seq, volume, extra) => volumes.saw(type, seq, volume, extra),
      levelOf: (volume) => volumes.levelOf(volume),
      hook,
    });
    this.#durability = new Durability(
      {
        clock: machine.clock,
        ...{ dirty: this.#landing.dirty, crowd: parts.crowd },
        afterMs: options.syncAfterMs,
        afterBytes: options.syncAfterBytes,
        writtenSeq: () => this.#landing.committed.received,
        synced: () => this.#synced(),
        failed: parts.failed,
      },
      recovered.lastSeq,
    );
    this.#sealFound(recovered.lastSeq);
  }

  #newSealing(parts: GroupJournalsParts, storedSeq: number): GroupSealing | undefined {
    const { machine, folder, identity, options, sealer, state } = parts;
    if (sealer === undefined) return undefined;
    const { files, log } = machine;
    const removal = new JournalRemoval({
      ...{ files, folder, identity, state, sealer, log },
      keptBytes: options.keptPieceBytes,
      isRead: () => this.#readerCount > 0,
    });
    this.#removal = removal;
    return new GroupSealing({
      recordsSealed: (seq) => removal.removeUpTo(seq),
      files: machine.files,
      folder,
      ...identity,
      known: () => {
        const { id, name, writer, life, epoch } = state.state;
        return { id, name, writer, life, epoch, volumes: this.volumes.durable };
      },
      storedSeq,
      clock: machine.clock,
      log: machine.log,
      sealer,
      retryMs: options.sealRetryMs,
      patienceMs: options.sealAfterMs,
      turn: parts.sealTurn,
      checkpointSeq: () => state.state.checkpointSeq,
      noteCheckpoint: () => this.noteCheckpoint(),
      sealed: () => {
        if (this.#storedSeq > state.state.storedSeq) void this.noteCheckpoint();
        this.#parts.synced();
      },
    });
  }

  /** Segments that are there at the start are closed: each start begins with a new one. */
  #sealFound(lastSeq: number): void {
    const { machine, folder } = this.#parts;
    const found = folder.segments(machine.files);
    for (const segment of found) {
      const storableSeq = segment === found.at(-1) ? lastSeq : 0;
      this.#sealing?.found(segment, lastSeq, storableSeq, closedSlotCount(machine.files, folder, segment));
    }
    if (found.length === 0) this.#sealing?.nothingOpen(lastSeq);
    this.#handedOverSeq = lastSeq;
    this.#sealing?.durableUpTo(this.#durability.durableSeq);
  }

  /** `stored` is what is durable, where there is no store. */
  get marks(): Watermarks {
    const durable = this.#durability.durableSeq;
    const stored = Math.min(durable, this.#sealing?.storedSeq ?? durable);
    return { received: this.#landing.committed.received, durable, stored };
  }

  /** Of the last record; 0: there is none. */
  get timeMicros(): number {
    return Math.max(this.#landing.lastTimeMicros, this.#recoveredTimeMicros);
  }

  get undurableBytes(): number {
    return this.#durability.undurableBytes + this.#landedBytes;
  }

  get landed(): LandedFigures {
    const { aggregates, recordCount: landedRecords } = this.#landing;
    const { count: aggregateCount, foldedBytes: aggregateFoldedBytes } = aggregates;
    return { aggregateCount, aggregateFoldedBytes, landedRecords, landedBytes: this.#allLandedBytes };
  }

  get openFileCount(): number {
    return this.#landing.openFileCount;
  }

  get segmentCount(): number {
    return this.#foundSegmentCount + this.#landing.segmentCount - (this.#sealing?.sealedCount ?? 0);
  }

  get journalBytes(): number {
    const removedBytes = (this.#sealing?.removedBytes ?? 0) + (this.#removal?.removedBytes ?? 0);
    return this.#foundBytes + this.#allLandedBytes - removedBytes;
  }

  /** Payload that waits to be sealed. */
  get unsealedBytes(): number {
    return this.#sealing?.unsealedBytes ?? 0;
  }

  get sealFailure(): Error | undefined {
    return this.#sealing?.failure;
  }

  /** Only a person can mend why. */
  get isSealingStuck(): boolean {
    return this.#sealing?.needsPerson ?? false;
  }

  /** What failed is tried again at once. */
  trySealing(): void {
    this.#sealing?.tryNow();
  }

  land(bytes: Buffer, start: number, end: number): void {
    this.#landedBytes += end - start;
    this.#allLandedBytes += end - start;
    this.#landing.land(bytes, start, end);
  }

  /** What was taken is in the journals afterwards. */
  commit(): void {
    this.#landing.commit();
    this.#handOverClosed();
    const landedBytes = this.#landedBytes;
    this.#landedBytes = 0;
    this.#parts.sealTurn.landed(landedBytes, this.#parts.machine.clock.monotonicMs());
    this.#durability.written(landedBytes);
  }

  #handOverClosed(): void {
    if (this.#sealing === undefined) return;
    // What has come of an aggregate may lie there, and will be spoken of only behind its last record.
    if (!this.#landing.aggregates.hasUnfinished) this.#handOver(this.#sealing, this.#closing.splice(0));
    const isAllStored = this.#sealing.storedSeq >= this.#landing.committed.received;
    if (this.#sealTimer !== undefined || isAllStored) return;
    const { machine, options } = this.#parts;
    this.#sealTimer = machine.clock.timer(options.sealAfterMs, () => {
      this.#sealTimer = undefined;
      this.#parts.sealDue();
    });
  }

  #handOver(sealing: GroupSealing, closed: readonly { readonly segment: number; readonly slotCount: number }[]): void {
    const { received } = this.#landing.committed;
    const isAllClosed = !this.#landing.hasOpenSegment;
    for (const one of closed) {
      // What was committed by the last time lies in what was open then, or before it.
      const storableSeq = isAllClosed && one === closed.at(-1) ? received : this.#handedOverSeq;
      sealing.closed(one.segment, received, storableSeq, one.slotCount);
    }
    if (closed.length > 0) this.#handedOverSeq = received;
  }

  /** The open data segment is sealed as soon as it may be, however little it has. */
  closeSegment(): void {
    this.#landing.closeSegment();
    this.commit();
    const isAllClosed = !this.#landing.hasOpenSegment && this.#closing.length === 0;
    if (isAllClosed) this.#sealing?.nothingOpen(this.#landing.committed.received);
  }

  /** Somebody waits until the store has all up to there, and asks again until it has: nothing is waited for that could join it. */
  sealUpTo(seq: number): void {
    const isUnclosed = this.#sealing?.hurry(seq) === true;
    this.#durability.ask(seq);
    // What is closed before the end of an aggregate could not be handed over.
    if (isUnclosed && !this.#landing.aggregates.hasUnfinished) this.closeSegment();
  }

  /** Who was connected is not any more. What he left unfinished comes anew, if it does. */
  sessionEnded(): void {
    this.#landing.aggregates.forget();
  }

  openReader(): JournalReader {
    const { machine, folder, identity, sealer: sealed, state } = this.#parts;
    const { journalStart: start } = state.state;
    this.#readerCount++;
    const closed = () => {
      this.#readerCount--;
    };
    return new JournalReader({ files: machine.files, folder, identity, sealed, start, closed });
  }

  askDurable(seq: number): void {
    this.#durability.ask(seq);
  }

  #synced(): void {
    const { durable, received } = this.marks;
    this.volumes.durableUpTo(durable);
    this.#sealing?.durableUpTo(durable);
    this.#checkpointTimer?.cancel();
    this.#checkpointTimer = undefined;
    if (this.#landing.pieceCount > this.#notedPieceCount) void this.noteCheckpoint();
    else if (durable === received) this.#noteLater();
    this.#parts.synced();
  }

  #noteLater(): void {
    const { clock } = this.#parts.machine;
    this.#checkpointTimer = clock.timer(this.#parts.options.checkpointAfterMs, () => {
      this.#checkpointTimer = undefined;
      void this.noteCheckpoint();
    });
  }

  /** What was noted of it stays where nothing is sealed any more. */
  get #storedSeq(): number {
    return Math.max(this.#parts.state.state.storedSeq, this.#sealing?.storedSeq ?? 0);
  }

  /** Does without where that fails: it is a help, and the journals are what counts. */
  async noteCheckpoint(): Promise<void> {
    const checkpointSeq = this.#durability.durableSeq;
    const storedSeq = this.#storedSeq;
    this.#notedPieceCount = this.#landing.pieceCount;
    const { state, machine } = this.#parts;
    if (state.state.checkpointSeq === checkpointSeq && state.state.storedSeq === storedSeq) return;
    try {
      await state.update({ checkpointSeq, storedSeq, volumes: this.volumes.durable });
    } catch (error) {
      machine.log.warn("it could not be noted how far the journals are durable", { group: state.state.name, error });
    }
  }

  /** Lets go of the files; they are opened again by what lands next. */
  release(): void {
    this.#landing.release();
  }

  /** No segment is handed over any more. One that is being sealed is let go of. */
  stopSealing(): void {
    this.#removal?.stop();
    void this.#sealing?.stop();
  }

  /** All that is here is durable and noted, then the files are closed. For the end in good order. */
  async finish(): Promise<void> {
    await this.#durability.settle();
    await this.close();
    await this.noteCheckpoint();
  }

  /** Nothing is written or synced any more. */
  async close(): Promise<void> {
    this.#checkpointTimer?.cancel();
    this.#checkpointTimer = undefined;
    this.#sealTimer?.cancel();
    this.#sealTimer = undefined;
    this.#removal?.stop();
    await this.#sealing?.stop();
    await this.#durability.stop();
    this.#landing.release();
    this.#landing.dirty.abandon();
  }
}

function sizeOfJournals(files: Files, folder: JournalFolder): number {
  const pieces = folder.pieces(files).map((basePosition) => folder.piecePath(basePosition));
  const segments = folder.segments(files).map((segment) => folder.dataPath(segment));
  let sum = 0;
  for (const path of [...pieces, ...segments]) {
    if (!files.exists(path)) continue;
    const handle = files.open(path, "read");
    sum += handle.sizeBytesNow();
    handle.close();
  }
  return sum;
}
