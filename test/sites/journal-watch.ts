/**
 * Watches the journals on the remote site's disk as they are written: what they hold must be the next of the group's
 * order, with the very content that the source site gave it; and knows what a power cut could not take at this moment.
 */
import type { SimDisk } from "#test/sim/sim-disk.ts";
import type { Change, SimFile } from "#test/sim/sim-file.ts";
import { batchAt, entriesOf, type FoundEntry, logHeaderOf, magics } from "./batch-reading.ts";
import { Written } from "./file-tree.ts";
import { demandBlocks } from "./journal-payload.ts";
import { lastSoundSeq } from "./journal-replay.ts";
import { demandKnown } from "./known-entry.ts";
import type { RecordHistory } from "./record-history.ts";
import { demandNext } from "./spool-watch.ts";
import { demand } from "./violation.ts";

interface Group {
  readonly id: string;
  readonly history: RecordHistory;
  /** The last one written; undefined right after the site's power was lost. */
  last: FoundEntry | undefined;
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

export class JournalWatch {
  readonly #disk: SimDisk;
  readonly #historyOf: (group: string) => RecordHistory;
  readonly #isHarmed: boolean;
  readonly #groups = new Map<string, Group>();
  readonly #pieces = new Map<SimFile, { readonly group: Group; readonly basePosition: number }>();

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
      this.#pieces.set(file, { group: this.#group(header.group), basePosition: header.basePosition });
    }
    const piece = this.#pieces.get(file);
    if (piece === undefined) return;
    for (let at = 0; at < change.bytes.length; ) {
      const batch = batchAt(change.bytes, at);
      if (batch?.magic !== magics.metadata) return;
      const isInPlace = batch.position === piece.basePosition + change.position + at;
      demand("prefix", isInPlace, () => `a batch for position ${batch.position} is written elsewhere`);
      const parts = [new Written(file)];
      for (const entry of entriesOf(change.bytes, batch)) this.#append(piece.group, entry, parts);
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

  #append(group: Group, entry: FoundEntry, parts: Written[]): void {
    // What is found damaged is dropped, and sent again.
    if (this.#isHarmed && group.last !== undefined && entry.seq <= group.last.seq) this.#drop(group);
    if (group.last !== undefined) demandNext(group.last, entry);
    const isNew = entry.seq > group.promisedSeq || this.#isHarmed;
    demand("once", isNew, () => `seq ${entry.seq} is applied again, and ${group.promisedSeq} was durable`);
    const record = demandKnown(group.history, entry);
    if (entry.address > 0) parts.push(...demandBlocks(this.#disk, group.id, entry, record));
    // Where it goes on is what was kept.
    if (group.last === undefined) group.survivedSeq = Math.min(group.survivedSeq, entry.seq - 1);
    group.last = entry;
    group.receivedSeq = Math.max(group.receivedSeq, entry.seq);
    group.pending.push({ seq: entry.seq, parts: [...parts] });
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
