/**
 * The scrub's notes, in memory and in the store. What was found of an object replaces what was found of it before, so that a
 * finding is gone when it was repaired, or its object is not there any more.
 *
 * Invariant: the notes are bounded, whatever is found: the first findings stay, the others are counted.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import {
  scrubAffectedMax,
  scrubFindingsMax,
  scrubHeadsMax,
  scrubWordsMax,
  storeDocumentBytesMax,
} from "#src/core/store-limits.ts";
import { isAsEncoded } from "#src/host/document.ts";
import type { Log } from "#src/host/log.ts";
import type { ObjectName, Objects, VersionedDocument } from "./objects.ts";
import { turnedBit } from "./repair-bits.ts";
import {
  decodeScrubNotes,
  encodeScrubNotes,
  type LostBlockNote,
  noScrubNotes,
  type PieceHead,
  type ScrubNotes,
  scrubDocumentName,
} from "./scrub-document.ts";
import type { AffectedBlocks, ScrubFinding } from "./scrub-finding.ts";
import { mergedRanges } from "./slot-ranges.ts";

type DocumentPort = Pick<Objects, "readDocument" | "changeDocument">;

export class ScrubNotebook {
  readonly #objects: DocumentPort;
  readonly #log: Log;
  #notes: ScrubNotes;
  #version: string | undefined;

  private constructor(objects: DocumentPort, log: Log, notes: ScrubNotes, version: string | undefined) {
    this.#objects = objects;
    this.#log = log;
    this.#notes = notes;
    this.#version = version;
  }

  /** Notes that are damaged are begun anew: what they said of damage is found again. */
  static async open(objects: DocumentPort, log: Log): Promise<ScrubNotebook> {
    const found = await foundNotes(objects, log);
    if (found === undefined) return new ScrubNotebook(objects, log, noScrubNotes, undefined);
    return new ScrubNotebook(objects, log, await notesIn(found.bytes, log), found.version);
  }

  get notes(): ScrubNotes {
    return this.#notes;
  }

  change(changes: Partial<Pick<ScrubNotes, "round" | "last">>): void {
    this.#notes = { ...this.#notes, ...changes };
  }

  endRound(): void {
    const { round: _, ...notes } = this.#notes;
    this.#notes = notes;
  }

  findingsOf(object: ObjectName): readonly ScrubFinding[] {
    return this.#notes.findings.filter((finding) => finding.object === object);
  }

  /** All that is known of the object now. */
  found(object: ObjectName, findings: readonly ScrubFinding[]): void {
    const before = this.findingsOf(object);
    if (before.length === 0 && findings.length === 0) return;
    const others = this.#notes.findings.filter((finding) => finding.object !== object);
    const room = scrubFindingsMax - others.length;
    const bounded = findings.slice(0, room).map((finding) => withinBounds(aged(finding, before)));
    const unlistedCount = this.#notes.unlistedCount + findings.length - bounded.length;
    this.#notes = { ...this.#notes, findings: [...others, ...bounded], unlistedCount };
  }

  /** Whom it hurts. */
  reached(
    finding: ScrubFinding,
    affected: readonly AffectedBlocks[],
    isAffectedCut: boolean,
    seqs: ScrubFinding["seqs"] = finding.seqs,
  ): void {
    const facts = { affected, isAffectedCut, ...(seqs === undefined ? {} : { seqs }) };
    const findings = this.#notes.findings.map((one) => (one === finding ? withinBounds({ ...one, ...facts }) : one));
    this.#notes = { ...this.#notes, findings };
  }

  setLost(lost: readonly LostBlockNote[]): void {
    this.#notes = { ...this.#notes, lost };
  }

  /** Before everything is looked at again. */
  forgetUnlisted(): void {
    this.#notes = { ...this.#notes, unlistedCount: 0 };
  }

  headOf(group: string): PieceHead | undefined {
    return this.#notes.heads.find((head) => head.group === group);
  }

  setHead(head: PieceHead): void {
    const others = this.#notes.heads.filter(({ group }) => group !== head.group);
    this.#notes = { ...this.#notes, heads: [...others, head].slice(-scrubHeadsMax) };
  }

  /** The group's history was cut behind this record: what was its newest piece is not missed. */
  forgetHeadBehind(group: string, seq: number): void {
    const heads = this.#notes.heads.filter((head) => head.group !== group || head.lastSeq <= seq);
    this.#notes = { ...this.#notes, heads };
  }

  /** Where that fails it is noted with what comes next: nobody else is to be stopped by it. */
  async save(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      if (!(error instanceof RetryError || error instanceof StopError)) throw error;
      this.#log.warn("the scrub cannot note how far it is", { error });
    }
  }

  async #save(): Promise<void> {
    const bytes = fittingNotes(this.#notes);
    const changed = await this.#objects.changeDocument(scrubDocumentName, bytes, this.#version);
    if (changed !== undefined) {
      this.#version = changed;
      return;
    }
    // An answer that was lost: what is there is of this notebook too, since nobody else writes one.
    const found = await this.#objects.readDocument(scrubDocumentName);
    this.#version = await this.#objects.changeDocument(scrubDocumentName, bytes, found?.version);
    if (this.#version === undefined) throw new RetryError(`${scrubDocumentName} is being changed by somebody else`);
  }
}

