/**
 * One collection, one sealing that finds a dying block again, and one reader who began while the block was needed: what they
 * are made of, and what has to hold whatever their order is. Parts of the collection can be left out, to see that it is noticed.
 */
import { deepEqual, equal } from "node:assert/strict";
import type { Clock } from "#src/host/clock.ts";
import { addressOf } from "#src/records/address.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { segmentFacts } from "#src/store/collection-facts.ts";
import { CollectionPlanner } from "#src/store/collection-plan.ts";
import { CollectionRun } from "#src/store/collection-run.ts";
import { DoomedObjects } from "#src/store/doomed-objects.ts";
import { findLiveSlots, LiveSlots } from "#src/store/live-slots.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { SegmentSuccession } from "#src/store/segment-succession.ts";
import { SlotMarks } from "#src/store/slot-marks.ts";
import { noReserve } from "#src/store/space-reserve.ts";
import { VolumeTally } from "#src/store/volume-use.ts";
import { ClosedBlocks, sound } from "./closed-blocks.ts";
import { KeptPoints } from "./kept-points.ts";
import { MemoryFingerprintIndex } from "./memory-index.ts";
import { contentsOf, freely, MemoryStore, origin } from "./memory-store.ts";
import { type OrderedWorks, step } from "./orders.ts";
import { SteppedObjects } from "./stepped-objects.ts";

export interface Omissions {
  /** The next generation is published while sealing may still point to what it lacks. */
  readonly holdsNothingBack?: boolean;
  /** What is being sealed is not waited for. */
  readonly overtakesSeals?: boolean;
  /** What was needed when it was planned is taken for what is needed. */
  readonly looksOnce?: boolean;
  readonly hasNoGrace?: boolean;
  /** It is held back no longer when the next generation is published. */
  readonly releasesEarly?: boolean;
}

export type OrderedActor = "collection" | "seal" | "reader";

const needed = 1;
const dying = 2;
const dyingToo = 3;
/** Slot 0 is needed, through a forward; the others are not. */
const first = new ClosedBlocks(1, [sound(needed), sound(dying), sound(dyingToo)]);
/** Nothing of it is needed. */
const second = new ClosedBlocks(2, [sound(20), sound(21)]);
/** Its second block is a forward to what is needed of the first segment. */
const newest = new ClosedBlocks(3, [sound(30), sound(needed)]);
/** What is sealed meanwhile, of which every block is needed. */
const sealed = new ClosedBlocks(4, [sound(dying), sound(needed), sound(dyingToo), sound(40), sound(20)]);

class SteppedIndex extends MemoryFingerprintIndex {
  override async forget(...kept: Parameters<MemoryFingerprintIndex["forget"]>): Promise<void> {
    await step("forgets blocks");
    await super.forget(...kept);
  }

  override async forgetSegment(segment: number): Promise<void> {
    await step("forgets a segment");
    await super.forgetSegment(segment);
  }
}

class SteppedPoints extends KeptPoints {
  override async markLive(...marks: Parameters<KeptPoints["markLive"]>): ReturnType<KeptPoints["markLive"]> {
    await step("marks");
    return await super.markLive(...marks);
  }
}

/** Time that goes by when it is its turn. */
function steppedClock(): Clock {
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    hostMs: () => nowMs,
    wallMs: () => nowMs,
    timer: (delayMs, callback) => {
      void step("waits for readers").then(() => {
        nowMs += delayMs;
        callback();
      });
      return { cancel: () => {} };
    },
    soon: (callback) => setImmediate(callback),
  };
}

