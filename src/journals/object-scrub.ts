/**
 * Checks one object of the store, and repairs what can be: a bit that was turned is turned back, so that the object has the
 * bytes again that it was published with; blocks of a segment that have a second copy are written to its next generation.
 *
 * Invariant: an object is written only when what it will be was checked before, and has less damage than what is there.
 */
import { StopError } from "#src/core/errors.ts";
import { mendPlacesMax } from "#src/core/store-limits.ts";
import type { Log } from "#src/host/log.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import type { WantedObject } from "#src/store/object-format.ts";
import type { ObjectName, Objects } from "#src/store/objects.ts";
import { MendedObject, mendPlace } from "#src/store/repair-bits.ts";
import type { Flaw, FlawedPlace, Flaws } from "#src/store/scrub-flaws.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { isRestored } from "./restored-object.ts";

export interface CheckedObject {
  readonly flaws: readonly Flaw[];
  readonly repairedCount: number;
}

export interface ScrubbedObject {
  readonly name: ObjectName;
  readonly identity: WantedObject;
  readonly check: (objects: ObjectSource) => Promise<Flaws>;
  /** Another way, for what no bit explains. Answers whether something was written; it is checked again then. */
  readonly repair?: (flaws: readonly Flaw[]) => Promise<boolean>;
}

export interface ObjectScrubParts {
  readonly objects: Objects;
  readonly key: Buffer | undefined;
  readonly log: Log;
}

/** Rejects with an `AbsentObjectError` where it is not there any more. */
export async function scrubObject(
  parts: ObjectScrubParts,
  object: ScrubbedObject,
  control: WorkControl,
): Promise<CheckedObject> {
  const before = (await object.check(parts.objects)).list();
  if (before.length === 0) return { flaws: before, repairedCount: 0 };
  const mended = await mendBits(parts, object, before, control);
  const left = mended ?? before;
  if (left.length === 0 || object.repair === undefined || !(await object.repair(left))) {
    return { flaws: left, repairedCount: mended === undefined ? 0 : 1 };
  }
  return { flaws: (await object.check(parts.objects)).list(), repairedCount: 1 };
}

/** Undefined: nothing was changed. Answers what is damaged yet. */
async function mendBits(
  { objects, key, log }: ObjectScrubParts,
  { name, identity, check }: ScrubbedObject,
  before: readonly Flaw[],
  control: WorkControl,
): Promise<readonly Flaw[] | undefined> {
  const mended = new MendedObject(objects, name);
  const tried = new Set<string>();
  let flaws = before;
  for (let bitCount = -1; mended.bitCount > bitCount; ) {
    bitCount = mended.bitCount;
    for (const place of untried(flaws, tried)) {
      await unlessNotGiven(() => mendPlace(mended, place, { identity, key }, () => control.pace(0)));
    }
    // What was hidden behind it is seen now.
    if (mended.bitCount > bitCount) flaws = (await check(mended)).list();
  }
  if (mended.bitCount === 0 || flawCount(flaws) >= flawCount(before)) return undefined;
  if (!(await isRestored(objects, mended.name, (writer) => mended.copyTo(writer, control)))) return undefined;
  log.warn("an object of the store was repaired", { object: name, bits: mended.bitCount });
  return (await check(objects)).list();
}

function untried(flaws: readonly Flaw[], tried: Set<string>): FlawedPlace[] {
  const places: FlawedPlace[] = [];
  for (const place of flaws.flatMap((flaw) => flaw.places)) {
    const key = typeof place === "string" ? place : `${place.offset}`;
    if (tried.has(key) || tried.size >= mendPlacesMax) continue;
    tried.add(key);
    places.push(place);
  }
  return places;
}

/** What is hidden behind damaged ends or a damaged table is not counted yet, so these weigh more than anything else. */
function flawCount(flaws: readonly Flaw[]): number {
  const weights: Readonly<Record<string, number>> = {
    header: 2 ** 40,
    footer: 2 ** 36,
    table: 2 ** 32,
    slots: 2 ** 24,
  };
  return flaws.reduce((sum, { thing, count }) => sum + count * (weights[thing] ?? 1), 0);
}

/** What cannot be read cannot be mended. */
async function unlessNotGiven(mend: () => Promise<boolean>): Promise<void> {
  try {
    await mend();
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
  }
}
