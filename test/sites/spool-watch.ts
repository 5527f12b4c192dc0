/**
 * Watches the spools on the source site's disk as they are written: fills the histories of their groups, and knows
 * which records a power cut could not take at this moment.
 */
import type { SimDisk } from "#test/sim/sim-disk.ts";
import type { Change, SimFile } from "#test/sim/sim-file.ts";
import {
  batchAt,
  type FoundBatch,
  type FoundRecord,
  type LogHeader,
  logHeaderOf,
  magics,
  recordsOf,
} from "./batch-reading.ts";
import { hasName, Written } from "./file-tree.ts";
import { type RecordHistory, type as recordTypes } from "./record-history.ts";
import { demand } from "./violation.ts";

interface Group {
  readonly history: RecordHistory;
  /** Not known to be durable, in the order of appending. */
  pending: { readonly seq: number; readonly file: SimFile; readonly written: Written }[];
  /** What batches have called durable, as it grew: whoever finds such a batch may not drop what it speaks of. */
  claims: { readonly seq: number; readonly written: Written }[];
  /** What headers have said not to be needed, as it grew: whoever finds such a header does not look for what was before. */
  releases: { readonly seq: number; readonly written: Written }[];
  /** The last one appended in this life of the site; undefined: none was. */
  last: FoundRecord | undefined;
  /** Where each batch begins, and its last record. */
  batches: { readonly position: number; readonly lastSeq: number }[];
  /** The most that ever lay in the log behind what the site knew to be stored. */
  unstoredBytesMax: number;
}

/** What a group's spool keeps beyond what the remote has durably. */
export interface SpoolKeeping {
  readonly keepBytes: number;
  /** The highest that the remote ever said to be stored. */
  readonly storedSeq: number;
  /** What the site has known of that, at least. */
  readonly knownStoredSeq: number;
}

/** What a header says not to be needed, and how much lay behind what was stored at most until then. */
interface Release {
  readonly groupId: string;
  readonly releasedSeq: number;
  readonly unstoredBytesMax: number;
}

const keepsNothing: SpoolKeeping = { keepBytes: 0, storedSeq: 0, knownStoredSeq: 0 };

interface Segment {
  readonly group: Group;
  readonly groupId: string;
  readonly basePosition: number;
}

export class SpoolWatch {
  readonly #disk: SimDisk;
  /** Answers the history of a group by its id. */
  readonly #historyOf: (group: string) => RecordHistory;
  readonly #keepingOf: (group: string) => SpoolKeeping;
  readonly #groups = new Map<string, Group>();
  #segments = new Map<SimFile, Segment>();
  /** Since somebody last looked. */
  #releases: Release[] = [];

  constructor(
    disk: SimDisk,
    historyOf: (group: string) => RecordHistory,
    keepingOf: (group: string) => SpoolKeeping = () => keepsNothing,
  ) {
    this.#disk = disk;
    this.#keepingOf = keepingOf;
    this.#historyOf = historyOf;
  }

  changed(file: SimFile, change: Change): void {
    if (change.kind !== "write") return;
    const header = change.position === 0 ? logHeaderOf(change.bytes) : undefined;
    if (header?.magic === magics.spool) this.#begin(file, header);
    const segment = this.#segments.get(file);
    if (segment === undefined) return;
    for (let at = 0; at < change.bytes.length; ) {
      const batch = batchAt(change.bytes, at);
      if (batch?.magic !== magics.records) return;
      const isInPlace = batch.position === segment.basePosition + change.position + at;
      demand("order", isInPlace, () => `a batch for position ${batch.position} is written elsewhere`);
      this.#append(segment, file, change.bytes, batch);
      at += batch.spanBytes;
    }
  }

  #begin(file: SimFile, { group: groupId, basePosition, releasedSeq }: LogHeader): void {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      const nothing = { pending: [], claims: [], releases: [], last: undefined, batches: [], unstoredBytesMax: 0 };
      group = { history: this.#historyOf(groupId), ...nothing };
      this.#groups.set(groupId, group);
    }
    if (releasedSeq > (group.releases.at(-1)?.seq ?? 0)) {
      group.releases.push({ seq: releasedSeq, written: new Written(file) });
    }
    this.#releases.push({ groupId, releasedSeq, unstoredBytesMax: group.unstoredBytesMax });
    // Its header may only say anew what is released.
    if (this.#segments.get(file)?.basePosition === basePosition) return;
    // The segment is used again: what it had is not needed in the spool any more.
    group.pending = group.pending.filter((record) => record.file !== file);
    this.#segments.set(file, { group, groupId, basePosition });
  }

