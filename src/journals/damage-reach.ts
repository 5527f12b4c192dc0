/**
 * Whom damaged blocks hurt: which blocks of which volumes they are, and at which points. Reads the directories of all segments
 * for the forwards that lead to them; of each group the snapshots that it is based on, and all pieces, for what points to
 * them, and the records that have written over these.
 *
 * Invariant: that nobody needs them is said only where all of that could be read, and those who know what is needed say so too.
 */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { scrubAffectedMax, slotsPerPage } from "#src/core/store-limits.ts";
import { holeAddress, segmentOf, slotOf } from "#src/records/address.ts";
import type { LiveBlocks, SettledSegments } from "#src/store/live-blocks.ts";
import { AbsentObjectError, type Objects } from "#src/store/objects.ts";
import type { AffectedBlocks } from "#src/store/scrub-finding.ts";
import type { SealedSegments } from "#src/store/sealed-segments.ts";
import type { SegmentIdentity } from "#src/store/segment-format.ts";
import { forwardAt, slotEntryBytes, slotKind, slotKindAt } from "#src/store/slot-page.ts";
import { rangesHave, type SlotRange } from "#src/store/slot-ranges.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type BlockExtent, extentOf } from "./block-extent.ts";
import type { JournalRecord } from "./journal-reader.ts";
import { piecesInForce } from "./pieces-in-force.ts";
import type { LostWrite } from "./recalled-copies.ts";
import { SealedPiece } from "./sealed-piece.ts";
import type { SealedPieceIdentity } from "./sealed-piece-format.ts";
import type { SnapshotBlockRow, SnapshotBlocks } from "./snapshot-blocks.ts";
import { storedGroups } from "./stored-group.ts";

export interface ReachParts {
  readonly objects: Pick<Objects, "list" | "read" | "sizeBytes">;
  readonly key: Buffer | undefined;
  readonly segments: SealedSegments;
  /** Undefined: nobody knows what is needed. */
  readonly live: LiveBlocks | undefined;
  /** Undefined: no group is based on any. */
  readonly snapshots: SnapshotBlocks | undefined;
  /** Told of each record in a piece that wrote a block which cannot be read now; of a group in their order. */
  readonly wrote?: (write: LostWrite) => void;
}

export interface DamagedSlots {
  readonly segment: number;
  readonly slots: readonly SlotRange[];
}

export interface Reach {
  readonly affected: readonly AffectedBlocks[];
  /** There are more, or nobody can tell whether there are. */
  readonly isCut: boolean;
}

/** Blocks of a volume that are damaged for as long as nothing writes over them. */
interface OpenBlocks extends AffectedBlocks {
  /** Of which damage. */
  readonly index: number;
}

/** For each of them in their order. What is damaged itself is passed over: it has findings of its own. */
export async function reachOf(
  parts: ReachParts,
  damages: readonly DamagedSlots[],
  control: WorkControl,
): Promise<readonly Reach[]> {
  const trace = new ReachTrace(parts, damages, control);
  await trace.followForwards();
  await trace.followGroups();
  await trace.askWhatIsLive();
  return trace.reaches;
}

interface HurtForward {
  readonly segment: number;
  readonly slot: number;
  readonly index: number;
}

class ReachTrace {
  readonly #parts: ReachParts;
  readonly #control: WorkControl;
  /** By segment: which of its slots are hurt by which damage. */
  readonly #hurt = new Map<number, { readonly ranges: readonly SlotRange[]; readonly index: number }[]>();
  readonly #affected: AffectedBlocks[][];
  readonly #isCut: boolean[];
  /** Of the group that is being read, by volume. */
  readonly #open = new Map<number, OpenBlocks[]>();

  constructor(parts: ReachParts, damages: readonly DamagedSlots[], control: WorkControl) {
    this.#parts = parts;
    this.#control = control;
    this.#affected = damages.map(() => []);
    this.#isCut = damages.map(() => false);
    for (const [index, { segment, slots }] of damages.entries()) this.#addHurt(segment, slots, index);
  }

  get reaches(): Reach[] {
    return this.#affected.map((affected, index) => ({ affected, isCut: this.#isCut[index] === true }));
  }

