/** How each kind of object is checked and repaired, with what is known of the others. */

import { StopError } from "#src/core/errors.ts";
import type { Clock } from "#src/host/clock.ts";
import { type Fingerprints, fingerprintBytes } from "#src/host/fingerprint.ts";
import type { Log } from "#src/host/log.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { addressOf, holeAddress } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import type { LiveBlocks } from "#src/store/live-blocks.ts";
import { LostBlocks } from "#src/store/lost-blocks.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import { isObjectThere, unlessUnreadable } from "#src/store/object-presence.ts";
import { AbsentObjectError, type ObjectName, type Objects } from "#src/store/objects.ts";
import { SegmentRepair } from "#src/store/repair-segment.ts";
import { checkContainer, wantedUnder } from "#src/store/scrub-container.ts";
import { isReadingHurt, obstacleTo } from "#src/store/scrub-finding.ts";
import { type Flaw, findingOf } from "#src/store/scrub-flaws.ts";
import type { ScrubNotebook } from "#src/store/scrub-notebook.ts";
import { SegmentCheck, SegmentCheckMemory, soundPages } from "#src/store/scrub-segment.ts";
import { ScrubMemory } from "#src/store/scrub-source.ts";
import type { SecondCopies } from "#src/store/second-copies.ts";
import { type SegmentIdentity, segmentObjectName, segmentOfObject } from "#src/store/segment-format.ts";
import type { RewrittenSegment } from "#src/store/segment-rewrite.ts";
import type { SegmentStore } from "#src/store/segment-store.ts";
import { mergedRanges, rangesHave, type SlotRange, slotCountOf } from "#src/store/slot-ranges.ts";
import { StrayForwards } from "#src/store/stray-forwards.ts";
import { VerifiedIndex } from "#src/store/verified-index.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { OtherDocument } from "./document-scrub.ts";
import { type CheckedObject, scrubObject } from "./object-scrub.ts";
import type { UnitWalk } from "./piece-sealer.ts";
import { foundPieces } from "./pieces-in-force.ts";
import type { Recall } from "./recalled-copies.ts";
import { isPieceRemade } from "./repair-piece.ts";
import { PieceCheck } from "./scrub-piece.ts";
import { scrubReplacedPiece } from "./scrub-replaced-piece.ts";
import { SealedPiece } from "./sealed-piece.ts";
import {
  objectOfPiece,
  type PieceLink,
  type SealedPieceIdentity,
  sealedPieceName,
  sealedPieceOfName,
} from "./sealed-piece-format.ts";
import type { SnapshotBlocks } from "./snapshot-blocks.ts";

export interface StoreScrubParts {
  readonly objects: Objects;
  readonly store: SegmentStore;
  readonly index: FingerprintIndex;
  readonly fingerprints: Fingerprints;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
  /** Where blocks may be that the store has lost. */
  readonly copies: SecondCopies;
  /** Asks a group's local appliance for what its spool still has. Undefined: it is not at hand. */
  readonly recall?: Recall;
  /** A walk over a group's open journal from a record on. Undefined: it is not at hand. */
  readonly walkFrom: (group: string, seq: number) => UnitWalk | undefined;
  /** Points of the group before this one are not kept: what they needed may be gone. */
  readonly oldestSeq: (group: string) => Promise<number>;
  /** What others keep in the store. Undefined: nothing. */
  readonly otherDocuments?: (groups: readonly string[]) => readonly OtherDocument[];
  /** What points need. Undefined: nothing is ever collected of this store. */
  readonly live?: LiveBlocks;
  /** What snapshots hold that no piece says any more. Undefined: there are none. */
  readonly snapshots?: SnapshotBlocks;
  /** A segment has another generation: whoever reads hears of it. */
  readonly published: (identity: SegmentIdentity) => void;
}

const nothing: CheckedObject = { flaws: [], repairedCount: 0 };

export class ObjectScrubs {
  readonly #parts: StoreScrubParts;
  readonly #notebook: ScrubNotebook;
  readonly #lost: LostBlocks;
  readonly #known: VerifiedIndex;
  readonly #memory = new SegmentCheckMemory();
  readonly #source = new ScrubMemory();
  /** Of each group the piece that was checked last. */
  readonly #links = new Map<string, { readonly name: ObjectName; readonly link: PieceLink }>();
  readonly #strays = new StrayForwards();
  #reindexedCount = 0;

  constructor(parts: StoreScrubParts, notebook: ScrubNotebook) {
    this.#parts = parts;
    this.#notebook = notebook;
    this.#lost = new LostBlocks(notebook.notes.lost);
    const { store, index } = parts;
    this.#known = new VerifiedIndex(index, store.segments, store.damaged, store.dying);
  }

