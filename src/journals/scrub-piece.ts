/**
 * Checks a sealed piece: its parts, its records and what they say of blocks, that it follows the piece before, that it is the
 * one that was there before, and that what its records point to is there. The last is what finds blocks that were left
 * out when their segment was sealed, and a segment that is another group's.
 */
import { StopError } from "#src/core/errors.ts";
import { holeAddress, segmentOf } from "#src/records/address.ts";
import { hasPayload } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { objectKind } from "#src/store/object-format.ts";
import type { PieceHead } from "#src/store/scrub-document.ts";
import { Flaws } from "#src/store/scrub-flaws.ts";
import type { SealedSegments } from "#src/store/sealed-segments.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { type Slot, SlotCursor } from "#src/store/slot-cursor.ts";
import { slotKind, slotKindAt, slotVolumeAt } from "#src/store/slot-page.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { BlockExtent } from "./block-extent.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { chainFinding } from "./sealed-piece-chain.ts";
import type { PieceLink, SealedPieceIdentity } from "./sealed-piece-format.ts";

export interface PieceCheckParts {
  readonly key: Buffer | undefined;
  /** What records point to, and where that is read. */
  readonly segments: SealedSegments;
  readonly objects: ObjectSource;
  /** Undefined: there is none before, or nobody knows what it is. */
  readonly before: PieceLink | undefined;
  /** Of the piece that was the group's newest. */
  readonly head: PieceHead | undefined;
  /** Points before it are not kept, nor perhaps what they needed. */
  readonly oldestSeq: number;
}

export class PieceCheck {
  readonly #parts: PieceCheckParts;
  readonly #identity: SealedPieceIdentity;
  readonly #control: WorkControl;
  readonly #cursor: SlotCursor;
  /** The segment that was looked at last, and whose it is. */
  #owner: { readonly segment: number; readonly group: string | undefined } | undefined;
  /** Of the piece that was checked last, if it was open to be read. */
  link: PieceLink | undefined;

  constructor(parts: PieceCheckParts, identity: SealedPieceIdentity, control: WorkControl) {
    this.#parts = parts;
    this.#identity = identity;
    this.#control = control;
    this.#cursor = new SlotCursor(parts.segments);
  }

  /** Rejects with an `AbsentObjectError` where it is not there any more. */
  async check(objects: ObjectSource): Promise<Flaws> {
    const flaws = new Flaws();
    this.link = undefined;
    let piece: SealedPiece;
    try {
      piece = await SealedPiece.open(objects, this.#identity, this.#parts.key);
      this.link = piece.link;
    } catch (error) {
      flaws.addError(error, { seqs: { first: this.#identity.firstSeq, last: Number.MAX_SAFE_INTEGER } });
      return flaws;
    }
    this.#checkPlace(piece, flaws);
    const hasAggregates = await this.#checkRecords(piece, flaws);
    await this.#checkExtents(piece, flaws, hasAggregates);
    // Where no single part is damaged they may still not be those that belong together.
    if (!flaws.has("records") && !flaws.has("extents")) await this.#checkWhole(piece, flaws);
    return flaws;
  }

  #checkPlace(piece: SealedPiece, flaws: Flaws): void {
    const { before, head } = this.#parts;
    const seqs = { first: this.#identity.firstSeq, last: piece.numbers.lastSeq };
    const finding = before === undefined ? undefined : chainFinding(before, piece);
    if (finding !== undefined) flaws.add("chain", finding, { seqs });
    const isNoted = head?.firstSeq === this.#identity.firstSeq && this.#identity.folded === undefined;
    if (isNoted && head.hash !== piece.link.hash.toString("hex")) {
      flaws.add("chain", "it is another piece than was there before", { seqs });
    }
  }

  /** Answers whether there is an aggregate among them. */
  async #checkRecords(piece: SealedPiece, flaws: Flaws): Promise<boolean> {
    let hasAggregates = false;
    let [earliest, latest, count] = [Number.POSITIVE_INFINITY, 0, 0];
    for (let number = 0; number < piece.recordPageCount; number++) {
      const { firstSeq: first, lastSeq: last, storedBytes } = piece.recordPagePlace(number);
      await this.#control.pace(storedBytes);
      const page = await this.#unlessDamaged(() => piece.recordPage(number), flaws, { first, last });
      for (const record of page?.records ?? []) {
        count++;
        [earliest, latest] = [Math.min(earliest, record.timeMicros), Math.max(latest, record.timeMicros)];
        hasAggregates ||= record.isAggregated;
        const isPoint = !record.isAggregated && record.seq >= this.#parts.oldestSeq;
        if (isPoint && hasPayload(record.type)) await this.#checkTargets(record, record.timeMicros, flaws);
      }
    }
    const { numbers } = piece;
    const areThose =
      numbers.earliestMicros === earliest && numbers.latestMicros === latest && numbers.recordCount === count;
    if (!flaws.has("records") && !areThose) flaws.add("footer", "its numbers are not those of its records");
    return hasAggregates;
  }

  /** Of aggregates only what they come to is a point. */
  async #checkExtents(piece: SealedPiece, flaws: Flaws, hasAggregates: boolean): Promise<void> {
    const { numbers, identity } = piece;
    const seqs = { first: identity.firstSeq, last: numbers.lastSeq };
    for (let number = 0; number < piece.extentPageCount; number++) {
      const extents = await this.#unlessDamaged(() => piece.extentPage(number), flaws, seqs);
      for (const extent of hasAggregates ? (extents ?? []) : []) {
        const isPoint = extent.address !== holeAddress && extent.seq >= this.#parts.oldestSeq;
        if (isPoint) await this.#checkTargets(extent, numbers.latestMicros, flaws);
      }
    }
  }

  async #checkWhole(piece: SealedPiece, flaws: Flaws): Promise<void> {
    const { identity, numbers } = piece;
    await this.#control.pace(piece.sizeBytes);
    await this.#unlessDamaged(() => piece.verifyParts(), flaws, { first: identity.firstSeq, last: numbers.lastSeq });
  }

  async #unlessDamaged<Read>(
    read: () => Promise<Read>,
    flaws: Flaws,
    seqs: { readonly first: number; readonly last: number },
  ): Promise<Read | undefined> {
    try {
      return await read();
    } catch (error) {
      flaws.addError(error, { seqs });
      return undefined;
    }
  }

