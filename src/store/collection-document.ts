/**
 * The store's document about its collection: what was planned, whether it was begun, and what came of it. There is one, and
 * the next plan takes its place when it has ended.
 *
 * Invariant: from before the first object is touched until the last one is gone it says `begun`, and names all of them.
 */

import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import {
  collectionLeftMax,
  collectionSegmentsMax,
  storeDocumentBytesMax,
  volumeUseCountMax,
} from "#src/core/store-limits.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import { segmentMax } from "#src/records/address.ts";
import {
  type CollectionPlan,
  type LeftReason,
  type LeftSegment,
  type LeftSum,
  leftReasons,
  type PlanAction,
  type PlannedSegment,
  planActions,
} from "./collection-plan.ts";
import { generationMax } from "./segment-format.ts";
import type { VolumeUse } from "./volume-use.ts";

export const collectionDocumentName = "collection.json";

const kind = { format: "tidemark-collection", version: 1 } as const;

export const collectionStates = ["planned", "begun", "ended"] as const;
export type CollectionState = (typeof collectionStates)[number];

/** What came of a collection. */
export interface CollectionOutcome {
  readonly removedSegments: number;
  readonly rewrittenSegments: number;
  /** Of objects that are gone, and of those that have taken their place. */
  readonly removedBytes: number;
  readonly writtenBytes: number;
  readonly droppedBlocks: number;
  /** Planned, and left as they were: nothing was free any more, or what is needed of them cannot be read. */
  readonly skippedSegments: number;
}

export interface CollectionDocument {
  readonly state: CollectionState;
  /** When it was planned. */
  readonly madeMicros: number;
  readonly plan: CollectionPlan;
  /** Of one that has ended. */
  readonly outcome: CollectionOutcome | undefined;
  /** What was needed of each volume when it was planned. Undefined: an earlier version did not count it. */
  readonly use?: readonly VolumeUse[] | undefined;
}

const outcomeNames = [
  "removedSegments",
  "rewrittenSegments",
  "removedBytes",
  "writtenBytes",
  "droppedBlocks",
  "skippedSegments",
] as const;

export function encodeCollection({ state, madeMicros, plan, outcome, use }: CollectionDocument): Buffer {
  const { neededBytes, segments, sums, left } = plan;
  const content = {
    state,
    madeMicros,
    neededBytes,
    segments: segments.map(({ segment, generation, action, objectBytes, freedBytes, liveCount, deadCount }) =>
      [segment, generation, action, objectBytes, freedBytes, liveCount, deadCount].join(" "),
    ),
    sums,
    left: left.map(({ segment, reason, objectBytes, freedBytes }) =>
      [segment, reason, objectBytes, freedBytes].join(" "),
    ),
    ...(outcome === undefined ? {} : { outcome }),
    ...(use === undefined
      ? {}
      : { use: use.map(({ group, volume, blockCount }) => [group, volume, blockCount].join(" ")) }),
  };
  const bytes = encodeDocument(kind, content);
  assert(bytes.length <= storeDocumentBytesMax, "a largest plan fits");
  return bytes;
}

/** Throws a `StopError` where it is damaged, a `RefuseError` where another version wrote it. `name`: for people. */
export function decodeCollection(bytes: Buffer, name: string): CollectionDocument {
  const content = decodeDocument(bytes, name, kind);
  const { state, madeMicros, neededBytes } = content;
  const segments = rowsOf(content.segments, collectionSegmentsMax, plannedOf);
  const left = rowsOf(content.left, collectionLeftMax, leftOf);
  const sums = sumsOf(content.sums);
  const outcome = outcomeOf(content.outcome);
  const use = content.use === undefined ? undefined : (rowsOf(content.use, volumeUseCountMax, useOf) ?? "none");
  if (!isState(state) || !isCount(madeMicros) || !isCount(neededBytes)) throw damaged(name);
  if (segments === undefined || left === undefined || sums === undefined) throw damaged(name);
  if (outcome === "none" || use === "none") throw damaged(name);
  return { state, madeMicros, plan: { neededBytes, segments, sums, left }, outcome, use };
}

function damaged(name: string): StopError {
  return new StopError(`${name} is damaged: it does not say what a collection is`);
}

function plannedOf(words: readonly string[]): PlannedSegment | undefined {
  const [first, second, action = "", ...rest] = words;
  const [segment, generation, objectBytes, freedBytes, liveCount, deadCount] = numbersOf([first, second, ...rest], 6);
  if (!isAction(action) || !isSegment(segment) || generation === undefined || generation > generationMax)
    return undefined;
  if (objectBytes === undefined || freedBytes === undefined) return undefined;
  if (liveCount === undefined || deadCount === undefined) return undefined;
  return { segment, generation, action, objectBytes, freedBytes, liveCount, deadCount };
}

function useOf([group = "", ...rest]: readonly string[]): VolumeUse | undefined {
  const [volume, blockCount] = numbersOf(rest, 2);
  if (!/^[0-9a-f]{32}$/.test(group) || volume === undefined || blockCount === undefined) return undefined;
  return { group, volume, blockCount };
}

function leftOf(words: readonly string[]): LeftSegment | undefined {
  const [first, reason = "", ...rest] = words;
  const [segment, objectBytes, freedBytes] = numbersOf([first, ...rest], 3);
  if (!isReason(reason) || !isSegment(segment) || objectBytes === undefined || freedBytes === undefined)
    return undefined;
  return { segment, reason, objectBytes, freedBytes };
}

function sumsOf(value: unknown): LeftSum[] | undefined {
  if (!Array.isArray(value) || value.length > leftReasons.length) return undefined;
  const sums = value.map((one: unknown): LeftSum | undefined => {
    const { reason, segmentCount, objectBytes, freedBytes } = (one ?? {}) as Record<string, unknown>;
    if (!isReason(reason) || !isCount(segmentCount) || !isCount(objectBytes) || !isCount(freedBytes)) return undefined;
    return { reason, segmentCount, objectBytes, freedBytes };
  });
  return sums.every((sum) => sum !== undefined) ? sums : undefined;
}

function outcomeOf(value: unknown): CollectionOutcome | undefined | "none" {
  if (value === undefined) return undefined;
  const numbers = (value ?? {}) as Record<string, unknown>;
  const isOne = outcomeNames.every((name) => isCount(numbers[name]));
  return isOne ? (Object.fromEntries(outcomeNames.map((name) => [name, numbers[name]])) as never) : "none";
}

function rowsOf<Row>(
  value: unknown,
  countMax: number,
  read: (words: readonly string[]) => Row | undefined,
): Row[] | undefined {
  if (!Array.isArray(value) || value.length > countMax) return undefined;
  const rows = value.map((row: unknown) => (typeof row === "string" ? read(row.split(" ")) : undefined));
  return rows.every((row) => row !== undefined) ? rows : undefined;
}

/** So many, or nothing but undefined. */
function numbersOf(words: readonly (string | undefined)[], count: number): (number | undefined)[] {
  if (words.length !== count || !words.every((word) => word !== undefined && /^\d{1,16}$/.test(word))) return [];
  const numbers = words.map(Number);
  return numbers.every(Number.isSafeInteger) ? numbers : [];
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSegment(value: number | undefined): value is number {
  return value !== undefined && value >= 1 && value <= segmentMax;
}

function isState(value: unknown): value is CollectionState {
  return collectionStates.includes(value as CollectionState);
}

function isAction(value: string): value is PlanAction {
  return planActions.includes(value as PlanAction);
}

function isReason(value: unknown): value is LeftReason {
  return leftReasons.includes(value as LeftReason);
}