  get reindexedCount(): number {
    return this.#reindexedCount;
  }

  /** Rejects with an `AbsentObjectError` where it is not there any more. */
  async scrub(name: ObjectName, control: WorkControl): Promise<CheckedObject> {
    const segment = segmentOfObject(name);
    if (segment !== undefined) return await this.#scrubSegment(segment, control);
    const piece = sealedPieceOfName(name);
    if (piece !== undefined) return await this.#scrubPiece(piece, control);
    const identity = wantedUnder(name);
    // Another program's, or a later version's: it says nothing to this one.
    if (identity === undefined) return nothing;
    const { key } = this.#parts;
    const check = (source: ObjectSource) =>
      checkContainer(source, name, identity, { key, memory: this.#source }, control);
    return await scrubObject(this.#parts, { name, identity, check }, control);
  }

  /** What is known of the object's blocks, for those who seal. */
  noteDamage(object: ObjectName): void {
    const identity = segmentOfObject(object);
    if (identity === undefined) return;
    const { damaged, segments } = this.#parts.store;
    if (!segments.has(identity.segment)) damaged.set(identity.segment, []);
    if (!this.#isNewest(identity)) return;
    const findings = this.#notebook.findingsOf(object);
    const slotsOf = (isHurt: boolean) =>
      findings.filter((finding) => isReadingHurt(finding) === isHurt).flatMap(({ slots }) => slots);
    damaged.set(identity.segment, slotsOf(true), slotsOf(false));
  }

  #isNewest({ segment, generation }: SegmentIdentity): boolean {
    return this.#parts.store.segments.generationOf(segment) === generation;
  }

  async #scrubSegment(identity: SegmentIdentity, control: WorkControl): Promise<CheckedObject> {
    const name = segmentObjectName(identity);
    // A generation that has a later one is read by nobody who comes now.
    if (!this.#isNewest(identity)) throw new AbsentObjectError(name);
    const wanted = wantedUnder(name);
    if (wanted === undefined) return nothing;
    const check = async (source: ObjectSource) => {
      const segmentCheck = this.#segmentCheck(identity, control);
      const flaws = await segmentCheck.check(source);
      this.#strays.set(identity, segmentCheck.strays);
      this.#noteLost(identity, flaws.list());
      return flaws;
    };
    let published = identity;
    const repair = async (flaws: readonly Flaw[]) => {
      const rewritten = await this.#repairSegment(identity, flaws, control);
      published = rewritten ?? identity;
      return false;
    };
    const checked = await scrubObject(this.#parts, { name, identity: wanted, check, repair }, control);
    if (published !== identity) return { ...(await this.#takeOver(published, control)), repairedCount: 1 };
    if (checked.repairedCount > 0) this.#parts.store.segments.published(identity);
    await this.#reindex(identity);
    return checked;
  }

  /** What is damaged in the new one is found under its own name. */
  async #takeOver(identity: SegmentIdentity, control: WorkControl): Promise<CheckedObject> {
    const name = segmentObjectName(identity);
    const { flaws } = await this.#scrubSegment(identity, control);
    const foundMicros = Math.round(this.#parts.clock.wallMs() * 1000);
    const findings = flaws.map((flaw) => findingOf(name, flaw, foundMicros));
    this.#notebook.found(name, findings);
    this.noteDamage(name);
    return nothing;
  }

  /** Of what cannot be read it is remembered what it is, as long as it is known. */
  #noteLost({ segment }: SegmentIdentity, flaws: readonly Flaw[]): void {
    const lost = new Set<number>();
    for (const { slots, thing } of flaws) {
      if (thing !== "frames" && thing !== "blocks" && thing !== "sealed") continue;
      for (const { slot: first, count } of slots) {
        for (let slot = first; slot < first + count; slot++) lost.add(addressOf(segment, slot));
        if (thing !== "sealed") this.#keepInMind(segment, first, count);
      }
    }
    const isWhole = !flaws.some(({ thing }) => ["object", "header", "footer", "table", "slots"].includes(thing));
    if (isWhole) this.#lost.keepOnly(segment, (address) => lost.has(address));
    this.#notebook.setLost(this.#lost.list);
  }

  #keepInMind(segment: number, first: number, count: number): void {
    const { fingerprints } = this.#memory;
    for (let slot = first; slot < first + count; slot++) {
      const at = slot * fingerprintBytes;
      const isKnown = fingerprints.subarray(at, at + fingerprintBytes).some((byte) => byte !== 0);
      if (isKnown) this.#lost.keepInMind(addressOf(segment, slot), fingerprints, at);
    }
  }

  async #repairSegment(
    identity: SegmentIdentity,
    flaws: readonly Flaw[],
    control: WorkControl,
  ): Promise<SegmentIdentity | undefined> {
    const { objects, store, index, log } = this.#parts;
    const { segments, reader } = store;
    // Nothing else is to be taken for a copy.
    const hurt = flaws.filter(isReadingHurt).flatMap(({ slots }) => slots);
    store.damaged.set(identity.segment, hurt);
    const parts = { ...this.#parts, segments, reader, known: this.#known, lost: this.#lost, memory: this.#memory };
    const rewritten = await new SegmentRepair(parts, identity).repair(flaws, control);
    if (rewritten === undefined) return undefined;
    if (!(await this.#isBetter(rewritten, hurt, control))) {
      // What was read may have been wrong for a moment: the one that is there stays.
      await objects.remove(segmentObjectName(rewritten.identity));
      return undefined;
    }
    segments.published(rewritten.identity);
    this.#parts.published(rewritten.identity);
    await index.add(rewritten.identity, rewritten.added);
    // Whoever reads it just now finds it gone, and looks which one has taken its place.
    await objects.remove(segmentObjectName(identity));
    log.warn("a segment of the store was repaired", { ...rewritten.identity, lost: rewritten.lostSlots.length });
    return rewritten.identity;
  }

  /** It has lost less than was known to be lost, nothing else, and all that it has can be read where it lies. */
  async #isBetter(
    { identity, lostSlots }: RewrittenSegment,
    hurt: readonly SlotRange[],
    control: WorkControl,
  ): Promise<boolean> {
    const known = mergedRanges(hurt);
    const flaws = (await this.#segmentCheck(identity, control).check(this.#parts.objects)).list();
    const isReadable = flaws.every(({ thing }) => thing === "sealed" || thing === "forwards");
    const left = mergedRanges(flaws.flatMap(({ slots }) => slots));
    const isKnown = lostSlots.every((slot) => rangesHave(known, slot));
    return isReadable && isKnown && slotCountOf(left) < slotCountOf(known);
  }

  #segmentCheck(identity: SegmentIdentity, control: WorkControl): SegmentCheck {
    const { key, fingerprints, store } = this.#parts;
    const { segments, damaged } = store;
    const parts = { key, fingerprints, segments, damaged, memory: this.#memory, source: this.#source };
    return new SegmentCheck(parts, identity, control);
  }

  /** What is sound and the index does not know, because something turned in its file. */
  async #reindex(identity: SegmentIdentity): Promise<void> {
    for (const page of soundPages(this.#memory, identity.segment)) {
      const addresses = new Float64Array(page.count);
      await this.#known.find(page.fingerprints, page.count, addresses);
      const missing = [...page.addresses]
        .map((address, index) => ({ address, index }))
        .filter(({ index }) => addresses[index] === holeAddress);
      if (missing.length === 0) continue;
      const fingerprints = Buffer.concat(
        missing.map(({ index }) =>
          page.fingerprints.subarray(index * fingerprintBytes, (index + 1) * fingerprintBytes),
        ),
      );
      const found = {
        count: missing.length,
        fingerprints,
        addresses: Float64Array.from(missing, ({ address }) => address),
      };
      await this.#parts.index.add(identity, found);
      this.#reindexedCount += missing.length;
    }
  }

  async #scrubPiece(identity: SealedPieceIdentity, control: WorkControl): Promise<CheckedObject> {
    const { objects, key, store, oldestSeq } = this.#parts;
    const { group, firstSeq } = identity;
    const name = sealedPieceName(identity);
    const found = await foundPieces(objects, group);
    if (found.replaced.some((other) => sealedPieceName(other) === name)) {
      return await scrubReplacedPiece(this.#parts, found, identity, control);
    }
    const before = await this.#linkBefore(found.inForce, identity);
    const head = this.#notebook.headOf(group);
    const checkParts = { key, segments: store.segments, objects, before, head, oldestSeq: await oldestSeq(group) };
    const piece = new PieceCheck(checkParts, identity, control);
    const repair = async () => {
      const expected = (await this.#linkSaidBehind(found.inForce, identity)) ?? headLink(head, firstSeq);
      const walkFrom = (seq: number) => this.#parts.walkFrom(group, seq);
      return await isPieceRemade({ objects, key, expected, before, walkFrom }, identity);
    };
    const check = (source: ObjectSource) => piece.check(source);
    const checked = await scrubObject(this.#parts, { name, identity: objectOfPiece(identity), check, repair }, control);
    this.#links.delete(group);
    if (piece.link !== undefined) {
      this.#links.set(group, { name, link: piece.link });
      this.#noteHead(group, piece.link, checked.flaws);
    }
    return checked;
  }

  #noteHead(group: string, { firstSeq, lastSeq, hash }: PieceLink, flaws: readonly Flaw[]): void {
    const isLater = firstSeq >= (this.#notebook.headOf(group)?.firstSeq ?? 0);
    if (flaws.length === 0 && isLater) this.#notebook.setHead({ group, firstSeq, lastSeq, hash: hash.toString("hex") });
  }

  /** Undefined: there is none before, or it cannot be read. */
  async #linkBefore(
    inForce: readonly SealedPieceIdentity[],
    { group, firstSeq }: SealedPieceIdentity,
  ): Promise<PieceLink | undefined> {
    const before = inForce.findLast((other) => other.firstSeq < firstSeq);
    if (before === undefined) return undefined;
    // Pieces are folded behind the one that was checked last, and what is looked at again lies anywhere.
    const last = this.#links.get(group);
    return last?.name === sealedPieceName(before) ? last.link : (await this.#pieceOr(before))?.link;
  }

  /** What the piece behind it says. */
  async #linkSaidBehind(
    inForce: readonly SealedPieceIdentity[],
    { firstSeq }: SealedPieceIdentity,
  ): Promise<PieceLink | undefined> {
    const behind = inForce.find((other) => other.firstSeq > firstSeq);
    return behind && (await this.#pieceOr(behind))?.previous;
  }

  #pieceOr(identity: SealedPieceIdentity): Promise<SealedPiece | undefined> {
    return unlessUnreadable(SealedPiece.open(this.#parts.objects, identity, this.#parts.key));
  }

  /** Forwards to nothing are damage where a point needs them. While nobody can say they are none. */
  async judgeStrays(control: WorkControl): Promise<void> {
    const { live = everythingIsLive, log, clock } = this.#parts;
    this.#strays.keepOnly((identity) => this.#isNewest(identity));
    if (this.#strays.isEmpty) return;
    try {
      const foundMicros = Math.round(clock.wallMs() * 1000);
      for (const { identity, slots, finding } of await this.#strays.needed(live, control)) {
        const object = segmentObjectName(identity);
        const facts = { object, thing: "forwards", finding, slots, count: slotCountOf(slots), foundMicros } as const;
        const others = this.#notebook.findingsOf(object).filter(({ thing }) => thing !== "forwards");
        this.#notebook.found(object, [...others, { ...facts, obstacle: obstacleTo("forwards") }]);
        this.noteDamage(object);
      }
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      log.warn("it cannot be said whether forwards that lead to nothing are needed", { error });
    }
  }

  /** The newest piece of each group that there was is still there, or was folded since, or let go of. */
  async checkHeads(): Promise<void> {
    for (const { group, firstSeq, lastSeq } of this.#notebook.notes.heads) {
      const object = sealedPieceName({ group, firstSeq });
      if ((await this.isStillThere(object)) || (await this.#isFolded(group, lastSeq))) continue;
      if (lastSeq <= (await this.#parts.oldestSeq(group))) continue;
      const seqs = { first: firstSeq, last: lastSeq };
      const facts = { object, thing: "object", count: 1, slots: [], seqs, obstacle: obstacleTo("object") } as const;
      const foundMicros = Math.round(this.#parts.clock.wallMs() * 1000);
      this.#notebook.found(object, [{ ...facts, finding: "it was there, and is gone", foundMicros }]);
    }
  }

  async #isFolded(group: string, seq: number): Promise<boolean> {
    const { inForce } = await foundPieces(this.#parts.objects, group);
    return inForce.some(({ firstSeq, folded }) => folded !== undefined && firstSeq <= seq && seq <= folded.lastSeq);
  }

  /** What the store cannot say just now is not taken for gone. */
  async isStillThere(object: ObjectName): Promise<boolean> {
    try {
      return await isObjectThere(this.#parts.objects, object);
    } catch (error) {
      if (error instanceof StopError) return true;
      throw error;
    }
  }
}

/** No segment is settled. */
const everythingIsLive: LiveBlocks = { markLive: async () => new Set<number>() };

function headLink(
  head: { readonly firstSeq: number; readonly lastSeq: number; readonly hash: string } | undefined,
  firstSeq: number,
): Pick<PieceLink, "hash" | "lastSeq"> | undefined {
  if (head?.firstSeq !== firstSeq) return undefined;
  return { hash: Buffer.from(head.hash, "hex"), lastSeq: head.lastSeq };
}