  async #checkTargets(extent: BlockExtent, timeMicros: number, flaws: Flaws): Promise<void> {
    for (let index = 0; index < extent.blockCount; index++) {
      const finding = await this.#targetFinding(extent.address + index, extent.volume);
      if (finding === undefined) continue;
      const { group } = this.#identity;
      const { volume, seq: fromSeq } = extent;
      const affected = { group, volume, startBlock: extent.startBlock + index, blockCount: 1, fromSeq };
      flaws.add("pointers", `record ${extent.seq} ${finding}`, { affected: { ...affected, fromMicros: timeMicros } });
    }
  }

  /** Undefined: it is there, or what would say so is damaged, which is found where that lies. */
  async #targetFinding(address: number, volume: number): Promise<string | undefined> {
    const segment = segmentOf(address);
    if (!this.#parts.segments.has(segment)) return `points to segment ${segment}, which the store has not`;
    let slot: Slot | undefined;
    try {
      slot = this.#cursor.near(address) ?? (await this.#cursor.find(address));
      const owner = await this.#ownerOf(segment);
      if (owner !== undefined && owner !== this.#identity.group)
        return `points to segment ${segment}, of group ${owner}`;
    } catch (error) {
      if (error instanceof StopError) return undefined;
      throw error;
    }
    const place = `slot ${address % 65_536} of segment ${segment}`;
    if (slot === undefined || slotKindAt(slot.page, slot.start) === slotKind.none)
      return `points to ${place}, where nothing is`;
    if (slotVolumeAt(slot.page, slot.start) !== volume) return `points to ${place}, which is of another volume`;
    return undefined;
  }

  async #ownerOf(segment: number): Promise<string | undefined> {
    if (this.#owner?.segment === segment) return this.#owner.group;
    const { segments, objects, key } = this.#parts;
    const { identity } = await segments.directory(segment);
    const wanted = { kind: objectKind.segment, group: undefined, number: segment, generation: identity.generation };
    const group = await ownerIn(() => ObjectFile.open(objects, segmentObjectName(identity), wanted, key));
    this.#owner = { segment, group };
    return group;
  }
}

async function ownerIn(open: () => Promise<ObjectFile>): Promise<string | undefined> {
  try {
    return (await open()).header.group;
  } catch (error) {
    if (error instanceof ObjectDamageError) return undefined;
    throw error;
  }
}