export async function begunWorks(
  actors: readonly OrderedActor[],
  steps: Steps,
  omissions: Omissions = {},
): Promise<OrderedWorks & { check(): Promise<void> }> {
  const objects = new SteppedObjects();
  const index = new SteppedIndex();
  await (await MemoryStore.open(objects, index)).seal(first, second, newest);
  const it = await MemoryStore.open(objects, index);
  const points = new SteppedPoints();
  points.points.set("kept", new Set([addressOf(3, 0), addressOf(3, 1)]));
  points.unsettled.add(4);
  const { run, close } = await plannedRun(it, points, omissions);
  const reader = await readerOf(objects);
  const read: Read = { forwarded: [], contents: [], isEarly: false };
  const works = {
    collection: () => run.run(),
    seal: () => it.store.seal(sealed, origin),
    reader: async () => {
      read.isEarly = !objects.contents.has("segments/000000000001.0001");
      read.forwarded = await contentsOf(reader, newest);
      read.contents = await contentsOf(reader, first);
    },
  };
  return {
    works: Object.fromEntries(actors.map((name) => [name, works[name]])),
    // Whoever began to read before has ended within the grace.
    mayStep: (_work, name, isOver) => name !== "waits for readers" || !actors.includes("reader") || isOver("reader"),
    isStep: stepsOf(steps),
    check: async () => {
      close();
      if (actors.includes("reader")) {
        deepEqual(read.forwarded, [30, needed], "what is needed is read through a forward");
        const [one, two, three] = read.contents;
        equal(one, needed, "what is needed is read");
        if (read.isEarly) deepEqual([two, three], [dying, dyingToo], "who began before gets what was there");
      }
      await assertAllThere(it.store.reader, actors.includes("seal"));
      await assertAllThere(await readerOf(objects), actors.includes("seal"));
      const generations = [...objects.contents.keys()].filter((name) => name.startsWith("segments/000000000001."));
      equal(generations.length, 1, "no older generation is left");
    },
  };
}

interface Read {
  forwarded: (number | undefined)[];
  contents: (number | undefined)[];
  /** He began before anything was published. */
  isEarly: boolean;
}

/** Somebody else who only reads. */
async function readerOf(objects: SteppedObjects): Promise<BlockReader> {
  return new BlockReader(
    await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined)),
  );
}

/** Fewer steps, and fewer orders of them. */
export type Steps = "fine" | "coarse";

function stepsOf(steps: Steps): (work: string, step: string) => boolean {
  const counts = new Map<string, number>();
  return (work, name) => {
    if (work === "collection") {
      const isCounted =
        steps === "coarse" ? /^(begins|marks|publishes)|waits|removes .*1\.0000/ : /^(?!reads|forgets a)/;
      return isCounted.test(name);
    }
    if (!name.startsWith("reads")) return !name.startsWith("hears");
    const count = (counts.get(work + name) ?? 0) + 1;
    counts.set(work + name, count);
    // Of an object its ends, a page of its directory, and what the page leads to.
    return count === 1 || (steps === "fine" && count === 4);
  };
}

async function assertAllThere(reader: BlockReader, isSealed: boolean): Promise<void> {
  equal((await contentsOf(reader, first))[0], needed, "what is needed is there");
  deepEqual(await contentsOf(reader, newest), [30, needed], "and what is new");
  if (!isSealed) return;
  deepEqual(await contentsOf(reader, sealed), [dying, needed, dyingToo, 40, 20], "and what was sealed meanwhile");
}

async function plannedRun(
  it: MemoryStore,
  points: KeptPoints,
  omissions: Omissions,
): Promise<{ run: CollectionRun; close: () => void }> {
  const { store, objects, index } = it;
  const { segments } = store;
  const { log } = it.parts;
  const scratch = { read: () => {}, write: () => {}, close: () => {} };
  const findLive = () => findLiveSlots({ live: points, segments, marks: new SlotMarks(1 << 20, scratch) }, freely);
  const planner = new CollectionPlanner(segments.newest, { neededBytes: 0 });
  const before = await findLive();
  const use = new VolumeTally();
  for await (const facts of segmentFacts({ objects, segments, use }, before, freely)) planner.add(facts);
  const clock = steppedClock();
  const graceMs = omissions.hasNoGrace === true ? 0 : 1;
  const doomed = new DoomedObjects({ objects, segments, index, graceMs, clock, log });
  const succession = new SegmentSuccession({ rewriting: it.parts, objects, segments, index, doomed, log });
  const nothing = { hold: () => {}, release: () => {} };
  if (omissions.releasesEarly === true) {
    const { published } = segments;
    segments.published = (identity) => {
      published.call(segments, identity);
      if (identity.generation > 0) store.dying.release(identity.segment);
    };
  }
  // Kept open over the run, which closes what it is given.
  const stale = Object.assign(Object.create(LiveSlots.prototype), {});
  for (const name of ["has", "isSettled", "isAny", "isAnyOfPage"] as const) stale[name] = before[name].bind(before);
  stale.close = () => {};
  const run = new CollectionRun(
    {
      ...{ segments, index, succession, doomed, log, reserve: noReserve },
      dying: omissions.holdsNothingBack === true ? nothing : store.dying,
      presentSealOver: omissions.overtakesSeals === true ? async () => {} : () => store.presentSealOver(),
      findLive: omissions.looksOnce === true ? async () => stale as LiveSlots : findLive,
    },
    planner.planned(),
    freely,
  );
  return { run, close: () => before.close() };
}
