/** What a check of one object finds, gathered by what of it is damaged. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import { ObjectDamageError, type DamagedThing as ThingOfObject } from "./object-damage.ts";
import type { ObjectName } from "./objects.ts";
import { partType, type WantedPart } from "./part.ts";
import {
  type AffectedBlocks,
  type DamagedThing,
  obstacleOfAbsentDisk,
  obstacleOfLostSums,
  obstacleTo,
  type ScrubFinding,
} from "./scrub-finding.ts";
import { mergedRanges, type SlotRange } from "./slot-ranges.ts";

/** A part that may be of any type. */
export type PlaceOfPart = Pick<WantedPart, "offset" | "storedBytes"> & Partial<WantedPart>;

/** What may perhaps be mended by itself: its checksum does not fit. */
export type FlawedPlace = "header" | "footer" | PlaceOfPart;

export interface Flaw extends Pick<ScrubFinding, "thing" | "finding" | "count" | "slots" | "seqs"> {
  readonly places: readonly FlawedPlace[];
  /** Some of it the disk does not give, and nobody knows whether it is damaged. */
  readonly isNotGiven: boolean;
  /** Of none of the blocks the checksum is known. */
  readonly isWithoutSums?: boolean;
  /** Where it says by itself what is affected. */
  readonly affected?: readonly AffectedBlocks[];
}

/** Besides what was found. */
export interface FlawFacts {
  readonly slots?: readonly SlotRange[];
  readonly seqs?: { readonly first: number; readonly last: number };
  readonly place?: FlawedPlace;
  readonly affected?: AffectedBlocks;
  /** The disk does not give it. */
  readonly isNotGiven?: boolean | undefined;
  /** Nobody knows its checksum. */
  readonly isWithoutSum?: boolean;
}

interface Gathered {
  readonly finding: string;
  count: number;
  isNotGiven: boolean;
  isWithoutSums: boolean;
  slots: SlotRange[];
  seqs: { readonly first: number; readonly last: number } | undefined;
  readonly places: FlawedPlace[];
  readonly affected: AffectedBlocks[];
}

/** Where nobody can say which slots there are. */
export const allSlots: readonly SlotRange[] = [{ slot: 0, count: slotsPerSegment }];
/** Ranges that are gathered before they are put together. */
const looseRangesMax = 4096;
const placesMax = 1024;
const affectedMax = 256;

export class Flaws {
  readonly #gathered = new Map<DamagedThing, Gathered>();

  get isEmpty(): boolean {
    return this.#gathered.size === 0;
  }

  has(thing: DamagedThing): boolean {
    return this.#gathered.has(thing);
  }

  add(
    thing: DamagedThing,
    finding: string,
    { slots = [], seqs, place, affected, isNotGiven = false, isWithoutSum = false }: FlawFacts = {},
  ): void {
    const one = this.#gathered.get(thing) ?? {
      finding,
      count: 0,
      isNotGiven: false,
      isWithoutSums: true,
      slots: [],
      seqs: undefined,
      places: [],
      affected: [],
    };
    this.#gathered.set(thing, one);
    one.count++;
    one.isNotGiven ||= isNotGiven;
    one.isWithoutSums &&= isWithoutSum;
    one.slots.push(...slots);
    if (one.slots.length > looseRangesMax) one.slots = mergedRanges(one.slots);
    if (seqs !== undefined) one.seqs = hull(one.seqs, seqs);
    if (place !== undefined && one.places.length < placesMax) one.places.push(place);
    if (affected !== undefined && one.affected.length < affectedMax) one.affected.push(affected);
  }

  /** For what a read rejected with. Throws on what is no damage: the object is gone, or may be read later. */
  addError(error: unknown, facts: FlawFacts = {}): void {
    if (error instanceof ObjectDamageError) {
      this.add(thingOf(error.thing), error.finding, { ...facts, place: error.thing });
    } else if (error instanceof StopError || error instanceof RefuseError) {
      this.add("object", error.message, { ...facts, isNotGiven: error instanceof StopError });
    } else throw error;
  }

  list(): Flaw[] {
    return [...this.#gathered].map(([thing, { slots, seqs, places, affected, isWithoutSums, ...gathered }]) => ({
      thing,
      ...gathered,
      slots: mergedRanges(slots),
      ...(seqs === undefined ? {} : { seqs }),
      places,
      ...(isWithoutSums ? { isWithoutSums } : {}),
      ...(affected.length === 0 ? {} : { affected }),
    }));
  }
}

/** What is left of it, as it is kept. */
export function findingOf(
  object: ObjectName,
  { places: _, isNotGiven, isWithoutSums, ...flaw }: Flaw,
  foundMicros: number,
): ScrubFinding {
  const known = isWithoutSums === true ? obstacleOfLostSums : obstacleTo(flaw.thing);
  return { object, ...flaw, foundMicros, obstacle: isNotGiven ? obstacleOfAbsentDisk : known };
}

function hull(
  a: { readonly first: number; readonly last: number } | undefined,
  b: { readonly first: number; readonly last: number },
): { first: number; last: number } {
  return a === undefined ? b : { first: Math.min(a.first, b.first), last: Math.max(a.last, b.last) };
}

const thingsOfTypes: ReadonlyMap<number | undefined, DamagedThing> = new Map<number, DamagedThing>([
  [partType.frame, "frames"],
  [partType.slots, "slots"],
  [partType.fingerprints, "fingerprints"],
  [partType.table, "table"],
  [partType.records, "records"],
  [partType.extents, "extents"],
]);

function thingOf(thing: ThingOfObject): DamagedThing {
  if (typeof thing === "string") return thing;
  return thingsOfTypes.get(thing.type) ?? "parts";
}

export function thingOfType(type: number): DamagedThing {
  return thingsOfTypes.get(type) ?? "parts";
}
