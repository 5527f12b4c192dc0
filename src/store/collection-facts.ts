/** What collection finds of each segment: how much of it is needed, and what would be free without the rest. */
import { StopError } from "#src/core/errors.ts";
import { objectTailBytes, slotsPerPage } from "#src/core/store-limits.ts";
import type { LiveSlots } from "./live-slots.ts";
import type { Objects } from "./objects.ts";
import { PacedBytes } from "./paced-bytes.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { type SegmentIdentity, segmentOfObject } from "./segment-format.ts";
import { frameAt, slotEntryBytes, slotKind, slotKindAt, slotVolumeAt } from "./slot-page.ts";
import type { VolumeTally } from "./volume-use.ts";
import type { WorkControl } from "./work-control.ts";

export interface SegmentFacts extends SegmentIdentity {
  readonly objectBytes: number;
  /** Not all that may point to it is known yet. */
  readonly isUnsettled: boolean;
  /** Its directory cannot be read, and something of it is needed. */
  readonly isUnreadable: boolean;
  /** A point that is kept reaches a slot of it. */
  readonly isNeeded: boolean;
  /** Slots with something in them, kept here or not. */
  readonly liveCount: number;
  readonly deadCount: number;
  /** What the object would have less, about; all of it where nothing is needed. */
  readonly freedBytes: number;
}

export interface FactsParts {
  readonly objects: Pick<Objects, "list">;
  readonly segments: SealedSegments;
  /** Takes what is needed of each volume, on the way. */
  readonly use: VolumeTally;
}

/** Of all segments; their older generations are left out. */
export async function* segmentFacts(
  { objects, segments, use }: FactsParts,
  live: LiveSlots,
  control: WorkControl,
): AsyncGenerator<SegmentFacts, void> {
  let done = 0;
  const paced = new PacedBytes(control);
  for await (const { name, sizeBytes } of objects.list("segments/")) {
    const identity = segmentOfObject(name);
    if (identity === undefined || segments.generationOf(identity.segment) !== identity.generation) continue;
    control.progress({ done: done++, total: segments.count, unit: "segments", what: "looks what is worth it" });
    control.throwIfCancelled();
    yield await factsOf(identity, sizeBytes, { segments, use }, live, paced);
  }
}

async function factsOf(
  identity: SegmentIdentity,
  objectBytes: number,
  { segments, use }: Pick<FactsParts, "segments" | "use">,
  live: LiveSlots,
  paced: PacedBytes,
): Promise<SegmentFacts> {
  const isUnsettled = !live.isSettled(identity.segment);
  const isNeeded = live.isAny(identity.segment);
  const state = { ...identity, objectBytes, isUnsettled, isUnreadable: false, isNeeded };
  const nothing = { ...state, liveCount: 0, deadCount: 0, freedBytes: 0 };
  if (!isNeeded) return { ...nothing, freedBytes: objectBytes };
  try {
    const counted = await countedOf(await segments.directoryApart(identity), live, use, paced);
    return isUnsettled ? nothing : { ...state, ...counted };
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return isUnsettled ? nothing : { ...nothing, isUnreadable: true };
  }
}

async function countedOf(
  directory: SegmentDirectory,
  live: LiveSlots,
  use: VolumeTally,
  paced: PacedBytes,
): Promise<Pick<SegmentFacts, "liveCount" | "deadCount" | "freedBytes">> {
  const { segment } = directory.identity;
  use.beginGroup(directory.object.group);
  const tally = new Tally(use);
  await paced.add(objectTailBytes);
  for (let page = 0; page < directory.pageCount; page++) {
    const entries = await directory.slots(page);
    for (let start = 0; start < entries.length; start += slotEntryBytes) {
      const slot = page * slotsPerPage + start / slotEntryBytes;
      const isLive = live.has(segment, slot);
      tally.add(entries, start, isLive);
      if (isLive && live.isReached(segment, slot)) tally.addReached(entries, start);
    }
    await paced.add(entries.length);
  }
  return tally.ended();
}

/** Blocks of a frame share what it takes. */
class Tally {
  readonly #use: VolumeTally;
  /** Needed slots of this volume that were seen behind each other, and not counted there yet. */
  #volume = 0;
  #volumeBlocks = 0;
  #liveCount = 0;
  #deadCount = 0;
  #freedBytes = 0;
  #frameOffset = 0;
  #frameBytes = 0;
  #frameLive = 0;
  #frameDead = 0;

  constructor(use: VolumeTally) {
    this.#use = use;
  }

  add(entries: Buffer, start: number, isLive: boolean): void {
    const kind = slotKindAt(entries, start);
    if (kind === slotKind.none) return;
    if (isLive) this.#liveCount++;
    else this.#deadCount++;
    if (kind !== slotKind.kept) return;
    const { offset, storedBytes } = frameAt(entries, start);
    if (offset !== this.#frameOffset) this.#endFrame();
    this.#frameOffset = offset;
    this.#frameBytes = storedBytes;
    if (isLive) this.#frameLive++;
    else this.#frameDead++;
  }

  /** For whose points it is. */
  addReached(entries: Buffer, start: number): void {
    if (slotKindAt(entries, start) === slotKind.none) return;
    const volume = slotVolumeAt(entries, start);
    if (volume !== this.#volume) this.#endVolume();
    this.#volume = volume;
    this.#volumeBlocks++;
  }

  #endVolume(): void {
    if (this.#volumeBlocks > 0) this.#use.add(this.#volume, this.#volumeBlocks);
    this.#volumeBlocks = 0;
  }

  #endFrame(): void {
    const count = this.#frameLive + this.#frameDead;
    if (count > 0) this.#freedBytes += Math.floor((this.#frameBytes * this.#frameDead) / count);
    this.#frameLive = 0;
    this.#frameDead = 0;
  }

  ended(): Pick<SegmentFacts, "liveCount" | "deadCount" | "freedBytes"> {
    this.#endFrame();
    this.#endVolume();
    return { liveCount: this.#liveCount, deadCount: this.#deadCount, freedBytes: this.#freedBytes };
  }
}
