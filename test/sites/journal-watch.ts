/**
 * Watches the journals on the remote site's disk as they are written: what they hold must be the next of the group's
 * order, with the very content that the source site gave it; and knows what a power cut could not take at this moment.
 */
import type { Change, SimFile } from "#test/sim/sim-file.ts";
import { batchAt, entriesOf, type FoundEntry, logHeaderOf, magics } from "./batch-reading.ts";
import { Written } from "./file-tree.ts";
import { demandBlocks, payloadOf, sealedPayloadOf, segmentOf, writtenFiles } from "./journal-payload.ts";
import { lastSoundSeq } from "./journal-replay.ts";
import { type JournalUnit, UnitGatherer } from "./journal-unit.ts";
import { demandFolded } from "./known-aggregate.ts";
import { demandKnown } from "./known-entry.ts";
import { type RecordHistory, type as recordTypes } from "./record-history.ts";
import { RemoteDisks } from "./remote-disks.ts";
import { RemovedJournals } from "./removed-journals.ts";
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
  /** All that `promisedSeq` ever was, where bits flip. */
  promises: number[];
  /** What was seen to be durable, whether or not anybody knew. */
  durableSeq: number;
  /** What survived the last loss of power at most: it was found on the disk, so it is durable, promised or not. */
  survivedSeq: number;
  /** Written and not known to be durable, oldest first. */
  pending: { readonly seq: number; readonly parts: readonly Written[] }[];
  /** What lies in segments whose files are there. */
  payloads: FoundEntry[];
  /** What the remote had before it lost its folder, and all units up to there. Others may still believe it. */
  lostSeq: number;
  lostUnits: readonly JournalUnit[];
}

interface Piece {
  readonly group: Group;
  readonly basePosition: number;
  readonly gatherer: UnitGatherer;
  /** What an aggregate that goes on was written to so far. */
  parts: Written[];
}

/** What of the journals' disk is said about the store. */
export interface JournalEvents {
  /** What is up to there has gone from the journals, or is about to. */
  relies(group: string, seq: number): void;
  /** A file with the entry's payload is about to go. */
  leaves(group: string, entry: FoundEntry, payload: Buffer): void;
}

const nobody: JournalEvents = { relies: () => {}, leaves: () => {} };

export class JournalWatch {
  readonly #disks: RemoteDisks;
  readonly #historyOf: (group: string) => RecordHistory;
  readonly #isHarmed: boolean;
  readonly #events: JournalEvents;
  readonly #removed: RemovedJournals;
  readonly #withoutStore: RemoteDisks;
  readonly #groups = new Map<string, Group>();
  readonly #pieces = new Map<SimFile, Piece>();

