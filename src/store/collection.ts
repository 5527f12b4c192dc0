/**
 * Collection of what no point needs any more: the one face of it for the process that keeps the store. It is opened before
 * anything is sealed, since a run that was not brought to its end holds back where sealing may point to. `plan` finds out
 * what is worth it and notes it in the store with the reasons; `run` carries out what is noted, and may be ended and begun again
 * at any time. One of them at a time, beside sealing, but not beside a repair, which writes new generations as well.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { liveMarksBytes, readersGraceMs, storeDocumentBytesMax } from "#src/core/store-limits.ts";
import type { Files } from "#src/host/files.ts";
import { isLackOfSpace } from "#src/host/lack-of-room.ts";
import {
  type CollectionDocument,
  type CollectionOutcome,
  collectionDocumentName,
  decodeCollection,
  encodeCollection,
} from "./collection-document.ts";
import { segmentFacts } from "./collection-facts.ts";
import { type CollectionPlan, CollectionPlanner, type CollectionWish } from "./collection-plan.ts";
import { CollectionRun } from "./collection-run.ts";
import { DoomedObjects } from "./doomed-objects.ts";
import type { LiveBlocks } from "./live-blocks.ts";
import { findLiveSlots, type LiveSlots } from "./live-slots.ts";
import { FileMarkScratch } from "./mark-scratch.ts";
import { segmentOfObject } from "./segment-format.ts";
import type { SegmentStore, SegmentStoreParts } from "./segment-store.ts";
import { SegmentSuccession } from "./segment-succession.ts";
import { marksSetBytes, SlotMarks } from "./slot-marks.ts";
import type { SpaceReserve } from "./space-reserve.ts";
import { VolumeTally } from "./volume-use.ts";
import type { WorkControl } from "./work-control.ts";

export interface CollectionParts extends SegmentStoreParts {
  readonly store: Pick<SegmentStore, "segments" | "dying" | "presentSealOver">;
  readonly live: LiveBlocks;
  readonly files: Files;
  /** Of what can be lost: for marks that memory has no room for. */
  readonly indexFolder: string;
  readonly reserve: SpaceReserve;
  readonly marksBytes?: number;
  readonly graceMs?: number;
}

/** For metrics: since the start. */
export interface CollectionFigures {
  readonly runCount: number;
  readonly removedSegments: number;
  readonly rewrittenSegments: number;
  /** What objects that are gone took, less what was written instead. */
  readonly freedBytes: number;
  readonly writtenBytes: number;
  readonly droppedBlocks: number;
  readonly reserveBytes: number;
}

