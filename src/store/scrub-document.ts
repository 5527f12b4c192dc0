/** What the scrub notes in the store (docs/formats.md): how far it is, what it has found, and the newest piece of each group. */
import { StopError } from "#src/core/errors.ts";
import {
  scrubAffectedMax,
  scrubFindingsMax,
  scrubHeadsMax,
  scrubLostMax,
  scrubRangesMax,
} from "#src/core/store-limits.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import { type AffectedBlocks, damagedThings, type ScrubFinding } from "./scrub-finding.ts";

export const scrubDocumentName = "scrub.json";
const kind = { format: "tidemark-scrub", version: 1 } as const;

/** All objects, once. */
export interface ScrubRound {
  /** From 1 on. */
  readonly number: number;
  readonly begunMicros: number;
  /** The object that was checked last; those behind it in the order of names are still to be. Empty: none was. */
  readonly position: string;
  readonly objectCount: number;
  readonly checkedBytes: number;
  readonly repairedCount: number;
  /** Of one that somebody wanted from the first object on: by this it is told from another one. */
  readonly askedMicros?: number;
}

export interface FinishedRound extends Omit<ScrubRound, "position" | "askedMicros"> {
  readonly endedMicros: number;
}

/** The newest piece of a group, when it was last looked: nothing follows it that would vouch for it. */
export interface PieceHead {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Hexadecimal. */
  readonly hash: string;
}

export interface LostBlockNote {
  readonly address: number;
  /** Hexadecimal. */
  readonly fingerprint: string;
}

export interface ScrubNotes {
  /** Undefined: none is under way. */
  readonly round?: ScrubRound;
  readonly last?: FinishedRound;
  readonly heads: readonly PieceHead[];
  readonly findings: readonly ScrubFinding[];
  /** Blocks that cannot be read, and what they are known by: their segment may forget it when it is written anew. */
  readonly lost: readonly LostBlockNote[];
  /** Found, and not among them for want of room. */
  readonly unlistedCount: number;
}

export const noScrubNotes: ScrubNotes = { heads: [], findings: [], lost: [], unlistedCount: 0 };

export function encodeScrubNotes({ round, last, heads, findings, lost, unlistedCount }: ScrubNotes): Buffer {
  return encodeDocument(kind, { round, last, heads, findings, lost, unlistedCount });
}

/** Throws a `StopError` where it is damaged, a `RefuseError` where it has another version. */
export function decodeScrubNotes(bytes: Buffer): ScrubNotes {
  const content = decodeDocument(bytes, scrubDocumentName, kind) as unknown as ScrubNotes;
  if (!areNotes(content)) throw new StopError(`${scrubDocumentName} is damaged: it does not say how far the scrub is`);
  return content;
}

function areNotes({ round, last, heads, findings, lost, unlistedCount }: ScrubNotes): boolean {
  const areRounds =
    (round === undefined ||
      (isRound(round) && typeof round.position === "string" && isCount(round.askedMicros ?? 0))) &&
    (last === undefined || (isRound(last) && isCount(last.endedMicros)));
  return (
    areRounds &&
    isCount(unlistedCount) &&
    isListOf(heads, scrubHeadsMax, isHead) &&
    isListOf(findings, scrubFindingsMax, isFinding) &&
    isListOf(lost, scrubLostMax, ({ address, fingerprint }) => isCount(address) && isHash(fingerprint))
  );
}

function isRound({
  number,
  begunMicros,
  objectCount,
  checkedBytes,
  repairedCount,
}: Omit<ScrubRound, "position" | "askedMicros">): boolean {
  return [number, begunMicros, objectCount, checkedBytes, repairedCount].every(isCount);
}

function isHead({ group, firstSeq, lastSeq, hash }: PieceHead): boolean {
  return isCount(firstSeq) && isCount(lastSeq) && /^[0-9a-f]{32}$/.test(group) && isHash(hash);
}

function isHash(value: string): boolean {
  return /^[0-9a-f]{64}$/.test(value);
}

function isFinding(finding: ScrubFinding): boolean {
  const { object, thing, count, slots, seqs, foundMicros, affected, obstacle } = finding;
  return (
    typeof object === "string" &&
    damagedThings.includes(thing) &&
    typeof finding.finding === "string" &&
    isCount(count) &&
    isCount(foundMicros) &&
    isListOf(
      slots,
      scrubRangesMax,
      ({ slot, count }) => isCount(slot) && isCount(count) && slot + count <= slotsPerSegment,
    ) &&
    (seqs === undefined || (isCount(seqs.first) && isCount(seqs.last))) &&
    (affected === undefined || isListOf(affected, scrubAffectedMax, areAffected)) &&
    typeof obstacle === "string"
  );
}

function areAffected({ group, untilSeq, untilMicros, ...numbers }: AffectedBlocks): boolean {
  const { volume, startBlock, blockCount, fromSeq, fromMicros } = numbers;
  return (
    typeof group === "string" &&
    [volume, startBlock, blockCount, fromSeq, fromMicros].every(isCount) &&
    (untilSeq === undefined || isCount(untilSeq)) &&
    (untilMicros === undefined || isCount(untilMicros))
  );
}

function isListOf<Item>(value: readonly Item[], countMax: number, isItem: (item: Item) => boolean): boolean {
  return Array.isArray(value) && value.length <= countMax && value.every((item) => item !== null && isItem(item));
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
