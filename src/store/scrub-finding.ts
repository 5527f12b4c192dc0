/** What the scrub finds damaged, as it is kept, and in words. One for all of a kind in an object. */
import { slotsPerSegment } from "#src/records/address.ts";
import type { ObjectName } from "./objects.ts";
import { type SlotRange, slotCountOf } from "./slot-ranges.ts";

/**
 * What of an object is damaged:
 * - `object`: the whole of it cannot be read, or is gone;
 * - `header`, `footer`, `table`, `slots`, `fingerprints`, `frames`, `records`, `extents`, `parts`: its parts, by their types;
 * - `blocks`: what is kept is not what its slot says; `forwards`: what they point to cannot be read;
 * - `sealed`: blocks that are marked as damaged: they were before they were sealed, or a later generation had lost them;
 * - `pointers`: records of a piece point to what is not there;
 * - `chain`: a piece does not follow the one before, or is another one than before;
 * - `document`: one of the store's own.
 */
export const damagedThings = [
  "object",
  "header",
  "footer",
  "table",
  "slots",
  "fingerprints",
  "frames",
  "blocks",
  "forwards",
  "sealed",
  "records",
  "extents",
  "parts",
  "pointers",
  "chain",
  "document",
] as const;
export type DamagedThing = (typeof damagedThings)[number];

/** Blocks of a volume that cannot be read, and at which points. */
export interface AffectedBlocks {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
  /** They are seen from this record on, which was made then, */
  readonly fromSeq: number;
  readonly fromMicros: number;
  /** up to the one that has written over them. Undefined: they still are. */
  readonly untilSeq?: number;
  readonly untilMicros?: number;
}

export interface ScrubFinding {
  readonly object: ObjectName;
  readonly thing: DamagedThing;
  /** What was found at the first of them, as in "its checksum does not fit". */
  readonly finding: string;
  /** How many parts, blocks, forwards or pointers. */
  readonly count: number;
  /** Of a segment: those that cannot be read for it; with `fingerprints` those of which it is not known what they are. */
  readonly slots: readonly SlotRange[];
  /**
   * Of a piece: records that cannot be read for it, or perhaps more where the last is the highest number. Of a snapshot: points
   * of which no volume can be opened for it.
   */
  readonly seqs?: { readonly first: number; readonly last: number };
  /** When it was found first. */
  readonly foundMicros: number;
  /** Undefined: it was not looked yet. Of no more than so many; see `isAffectedCut`. */
  readonly affected?: readonly AffectedBlocks[];
  /** There are more, or nobody can tell whether there are. */
  readonly isAffectedCut?: boolean;
  /** Why it could not be repaired. */
  readonly obstacle: string;
}

/** Nothing is known to be lost yet. */
export const obstacleOfAbsentDisk = "the disk does not give all of it now: it is tried again in the next round";

/** Of blocks that were damaged before they were sealed: a copy would have to be known by what is gone. */
export const obstacleOfLostSums = "their checksums are lost with them, so no other block can be told to be theirs";

/** Why what was found is still there: everything else has been tried. */
export function obstacleTo(thing: DamagedThing): string {
  switch (thing) {
    case "forwards":
      return "what they lead to has to be repaired first";
    case "chain":
    case "pointers":
      return "nothing tells what was there";
    case "object":
      return "there is no second copy of it";
    case "document":
      return "it is more than one bit";
    case "frames":
    case "blocks":
    case "sealed":
      return "no second copy of it is known";
    default:
      return "it is more than one bit, and no second copy of it is known";
  }
}

/** Whether reading blocks or records fails for it. */
export function isReadingHurt({ thing }: Pick<ScrubFinding, "thing">): boolean {
  return thing !== "fingerprints" && thing !== "document";
}

/**
 * What a crash leaves of a write that was never told to have landed: its slots are given out, half written, and sealed as
 * damaged. Nothing points there, and it says nothing of the disk.
 */
export function isRemnant({ thing, affected, isAffectedCut }: ScrubFinding): boolean {
  return thing === "sealed" && affected?.length === 0 && isAffectedCut !== true;
}

/** What people call them. Undefined: nobody here knows. */
export interface FindingNames {
  group(id: string): string | undefined;
  volume(group: string, number: number): string | undefined;
}

/** Nothing was read of them. */
export const noNames: FindingNames = { group: () => undefined, volume: () => undefined };