  #addHurt(segment: number, ranges: readonly SlotRange[], index: number): void {
    if (ranges.length === 0) return;
    const known = this.#hurt.get(segment) ?? [];
    known.push({ ranges, index });
    this.#hurt.set(segment, known);
  }

  *#damagesOf(address: number): Generator<number> {
    const slot = slotOf(address);
    for (const { ranges, index } of this.#hurt.get(segmentOf(address)) ?? []) if (rangesHave(ranges, slot)) yield index;
  }

  async followForwards(): Promise<void> {
    const identities = [...this.#parts.segments.identities()];
    const found: HurtForward[] = [];
    for (const [done, identity] of identities.entries()) {
      this.#control.progress({ done, total: identities.length, unit: "segments", what: "looks what leads to damage" });
      found.push(...(await this.#forwardsIn(identity)));
    }
    // Behind all of them: a forward leads to a kept block, never to a forward.
    for (const { segment, slot, index } of found) this.#addHurt(segment, [{ slot, count: 1 }], index);
  }

  async #forwardsIn(identity: SegmentIdentity): Promise<HurtForward[]> {
    const found: HurtForward[] = [];
    await this.#orDoubt(async () => {
      const directory = await this.#parts.segments.directoryApart(identity);
      for (let page = 0; page < directory.pageCount; page++) {
        const entries = await this.#orDoubt(() => directory.slots(page));
        if (entries !== undefined) this.#addForwardsOf(identity.segment, page, entries, found);
        await this.#control.pace(slotsPerPage * slotEntryBytes);
      }
    });
    return found;
  }

  #addForwardsOf(segment: number, page: number, entries: Buffer, found: HurtForward[]): void {
    for (let start = 0; start < entries.length; start += slotEntryBytes) {
      if (slotKindAt(entries, start) !== slotKind.forward) continue;
      const slot = page * slotsPerPage + start / slotEntryBytes;
      for (const index of this.#damagesOf(forwardAt(entries, start))) found.push({ segment, slot, index });
    }
  }

  async followGroups(): Promise<void> {
    const { objects, snapshots } = this.#parts;
    const groups = new Set([...(await storedGroups(objects)), ...((await snapshots?.groups()) ?? [])]);
    for (const group of groups) {
      const expiredSeq = await this.#orDoubt(() => this.#followSnapshots(group));
      await this.#followPieces(group, expiredSeq ?? -1);
      this.#endGroup();
    }
  }

  /** What only they hold. Resolves with up to where the pieces say nothing besides. */
  async #followSnapshots(group: string): Promise<number> {
    const { snapshots } = this.#parts;
    if (snapshots === undefined) return -1;
    const expiredSeq = await snapshots.expiredSeq(group);
    const what = "looks which snapshots need what is damaged";
    this.#control.progress({ done: 0, total: 0, unit: "objects", what });
    await this.#orDoubt(async () => {
      for await (const row of snapshots.rows(group, this.#control)) if (this.#mayHurt(row)) this.#seen(group, row);
    });
    return expiredSeq;
  }

  #seen(group: string, { timeMicros, isBase, ...row }: SnapshotBlockRow): void {
    const until = isBase ? {} : { untilSeq: row.seq + 1, untilMicros: timeMicros };
    this.#openIn(group, row, timeMicros, until);
  }

  async #followPieces(group: string, expiredSeq: number): Promise<void> {
    let done = 0;
    for (const identity of await piecesInForce(this.#parts.objects, group)) {
      if (identity.firstSeq <= expiredSeq) continue;
      this.#control.progress({ done: done++, total: 0, unit: "pieces", what: "looks who needs what is damaged" });
      await this.#orDoubt(() => this.#followPiece(group, identity));
    }
  }

  async #followPiece(group: string, identity: SealedPieceIdentity): Promise<void> {
    const { objects, key } = this.#parts;
    const piece = await SealedPiece.open(objects, identity, key);
    await this.#control.pace(piece.sizeBytes);
    for await (const record of piece.records()) this.#follow(group, record);
  }

  /** Where not all can be read nobody can say that there are no more. */
  async #orDoubt<Read>(read: () => Promise<Read>): Promise<Read | undefined> {
    const known = await unlessDamaged(read);
    if (known === undefined) this.#doubt(this.#isCut.keys());
    return known?.read;
  }

  #doubt(indexes: Iterable<number>): void {
    for (const index of indexes) this.#isCut[index] = true;
  }

  /** What nobody was found to need may be needed by what was not seen, such as records that are not sealed yet. */
  async askWhatIsLive(): Promise<void> {
    const unneeded = [...this.#affected.keys()].filter(
      (index) => this.#affected[index]?.length === 0 && !this.#isCut[index],
    );
    if (unneeded.length === 0) return;
    const { live } = this.#parts;
    const mark = (address: number, blockCount: number) => {
      if (!this.#mayHurt({ address, blockCount })) return;
      for (let block = 0; block < blockCount; block++) this.#doubt(this.#damagesOf(address + block));
    };
    const settled = await unlessDamaged(async () => await live?.markLive({ mark }, this.#control));
    this.#doubt(unneeded.filter((index) => !this.#isSettled(index, settled?.read)));
  }

  /** Whether all is known of those who may point to it. */
  #isSettled(index: number, settled: SettledSegments | undefined): boolean {
    for (const [segment, hurt] of this.#hurt) {
      if (hurt.some((one) => one.index === index) && settled?.has(segment) !== true) return false;
    }
    return true;
  }

  /** A row of blocks may begin in one segment and end in the next. */
  #mayHurt({ address, blockCount }: { readonly address: number; readonly blockCount: number }): boolean {
    return this.#hurt.has(segmentOf(address)) || this.#hurt.has(segmentOf(address + blockCount - 1));
  }

  #follow(group: string, record: JournalRecord): void {
    const extent = extentOf(record, record.extra);
    if (extent === undefined) return;
    if (this.#open.has(extent.volume)) this.#close(extent, record.timeMicros);
    if (extent.address === holeAddress || !this.#mayHurt(extent)) return;
    this.#tellWrites(group, extent);
    this.#openIn(group, extent, record.timeMicros, {});
  }

  #tellWrites(group: string, { seq, volume, startBlock, blockCount, address }: BlockExtent): void {
    for (let index = 0; index < blockCount; index++) {
      const isHurt = this.#damagesOf(address + index).next().done !== true;
      if (isHurt) this.#parts.wrote?.({ group, seq, volume, block: startBlock + index });
    }
  }

  /** What was damaged there is not seen any more. */
  #close({ volume, startBlock, blockCount, seq }: BlockExtent, timeMicros: number): void {
    const end = startBlock + blockCount;
    const left: OpenBlocks[] = [];
    for (const open of this.#open.get(volume) ?? []) {
      const openEnd = open.startBlock + open.blockCount;
      const [from, to] = [Math.max(open.startBlock, startBlock), Math.min(openEnd, end)];
      // Of a snapshot that is a point by itself nothing is written over.
      if (from >= to || open.untilSeq !== undefined) {
        left.push(open);
        continue;
      }
      this.#note({ ...open, startBlock: from, blockCount: to - from, untilSeq: seq, untilMicros: timeMicros });
      if (open.startBlock < from) left.push({ ...open, blockCount: from - open.startBlock });
      if (openEnd > to) left.push({ ...open, startBlock: to, blockCount: openEnd - to });
    }
    this.#open.set(volume, left);
  }

  /** `until`: where it is known already. */
  #openIn(
    group: string,
    extent: Pick<BlockExtent, "volume" | "startBlock" | "blockCount" | "address" | "seq">,
    fromMicros: number,
    until: Pick<AffectedBlocks, "untilSeq" | "untilMicros">,
  ): void {
    const { volume, startBlock, blockCount, address, seq: fromSeq } = extent;
    const open = this.#open.get(volume) ?? [];
    this.#open.set(volume, open);
    for (let block = 0; block < blockCount; block++) {
      for (const index of this.#damagesOf(address + block)) {
        const last = open.at(-1);
        const isNext = last?.index === index && last.fromSeq === fromSeq;
        const goesOn = isNext && last.startBlock + last.blockCount === startBlock + block;
        if (goesOn) open[open.length - 1] = { ...last, blockCount: last.blockCount + 1 };
        else if (!this.#isFull(index, open)) {
          const from = { group, volume, startBlock: startBlock + block, blockCount: 1, fromSeq, fromMicros, ...until };
          open.push({ ...from, index });
        }
      }
    }
  }

  #isFull(index: number, open: readonly OpenBlocks[]): boolean {
    const isFull = (this.#affected[index] as AffectedBlocks[]).length + open.length >= 4 * scrubAffectedMax;
    if (isFull) this.#isCut[index] = true;
    return isFull;
  }

  #note({ index, ...affected }: OpenBlocks): void {
    const list = this.#affected[index] as AffectedBlocks[];
    if (list.length < scrubAffectedMax) list.push(affected);
    else this.#isCut[index] = true;
  }

  #endGroup(): void {
    for (const open of this.#open.values()) for (const one of open) this.#note(one);
    this.#open.clear();
  }
}

/** Undefined: it cannot be read. */
async function unlessDamaged<Read>(read: () => Promise<Read>): Promise<{ readonly read: Read } | undefined> {
  try {
    return { read: await read() };
  } catch (error) {
    if (error instanceof AbsentObjectError) return undefined;
    if (error instanceof StopError || error instanceof RefuseError) return undefined;
    throw error;
  }
}