/** Where it is too much, details are left out: of each finding the most numerous first. */
function fittingNotes(notes: ScrubNotes): Buffer {
  let bytes = encodeScrubNotes(notes);
  for (let countMax = scrubAffectedMax / 4; bytes.length > storeDocumentBytesMax && countMax >= 1; countMax /= 4) {
    const findings = notes.findings.map((finding) => withinBounds(finding, countMax));
    bytes = encodeScrubNotes({ ...notes, findings });
  }
  return bytes;
}

/** Undefined: there are none, or the disk does not give them. */
async function foundNotes(objects: DocumentPort, log: Log): Promise<VersionedDocument | undefined> {
  try {
    return await objects.readDocument(scrubDocumentName);
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    log.warn("the scrub's notes cannot be read", { error });
    return undefined;
  }
}

async function notesIn(bytes: Buffer, log: Log): Promise<ScrubNotes> {
  try {
    return decodeScrubNotes(bytes);
  } catch (error) {
    if (isOwnFault(error) || error instanceof RefuseError) throw error;
    const bit = await turnedBit(
      bytes,
      () => isAsEncoded(bytes) && isSound(bytes),
      async () => {},
    );
    log.warn("the scrub's notes are damaged", { document: scrubDocumentName, error, isMended: bit !== undefined });
    return bit === undefined ? noScrubNotes : decodeScrubNotes(bytes);
  }
}

function isSound(bytes: Buffer): boolean {
  try {
    decodeScrubNotes(bytes);
    return true;
  } catch (error) {
    if (isOwnFault(error)) throw error;
    return false;
  }
}

/** What was known of it before: since when, and what it affects where nothing else is known. */
function aged(finding: ScrubFinding, before: readonly ScrubFinding[]): ScrubFinding {
  const same = before.find(({ thing }) => thing === finding.thing);
  if (same === undefined) return finding;
  const { foundMicros, affected, isAffectedCut } = same;
  const isKnown = affected !== undefined && JSON.stringify(same.slots) === JSON.stringify(finding.slots);
  return { ...finding, foundMicros, ...(isKnown ? { affected, isAffectedCut: isAffectedCut === true } : {}) };
}

function withinBounds(finding: ScrubFinding, countMax = scrubAffectedMax): ScrubFinding {
  const { affected, slots } = finding;
  const cut = { finding: finding.finding.slice(0, scrubWordsMax), slots: mergedRanges(slots, 2 * countMax) };
  const bounded = { ...finding, ...cut };
  if (affected === undefined || affected.length <= countMax) return bounded;
  return { ...bounded, affected: affected.slice(0, countMax), isAffectedCut: true };
}