/** In one line. */
export function findingLine(finding: ScrubFinding, names: FindingNames = noNames): string {
  const { object, thing, count, slots, seqs, affected, isAffectedCut, obstacle } = finding;
  const words = [`${object}: ${thingWords(thing, count)}: ${finding.finding}`];
  if (slots.length > 0) words.push(slotWords(slots));
  if (seqs !== undefined) words.push(isOfSnapshot(object) ? pointWords(object, seqs, names) : seqWords(seqs));
  const isTold = seqs !== undefined && isOfSnapshot(object) && affected?.length === 0;
  if (!isTold && affected !== undefined && isReadingHurt(finding)) {
    words.push(reachWords(affected, isAffectedCut === true, names));
  }
  words.push(`not repaired: ${obstacle}`);
  if (mayBeWrittenAgain(finding)) words.push(wayOutWords(finding, names));
  return words.join("; ");
}

function wayOutWords({ affected = [], obstacle }: ScrubFinding, names: FindingNames): string {
  const stillSeen = affected.filter(({ untilSeq }) => untilSeq === undefined);
  const called = new Set(stillSeen.map(({ group, volume }) => names.volume(group, volume) ?? "NAME"));
  if (called.size === 0) called.add("NAME");
  const commands = [...called].map((name) => `tidemark volume resync ${name}`);
  // Nothing repairs the points before: they are as they are until they expire.
  if (obstacle === obstacleOfLostSums)
    return `for points from then on, if the source still has it: ${commands.join(", ")}`;
  return `where the source still has it: ${commands.join(", ")}, and then tidemark scrub`;
}

/** Whether a volume has it still, as far as is known: what a copy of its source brings anew, the next round repairs from. */
function mayBeWrittenAgain({ slots, affected, isAffectedCut, obstacle, ...finding }: ScrubFinding): boolean {
  if (slots.length === 0 || !isReadingHurt(finding) || obstacle === obstacleOfAbsentDisk) return false;
  return affected === undefined || isAffectedCut === true || affected.some(({ untilSeq }) => untilSeq === undefined);
}

function reachWords(affected: readonly AffectedBlocks[], isCut: boolean, names: FindingNames): string {
  if (affected.length > 0) {
    return `cannot be read: ${affected.map((one) => affectedWords(one, names)).join(", ")}${isCut ? ", and perhaps more" : ""}`;
  }
  return isCut ? "it cannot be told what needs it" : "nothing that is kept needs it";
}

function thingWords(thing: DamagedThing, count: number): string {
  const many = count === 1 ? "" : ` (${count})`;
  if (thing === "sealed") return `blocks that are marked as damaged${many}`;
  return `${thing}${many}`;
}

function slotWords(slots: readonly SlotRange[]): string {
  if (slotCountOf(slots) === slotsPerSegment) return "all slots";
  return `slots ${slots.map(({ slot, count }) => (count === 1 ? `${slot}` : `${slot}-${slot + count - 1}`)).join(",")}`;
}

interface SeqRange {
  readonly first: number;
  readonly last: number;
}

function seqWords({ first, last }: SeqRange): string {
  return last === Number.MAX_SAFE_INTEGER ? `records from ${first} on` : `records ${first} to ${last}`;
}

function isOfSnapshot(object: ObjectName): boolean {
  return object.startsWith("snapshots/");
}

function pointWords(object: ObjectName, { first, last }: SeqRange, names: FindingNames): string {
  const which = last === first ? `the point of record ${first}` : `points from record ${first} on`;
  const group = object.split("/")[1] ?? "";
  return `${which} of group ${names.group(group) ?? group} cannot be opened, whatever the volume`;
}

function affectedWords(
  { group, volume, startBlock, blockCount, ...seen }: AffectedBlocks,
  names: FindingNames,
): string {
  const from = `from ${seen.fromSeq} (${timeWords(seen.fromMicros)})`;
  const until =
    seen.untilSeq === undefined || seen.untilMicros === undefined
      ? "on"
      : `to before ${seen.untilSeq} (${timeWords(seen.untilMicros)})`;
  const whose = `volume ${names.volume(group, volume) ?? volume} of group ${names.group(group) ?? group}`;
  return `${whose} blocks ${startBlock}+${blockCount} ${from} ${until}`;
}

function timeWords(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toISOString();
}