  /** When it is known again what is stored: nobody is asked while he writes. */
  demandReleasable(): void {
    for (const { groupId, releasedSeq, unstoredBytesMax } of this.#releases.splice(0)) {
      const { keepBytes, storedSeq } = this.#keepingOf(groupId);
      const mayGo = releasedSeq <= storedSeq || unstoredBytesMax > keepBytes;
      const bytes = `${unstoredBytesMax} bytes lay behind that, and ${keepBytes} are to be kept`;
      demand("promise", mayGo, () => `a spool lets go of seq ${releasedSeq}, and ${storedSeq} is stored: ${bytes}`);
    }
  }

  #append({ group, groupId }: Segment, file: SimFile, bytes: Buffer, batch: FoundBatch): void {
    const records = recordsOf(bytes, batch);
    demand(
      "truth",
      records !== undefined,
      () => `the batch from seq ${batch.firstSeq} on is not what its checksums say`,
    );
    const written = new Written(file);
    for (const record of records ?? []) {
      if (group.last !== undefined) demandNext(group.last, record);
      else demandKept(group, record);
      demand("order", record.time >= (group.last?.time ?? 0), () => `time goes back at seq ${record.seq}`);
      group.history.add(record, bytes);
      group.pending.push({ seq: record.seq, file, written });
      group.last = record;
    }
    group.batches.push({ position: batch.position, lastSeq: group.last?.seq ?? 0 });
    noteUnstored(group, this.#keepingOf(groupId).knownStoredSeq, batch.position + batch.spanBytes);
    if (batch.durableSeq > claimedSeqOf(group)) group.claims.push({ seq: batch.durableSeq, written });
  }

  /** The first record up to `lastSeq` that a power cut right now might take. */
  firstInDanger(group: string, lastSeq: number): number | undefined {
    const found = this.#groups.get(group);
    if (found === undefined) return undefined;
    const { root } = this.#disk;
    const releasedSeq = found.releases.findLast(({ written }) => written.isDurable(root))?.seq ?? 0;
    // What was removed is not needed in the spool any more, as what was used again.
    found.pending = found.pending.filter(
      ({ seq, file, written }) =>
        seq > lastSeq || !(seq <= releasedSeq || written.isDurable(root) || !hasName(root, file)),
    );
    return found.pending.find(({ seq }) => seq <= lastSeq)?.seq;
  }

  /** The disk that it was on is gone: nothing of it is known to be durable any more. */
  lost(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    group.pending = [];
    group.claims = [];
    group.releases = [];
    group.last = undefined;
    group.batches = [];
    group.unstoredBytesMax = Number.POSITIVE_INFINITY;
  }

  /** The site's processes have ended: what they write next follows what they find. */
  crash(hadPower: boolean): void {
    for (const group of this.#groups.values()) {
      group.last = undefined;
      if (hadPower) continue;
      group.pending = [];
      // A batch that was lost says nothing any more.
      group.claims = group.claims.filter(({ written }) => written.isDurable(this.#disk.root));
      group.releases = group.releases.filter(({ written }) => written.isDurable(this.#disk.root));
    }
  }
}

/** A spool that was opened again goes on behind what it found: that may be less than there was, never less than is known. */
function demandKept(group: Group, next: FoundRecord): void {
  const isEpoch = next.type === recordTypes.epoch;
  const keptSeq = isEpoch ? (JSON.parse(next.extra) as { previousLastSeq: number }).previousLastSeq : next.seq - 1;
  const claimedSeq = claimedSeqOf(group);
  const claimed = `the records up to ${claimedSeq} were known to be durable`;
  demand("promise", keptSeq >= claimedSeq, () => `${claimed}, and the spool goes on behind ${keptSeq}`);
}

function noteUnstored(group: Group, storedSeq: number, endPosition: number): void {
  const first = group.batches.find(({ lastSeq }) => lastSeq > storedSeq);
  group.unstoredBytesMax = Math.max(group.unstoredBytesMax, endPosition - (first?.position ?? endPosition));
}

function claimedSeqOf({ claims }: Group): number {
  return claims.at(-1)?.seq ?? 0;
}

/** The next in the order: the next seq, or the first of a new epoch. */
export function demandNext(
  last: { readonly seq: number; readonly epoch: number },
  next: { readonly seq: number; readonly epoch: number; readonly type: number },
): void {
  const isNext =
    next.type === recordTypes.epoch
      ? next.seq > last.seq && next.epoch > last.epoch
      : next.seq === last.seq + 1 && next.epoch === last.epoch;
  const found = `seq ${next.seq} of epoch ${next.epoch}`;
  demand("order", isNext, () => `${found} follows seq ${last.seq} of epoch ${last.epoch}`);
}
