/**
 * The journals of a group from one opening to the next: recovered, then appended to and synced. Now and then it is noted
 * durably how far they are durable, so that the next recovery begins there, and knows damage from a tail.
 */

import type { Timer } from "#src/host/clock.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { Files } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import { type RecoveredJournals, recoverJournals } from "#src/journals/journal-recovery.ts";
import type { JournalIdentity } from "#src/journals/metadata-piece.ts";
import type { Watermarks } from "#src/wire/group-link.ts";
import { Durability } from "./durability.ts";
import { Landing } from "./landing.ts";
import { Receiver } from "./receiver.ts";
import type { RemoteGroupStateFile } from "./remote-group-state.ts";
import type { RemoteOptions } from "./remote-options.ts";
import type { SegmentSupply } from "./segment-catalogue.ts";
import { VolumeTable } from "./volume-table.ts";

export interface GroupJournalsParts {
  readonly machine: Machine;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
  readonly state: RemoteGroupStateFile;
  readonly supply: SegmentSupply;
  readonly options: RemoteOptions;
  readonly hook: FaultHook | undefined;
  /** Known to be durable, though perhaps not noted yet. */
  readonly durableSeq: number;
  readonly foundUnsound: () => void;
  /** More is durable. */
  readonly synced: () => void;
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
    see: (record, bytes) => {
      const { type, seq, volume, extraAt, extraBytes } = record;
      if (VolumeTable.isAbout(type)) volumes.saw(type, seq, volume, bytes.subarray(extraAt, extraAt + extraBytes));
    },
  });
  volumes.durableUpTo(recovered.lastSeq);
  await parts.supply.fill();
  const journals = new GroupJournals(parts, recovered, volumes);
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

  constructor(parts: GroupJournalsParts, recovered: RecoveredJournals, volumes: VolumeTable) {
    const { machine, folder, identity, options, supply, hook, foundUnsound } = parts;
    this.#parts = parts;
    this.volumes = volumes;
    this.droppedBytes = recovered.droppedBytes;
    this.#foundBytes = sizeOfJournals(machine.files, folder);
    this.#foundSegmentCount = folder.segments(machine.files).length;
    this.#recoveredTimeMicros = recovered.timeMicros;
    this.receiver = new Receiver({ epoch: recovered.epoch, received: recovered.lastSeq });
    this.#landing = new Landing({
      files: machine.files,
      folder,
      identity,
      pieceBytes: options.pieceBytes,
      endPosition: recovered.endPosition,
      receiver: this.receiver,
      takeSegment: () => supply.takeNow(),
      durableSeq: () => this.#durability.durableSeq,
      foundUnsound,
      sawVolume: (type, seq, volume, extra) => volumes.saw(type, seq, volume, extra),
      hook,
    });
    this.#durability = new Durability(
      {
        clock: machine.clock,
        dirty: this.#landing.dirty,
        afterMs: options.syncAfterMs,
        afterBytes: options.syncAfterBytes,
        writtenSeq: () => this.#landing.committed.received,
        synced: () => this.#synced(),
        failed: parts.failed,
      },
      recovered.lastSeq,
    );
  }

  /** `stored` is what is durable, as long as there is no store. */
  get marks(): Watermarks {
    const durable = this.#durability.durableSeq;
    return { received: this.#landing.committed.received, durable, stored: durable };
  }

  /** Of the last record; 0: there is none. */
  get timeMicros(): number {
    return Math.max(this.#landing.lastTimeMicros, this.#recoveredTimeMicros);
  }

  get undurableBytes(): number {
    return this.#durability.undurableBytes + this.#landedBytes;
  }

  /** Aggregates taken since the opening, and payload that they left out. */
  get aggregates(): { readonly count: number; readonly foldedBytes: number } {
    return this.#landing.aggregates;
  }

  get openFileCount(): number {
    return this.#landing.openFileCount;
  }

  get segmentCount(): number {
    return this.#foundSegmentCount + this.#landing.segmentCount;
  }

  get journalBytes(): number {
    return this.#foundBytes + this.#allLandedBytes;
  }

  land(bytes: Buffer, start: number, end: number): void {
    this.#landedBytes += end - start;
    this.#allLandedBytes += end - start;
    this.#landing.land(bytes, start, end);
  }

  /** What was taken is in the journals afterwards. */
  commit(): void {
    this.#landing.commit();
    const landedBytes = this.#landedBytes;
    this.#landedBytes = 0;
    this.#durability.written(landedBytes);
  }

  /** Who was connected is not any more. What he left unfinished comes anew, if it does. */
  sessionEnded(): void {
    this.#landing.aggregates.forget();
  }

  askDurable(seq: number): void {
    this.#durability.ask(seq);
  }

  #synced(): void {
    const { durable, received } = this.marks;
    this.volumes.durableUpTo(durable);
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

  /** Does without where that fails: it is a help, and the journals are what counts. */
  async noteCheckpoint(): Promise<void> {
    const checkpointSeq = this.#durability.durableSeq;
    this.#notedPieceCount = this.#landing.pieceCount;
    const { state, machine } = this.#parts;
    if (state.state.checkpointSeq === checkpointSeq) return;
    try {
      await state.update({ checkpointSeq, volumes: this.volumes.durable });
    } catch (error) {
      machine.log.warn("it could not be noted how far the journals are durable", { group: state.state.name, error });
    }
  }

  /** Lets go of the files; they are opened again by what lands next. */
  release(): void {
    this.#landing.release();
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