  /** `isHarmed`: bits flip in what the journals hold. */
  constructor(
    disks: RemoteDisks,
    historyOf: (group: string) => RecordHistory,
    isHarmed: boolean,
    events: JournalEvents = nobody,
  ) {
    this.#events = events;
    this.#removed = new RemovedJournals(disks.journals);
    this.#disks = disks;
    this.#historyOf = historyOf;
    this.#isHarmed = isHarmed;
    this.#withoutStore = new RemoteDisks(disks.journals);
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
        promises: [],
        durableSeq: 0,
        survivedSeq: 0,
        pending: [],
        payloads: [],
        lostSeq: 0,
        lostUnits: [],
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
    if (unit.isAggregate) demandFolded(group.history, unit, (entry) => payloadOf(this.#disks, group.id, entry));
    else this.#demandRecords(group, unit);
    for (const entry of entries) {
      if (entry.type !== recordTypes.write) continue;
      parts.push(...writtenFiles(this.#disks.journals, group.id, entry));
      if (this.#disks.store !== undefined) group.payloads.push(entry);
    }
    // Where it goes on is what was kept.
    if (group.last === undefined) group.survivedSeq = Math.min(group.survivedSeq, firstSeq - 1);
    group.last = { seq: lastSeq, epoch };
    group.receivedSeq = Math.max(group.receivedSeq, lastSeq);
    group.pending.push({ seq: lastSeq, parts });
  }

  #demandRecords(group: Group, { entries }: JournalUnit): void {
    entries.forEach((entry, index) => {
      const last = entries[index - 1];
      if (last !== undefined) demandNext(last, entry);
      const record = demandKnown(group.history, entry);
      if (entry.address > 0) demandBlocks(payloadOf(this.#disks, group.id, entry), entry, record);
    });
  }

  /** All units that the group's journal has, on its disk or in the store alone. */
  units(group: string): JournalUnit[] {
    return this.#removed.units(group, this.#historyOf(group));
  }

  /** A file is about to go. */
  removing(path: string): void {
    const piece = /\/groups\/([0-9a-f]{32})\/metadata\/[^/]*\.piece$/.exec(path);
    const group = this.#groups.get(piece?.[1] ?? "");
    if (group === undefined) this.#removingSegment(path);
    else if (!this.#isHarmed) this.#removingPiece(path, group);
  }

  #removingPiece(path: string, group: Group): void {
    const durableSeq = this.#durableSeq(group);
    this.#events.relies(group.id, this.#removed.removing(path, group.id, group.history, durableSeq));
  }

  /** What lies in it has to be in the store, durably, and to be the same there. */
  #removingSegment(path: string): void {
    const match = /\/groups\/([0-9a-f]{32})\/segments\/(\d{12})\.(?:data|sums)$/.exec(path);
    const group = this.#groups.get(match?.[1] ?? "");
    const stored = this.#disks.durable();
    if (match === null || group === undefined || stored === undefined) return;
    // What is durable is looked up while it has its names.
    this.durableSeq(group.id);
    const segment = Number(match[2]);
    const gone = group.payloads.filter((entry) => segmentOf(entry) === segment);
    group.payloads = group.payloads.filter((entry) => segmentOf(entry) !== segment);
    if (this.#isHarmed || gone.length === 0) return;
    const sealed = this.#disks.sealedIn(stored);
    demand("promise", sealed.has(segment), () => `${path} is removed, and no object with it is durable`);
    for (const entry of gone) {
      const payload = payloadOf(this.#withoutStore, group.id, entry);
      const isSame = sealedPayloadOf(sealed, entry).equals(payload);
      this.#events.leaves(group.id, entry, payload);
      demand("truth", isSame, () => `seq ${entry.seq} has another payload where it is sealed`);
    }
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
    return group === undefined ? 0 : Math.max(this.#durableSeq(group), group.lostSeq);
  }

  #durableSeq(group: Group): number {
    for (let first = group.pending[0]; first !== undefined; first = group.pending[0]) {
      if (!first.parts.every((part) => part.isDurable(this.#disks.journals.root))) break;
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
    if (group === undefined || durableSeq > this.#durableSeq(group)) return;
    if (durableSeq <= group.promisedSeq) return;
    group.promisedSeq = durableSeq;
    if (this.#isHarmed) group.promises.push(durableSeq);
  }

  /** Bits have flipped in what the remote had said to be durable, and it has taken that for an end that it had never promised. */
  hasForgotten(groupId: string): boolean {
    const promises = this.#groups.get(groupId)?.promises ?? [];
    const units = promises.length === 0 ? [] : this.units(groupId);
    return promises.some((seq) => !units.some(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq));
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
      const { id, history, durableSeq } = group;
      group.survivedSeq = lastSoundSeq(this.#disks, id, history, durableSeq, this.#removed.last(id));
      group.payloads = group.payloads.filter(({ seq }) => seq <= group.survivedSeq);
    }
  }

  /** The journals are lost, with all that was not in the store. */
  folderLost(): void {
    for (const group of this.#groups.values()) {
      group.lostUnits = this.#removed.soundUnits(group.id, group.history);
      group.lostSeq = Math.max(group.lostSeq, group.receivedSeq);
    }
  }

  /** What the store has of the group was made journals anew. Answers its last record. */
  rebuilt(groupId: string): number {
    const group = this.#groups.get(groupId);
    if (group === undefined) return 0;
    const last = this.#removed.rebuilt(groupId, group.lostUnits);
    for (const entry of group.payloads) {
      if (entry.seq <= last.seq) this.#events.leaves(groupId, entry, payloadOf(this.#disks, groupId, entry));
    }
    this.#drop(group);
    group.promisedSeq = last.seq;
    group.durableSeq = last.seq;
    group.survivedSeq = last.seq;
    group.payloads = [];
    if (last.seq > 0) group.last = last;
    return last.seq;
  }
}
