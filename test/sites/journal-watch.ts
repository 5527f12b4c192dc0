/**
 * Watches the journals on the remote site's disk as they are written: what they hold must be the next of the group's
 * order, with the very content that the source site gave it; and knows what a power cut could not take at this moment.
 */
import type { SimDisk } from "#test/sim/sim-disk.ts";
import type { Change, SimFile } from "#test/sim/sim-file.ts";
import { batchAt, entriesOf, logHeaderOf, magics } from "./batch-reading.ts";
import { Written } from "./file-tree.ts";
import { demandBlocks } from "./journal-payload.ts";
import { lastSoundSeq } from "./journal-replay.ts";
import { type JournalUnit, UnitGatherer } from "./journal-unit.ts";
import { demandFolded } from "./known-aggregate.ts";
import { demandKnown } from "./known-entry.ts";
import type { RecordHistory } from "./record-history.ts";
import { demandNext } from "./spool-watch.ts";
import { demand } from "./violation.ts";

interface Group {
  readonly id: string;
  readonly history: RecordHistory;
  /** The last one written; undefined right after the site's power was lost. */
  last: { readonly seq: number; readonly epoch: number } | undefined;
  receivedSeq: number;
  /** What the remote appliance has said to be durable. */
  promisedSeq: number;
  /** What was seen to be durable, whether or not anybody knew. */
  durableSeq: number;
  /** What survived the last loss of power at most: it was found on the disk, so it is durable, promised or not. */
  survivedSeq: number;
  /** Written and not known to be durable, oldest first. */
  pending: { readonly seq: number; readonly parts: readonly Written[] }[];
}

interface Piece {
  readonly group: Group;
  readonly basePosition: number;
  readonly gatherer: UnitGatherer;
  /** What an aggregate that goes on was written to so far. */
  parts: Written[];
}

export class JournalWatch {
  readonly #disk: SimDisk;
  readonly #historyOf: (group: string) => RecordHistory;
  readonly #isHarmed: boolean;
  readonly #groups = new Map<string, Group>();
  readonly #pieces = new Map<SimFile, Piece>();

  /** `isHarmed`: bits flip in what the journals hold. */
  constructor(disk: SimDisk, historyOf: (group: string) => RecordHistory, isHarmed: boolean) {
    this.#disk = disk;
    this.#historyOf = historyOf;
    this.#isHarmed = isHarmed;
  }

  changed(file: SimFile, change: Change): void {
    if (change.kind !== "write") return;
    const header = change.position === 0 ? logHeaderOf(change.bytes) : undefined;
    if (header?.magic === magics.pieces) {
      const { group, basePosition } = header;
      this.#pieces.set(file, { group: this.#group(group), basePosition, gatherer: new UnitGatherer(), parts: [] });
    }
    const piece = this.#pieces.get(file);
    if (piece === undefined) return;
    for (let at = 0; at < change.bytes.length; ) {
      const batch = batchAt(change.bytes, at);
      if (batch === undefined || batch.magic === magics.records) return;
      const isInPlace = batch.position === piece.basePosition + change.position + at;
      demand("prefix", isInPlace, () => `a batch for position ${batch.position} is written elsewhere`);
      const unit = piece.gatherer.add(batch, entriesOf(change.bytes, batch));
      piece.parts.push(new Written(file));
      if (unit !== undefined) this.#append(piece.group, unit, piece.parts.splice(0));
      at += batch.spanBytes;
    }
  }

  #group(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = {
        id,
        history: this.#historyOf(id),
        last: undefined,
        receivedSeq: 0,
        promisedSeq: 0,
        durableSeq: 0,
        survivedSeq: 0,
        pending: [],
      };
      this.#groups.set(id, group);
    }
    return group;
  }

  #append(group: Group, unit: JournalUnit, parts: Written[]): void {
    const { firstSeq, lastSeq, epoch, entries } = unit;
    // What is found damaged is dropped, and sent again.
    if (this.#isHarmed && group.last !== undefined && firstSeq <= group.last.seq) this.#drop(group);
    if (group.last !== undefined) demandNext(group.last, { seq: firstSeq, epoch, type: entries[0]?.type ?? 0 });
    const isNew = firstSeq > group.promisedSeq || this.#isHarmed;
    demand("once", isNew, () => `seq ${firstSeq} is applied again, and ${group.promisedSeq} was durable`);
    if (unit.isAggregate) parts.push(...demandFolded(this.#disk, group.id, group.history, unit));
    else parts.push(...this.#demandRecords(group, unit));
    // Where it goes on is what was kept.
    if (group.last === undefined) group.survivedSeq = Math.min(group.survivedSeq, firstSeq - 1);
    group.last = { seq: lastSeq, epoch };
    group.receivedSeq = Math.max(group.receivedSeq, lastSeq);
    group.pending.push({ seq: lastSeq, parts });
  }

  /** Answers the files that the payloads lie in. */
  #demandRecords(group: Group, { entries }: JournalUnit): Written[] {
    return entries.flatMap((entry, index) => {
      const last = entries[index - 1];
      if (last !== undefined) demandNext(last, entry);
      const record = demandKnown(group.history, entry);
      return entry.address > 0 ? demandBlocks(this.#disk, group.id, entry, record) : [];
    });
  }

  /**
   * The last seq that the remote ever had, at least in the memory of its machine. What it said of that may still be on its
   * way when it loses its power.
   */
  receivedSeq(group: string): number {
    return this.#groups.get(group)?.receivedSeq ?? 0;
  }

  /** The last seq up to which a power cut would leave all. */
  durableSeq(groupId: string): number {
    const group = this.#groups.get(groupId);
    if (group === undefined) return 0;
    for (let first = group.pending[0]; first !== undefined; first = group.pending[0]) {
      if (!first.parts.every((part) => part.isDurable(this.#disk.root))) break;
      group.durableSeq = first.seq;
      group.pending.shift();
    }
    return Math.max(group.durableSeq, group.survivedSeq);
  }

  /** What the remote appliance says: never more than there is, and never taken back. */
  said(groupId: string, durableSeq: number): void {
    const actual = this.durableSeq(groupId);
    const isTrue = durableSeq <= actual || this.#isHarmed;
    demand("promise", isTrue, () => `the remote says that ${durableSeq} is durable, and ${actual} is`);
    const group = this.#groups.get(groupId);
    if (group !== undefined) group.promisedSeq = Math.max(group.promisedSeq, durableSeq);
  }

  #drop(group: Group): void {
    group.last = undefined;
    group.pending = [];
  }

  /** Before the site's processes end: what is durable is looked up for the last time. */
  crash(): void {
    for (const group of this.#groups.values()) this.durableSeq(group.id);
  }

  /** The machine has lost what was not durable, whatever its end was. */
  lost(): void {
    for (const group of this.#groups.values()) {
      group.last = undefined;
      group.pending = [];
      group.survivedSeq = lastSoundSeq(this.#disk, group.id, group.history, group.durableSeq);
    }
  }
}