export class Collection {
  readonly #parts: CollectionParts;
  #document: CollectionDocument | undefined;
  #version: string | undefined;
  #isAtWork = false;
  #figures = {
    runCount: 0,
    removedSegments: 0,
    rewrittenSegments: 0,
    freedBytes: 0,
    writtenBytes: 0,
    droppedBlocks: 0,
  };

  private constructor(parts: CollectionParts) {
    this.#parts = parts;
  }

  static async open(parts: CollectionParts): Promise<Collection> {
    const collection = new Collection(parts);
    await collection.#read();
    return collection;
  }

  /** What is noted in the store. Undefined: nothing. */
  get document(): CollectionDocument | undefined {
    return this.#document;
  }

  /** One was begun that has not ended: `run` goes on with it. */
  get isBegun(): boolean {
    return this.#document?.state === "begun";
  }

  get figures(): CollectionFigures {
    return { ...this.#figures, reserveBytes: this.#parts.reserve.heldBytes };
  }

  async #read(): Promise<void> {
    const { store, log } = this.#parts;
    try {
      this.#document = await readTwice(() => this.#readOnce());
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      // A scrub may repair it yet.
      this.#version = undefined;
      log.error("what was noted of a collection is lost; the next one begins anew", { error });
    }
    if (!this.isBegun) return;
    for (const { segment } of this.#document?.plan.segments ?? []) store.dying.hold(segment);
  }

  async #readOnce(): Promise<CollectionDocument | undefined> {
    const found = await this.#parts.objects.readDocument(collectionDocumentName);
    this.#version = found?.version;
    return found === undefined ? undefined : decodeCollection(found.bytes, collectionDocumentName);
  }

  /** Rejects with a `RefuseError` where a collection was begun and has not ended. */
  async plan(wish: CollectionWish, control: WorkControl): Promise<CollectionPlan> {
    if (this.isBegun) throw new RefuseError("a collection was begun and has not ended: it has to be run first");
    return await this.#alone(async () => {
      try {
        return await this.#planned(wish, control);
      } finally {
        // What its marks took.
        await this.#parts.reserve.refill();
      }
    });
  }

  async #planned(wish: CollectionWish, control: WorkControl): Promise<CollectionPlan> {
    const live = await this.#findLive(control);
    try {
      const { objects, store, clock } = this.#parts;
      const planner = new CollectionPlanner(store.segments.newest, wish);
      const use = new VolumeTally();
      for await (const facts of segmentFacts({ objects, segments: store.segments, use }, live, control)) {
        planner.add(facts);
      }
      const plan = planner.planned();
      const madeMicros = Math.round(clock.wallMs() * 1000);
      await this.#note({ state: "planned", madeMicros, plan, outcome: undefined, use: use.list() });
      return plan;
    } finally {
      live.close();
    }
  }

  /** What is planned, or was begun. Undefined: nothing is. */
  async run(control: WorkControl): Promise<CollectionOutcome | undefined> {
    const document = this.#document;
    if (document === undefined || document.state === "ended") return undefined;
    return await this.#alone(async () => {
      const begun: CollectionDocument = { ...document, state: "begun" };
      if (document.state === "planned") await this.#note(begun);
      const run = this.#newRun(document.plan, control);
      try {
        if (document.plan.segments.length > 0 || (await this.#hasOlder())) await run.run();
      } finally {
        this.#count(run.outcome);
        await this.#parts.reserve.refill();
      }
      await this.#note({ ...begun, state: "ended", outcome: run.outcome });
      return run.outcome;
    });
  }

  /** Generations that somebody left who died. */
  async #hasOlder(): Promise<boolean> {
    const { objects, store } = this.#parts;
    for await (const { name } of objects.list("segments/")) {
      const found = segmentOfObject(name);
      if (found !== undefined && store.segments.generationOf(found.segment) !== found.generation) return true;
    }
    return false;
  }

  #newRun(plan: CollectionPlan, control: WorkControl): CollectionRun {
    const { objects, store, index, log, clock, reserve, graceMs = readersGraceMs } = this.#parts;
    const { segments, dying } = store;
    const doomed = new DoomedObjects({ objects, segments, index, graceMs, clock, log });
    const drawing = {
      create: (name: string) => objects.create(name, reserve),
      read: (name: string, target: Buffer, position: number) => objects.read(name, target, position),
      sizeBytes: (name: string) => objects.sizeBytes(name),
    };
    const rewriting = { ...this.#parts, objects: drawing };
    const succession = new SegmentSuccession({ rewriting, objects, segments, index, doomed, log });
    const findLive = (work: WorkControl): Promise<LiveSlots> => this.#findLive(work);
    const presentSealOver = (): Promise<void> => store.presentSealOver();
    const parts = { segments, index, dying, succession, doomed, presentSealOver, findLive, reserve, log };
    return new CollectionRun(parts, plan, control);
  }

  #findLive(control: WorkControl): Promise<LiveSlots> {
    const { live, store, files, indexFolder, reserve, marksBytes = liveMarksBytes } = this.#parts;
    const scratch = () => new FileMarkScratch(files, indexFolder, reserve);
    const newMarks = () => new SlotMarks(marksSetBytes(marksBytes), scratch());
    const [marks, ledTo] = [newMarks(), newMarks()];
    return findLiveSlots({ live, segments: store.segments, marks, ledTo }, control);
  }

  #count(outcome: CollectionOutcome): void {
    const { runCount, removedSegments, rewrittenSegments, freedBytes, writtenBytes, droppedBlocks } = this.#figures;
    this.#figures = {
      runCount: runCount + 1,
      removedSegments: removedSegments + outcome.removedSegments,
      rewrittenSegments: rewrittenSegments + outcome.rewrittenSegments,
      freedBytes: freedBytes + outcome.removedBytes - outcome.writtenBytes,
      writtenBytes: writtenBytes + outcome.writtenBytes,
      droppedBlocks: droppedBlocks + outcome.droppedBlocks,
    };
  }

  async #note(document: CollectionDocument): Promise<void> {
    const bytes = encodeCollection(document);
    this.#version ??= (await this.#parts.objects.readDocument(collectionDocumentName))?.version;
    const before = this.#version;
    // Until it is known what is there.
    this.#version = undefined;
    const version = (await this.#changed(bytes, before)) ?? (await this.#versionOf(bytes));
    if (version === undefined) throw new StopError("somebody else collects in the same store");
    this.#version = version;
    this.#document = document;
  }

  async #changed(bytes: Buffer, before: string | undefined): Promise<string | undefined> {
    const { objects, reserve } = this.#parts;
    for (;;) {
      try {
        return await objects.changeDocument(collectionDocumentName, bytes, before);
      } catch (error) {
        const isFull = error instanceof RetryError && isLackOfSpace(error.cause);
        if (!isFull || !reserve.give(storeDocumentBytesMax)) throw error;
      }
    }
  }

  /** One that was told to have failed may have been noted nevertheless. */
  async #versionOf(bytes: Buffer): Promise<string | undefined> {
    const found = await this.#parts.objects.readDocument(collectionDocumentName);
    return found?.bytes.equals(bytes) === true ? found.version : undefined;
  }

  async #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    assert(!this.#isAtWork, "one collection is planned or run at a time");
    this.#isAtWork = true;
    try {
      return await work();
    } finally {
      this.#isAtWork = false;
    }
  }
}

/** A service may answer something else than it has. */
async function readTwice<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return await read();
  }
}
