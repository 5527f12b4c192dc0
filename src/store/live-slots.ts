/**
 * Which slots of the sealed segments are needed: those that a point which is kept can reach, those that a needed forward
 * leads to, and all of segments of which not all is known yet.
 *
 * Invariant: who points to what is read behind the marks of those who are kept, so that what is needed of a segment is known
 * before its forwards are followed. A forward leads to a kept block, never to a forward, so one look at each is enough.
 *
 * Where several generations of a segment are there it may turn out that only an older one is sound: so what any of them points
 * to is needed. A newer one points to nothing outside that the ones before did not.
 */
import { StopError } from "#src/core/errors.ts";
import { objectTailBytes, slotsPerPage } from "#src/core/store-limits.ts";
import type { LiveBlocks, SettledSegments } from "./live-blocks.ts";
import { AbsentObjectError } from "./objects.ts";
import { PacedBytes } from "./paced-bytes.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import { type SegmentIdentity, segmentObjectName } from "./segment-format.ts";
import type { SlotMarks } from "./slot-marks.ts";
import { forwardAt, slotEntryBytes, slotKind, slotKindAt } from "./slot-page.ts";
import type { WorkControl } from "./work-control.ts";

export class LiveSlots {
  /** Of slots that points reach, and of those that needed forwards lead to. */
  readonly #reached: SlotMarks;
  readonly #ledTo: SlotMarks;
  readonly #settled: SettledSegments;

  constructor(reached: SlotMarks, settled: SettledSegments, ledTo: SlotMarks = reached) {
    this.#reached = reached;
    this.#ledTo = ledTo;
    this.#settled = settled;
  }

  has(segment: number, slot: number): boolean {
    return this.isReached(segment, slot) || this.#ledTo.has(segment, slot);
  }

  /** Whether a point that is kept reaches it itself, and not only what another one has of the same content. */
  isReached(segment: number, slot: number): boolean {
    return !this.#settled.has(segment) || this.#reached.has(segment, slot);
  }

  isSettled(segment: number): boolean {
    return this.#settled.has(segment);
  }

  /** Whether anything of the segment is needed. */
  isAny(segment: number): boolean {
    return !this.#settled.has(segment) || this.#reached.isAny(segment) || this.#ledTo.isAny(segment);
  }

  isAnyOfPage(segment: number, page: number): boolean {
    const [from, to] = [page * slotsPerPage, (page + 1) * slotsPerPage];
    const isSettled = this.#settled.has(segment);
    return !isSettled || this.#reached.isAnyIn(segment, from, to) || this.#ledTo.isAnyIn(segment, from, to);
  }

  /** Until then it takes up its memory. */
  close(): void {
    this.#reached.close();
    if (this.#ledTo !== this.#reached) this.#ledTo.close();
  }
}

export interface LiveSlotsParts {
  readonly live: LiveBlocks;
  readonly segments: SealedSegments;
  /** None yet. They are the answer's. */
  readonly marks: SlotMarks;
  /** For what forwards lead to, where it is to be told from what points reach. */
  readonly ledTo?: SlotMarks;
}

export async function findLiveSlots(parts: LiveSlotsParts, control: WorkControl): Promise<LiveSlots> {
  const { live, segments, marks, ledTo = marks } = parts;
  try {
    const slots = new LiveSlots(marks, await live.markLive(marks, control), ledTo);
    // What such a one points to is needed too. Where it is lost nobody knows what that was, and repair cannot know either.
    for (const segment of marks.segments()) if (!segments.has(segment)) await segments.lookFor(segment);
    const all = [...segments.identities()];
    const others = await othersOf(segments);
    const paced = new PacedBytes(control);
    for (const [done, identity] of all.entries()) {
      const what = "follows what is needed to where it is kept";
      control.progress({ done, total: all.length, unit: "segments", what });
      control.throwIfCancelled();
      if (!slots.isAny(identity.segment)) continue;
      await followAll([identity, ...(others.get(identity.segment) ?? [])], slots, parts, paced);
    }
    // What a newer one keeps may be a forward in an older one, and who points to it was perhaps looked at behind it.
    for (const identity of all) {
      const older = others.get(identity.segment);
      if (older !== undefined) await followAll([identity, ...older], slots, parts, paced);
    }
    return slots;
  } catch (error) {
    marks.close();
    if (ledTo !== marks) ledTo.close();
    throw error;
  }
}

/** Generations that are there beside those that are read. */
async function othersOf(segments: SealedSegments): Promise<Map<number, SegmentIdentity[]>> {
  const others = new Map<number, SegmentIdentity[]>();
  for await (const identity of segments.listedIdentities()) {
    const read = segments.generationOf(identity.segment);
    if (read === undefined || read === identity.generation) continue;
    others.set(identity.segment, [...(others.get(identity.segment) ?? []), identity]);
  }
  return others;
}

/** Of one segment, the one that is read first. */
async function followAll(
  generations: readonly SegmentIdentity[],
  slots: LiveSlots,
  parts: LiveSlotsParts,
  paced: PacedBytes,
): Promise<void> {
  let refusal: StopError | undefined;
  let isAnyRead = false;
  for (const identity of generations) {
    try {
      await followForwards(identity, slots, parts, paced);
      isAnyRead = true;
    } catch (error) {
      if (error instanceof AbsentObjectError && identity !== generations[0]) continue;
      if (!(error instanceof StopError)) throw error;
      const what = `while ${segmentObjectName(identity)} cannot be read, nobody knows what it needs`;
      refusal ??= new StopError(`nothing is collected: ${what}: ${error.message}`, { cause: error });
    }
  }
  if (!isAnyRead && refusal !== undefined) throw refusal;
}

async function followForwards(
  identity: SegmentIdentity,
  slots: LiveSlots,
  { segments, marks, ledTo = marks }: LiveSlotsParts,
  paced: PacedBytes,
): Promise<void> {
  const directory = await segments.directoryApart(identity);
  await paced.add(objectTailBytes);
  if (directory.counts.forwards === 0) return;
  for (let page = 0; page < directory.pageCount; page++) {
    if (!slots.isAnyOfPage(identity.segment, page)) continue;
    const entries = await directory.slots(page);
    markTargets(entries, identity.segment, page * slotsPerPage, slots, ledTo);
    await paced.add(entries.length);
  }
}

function markTargets(entries: Buffer, segment: number, firstSlot: number, slots: LiveSlots, marks: SlotMarks): void {
  for (let start = 0; start < entries.length; start += slotEntryBytes) {
    if (slotKindAt(entries, start) !== slotKind.forward) continue;
    if (slots.has(segment, firstSlot + start / slotEntryBytes)) marks.mark(forwardAt(entries, start), 1);
  }
}
