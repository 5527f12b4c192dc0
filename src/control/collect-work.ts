/** Collection from end to end: what is not to be kept any more expires, then the room of what nothing needs is freed. */
import { roundedByteSize } from "#src/core/byte-size.ts";
import { storeFindingsMax } from "#src/core/store-limits.ts";
import type { Collection } from "#src/store/collection.ts";
import type { CollectionPlan, LeftReason, PlannedSegment } from "#src/store/collection-plan.ts";
import type { EarnedReserve } from "#src/store/earned-reserve.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { agedFigures, agedLines, ageingLines } from "./ageing-words.ts";
import type { GroupRetention, KeptHistories } from "./kept-histories.ts";
import type { WorkResult } from "./store-work.ts";

export interface CollectParts {
  readonly histories: Pick<KeptHistories, "plan" | "retain" | "planAgeing" | "age">;
  readonly collection: Pick<Collection, "isBegun" | "document" | "plan" | "run">;
  /** What it lacks is needed. */
  readonly reserve: Pick<EarnedReserve, "lackingBytes">;
}

/** Changes nothing but the plan that the store has noted. */
export async function planCollection(parts: CollectParts, control: WorkControl): Promise<WorkResult> {
  const retentions = await parts.histories.plan();
  const ageing = await parts.histories.planAgeing();
  const { collection } = parts;
  const plan = collection.isBegun
    ? collection.document?.plan
    : await collection.plan({ neededBytes: parts.reserve.lackingBytes }, control);
  // What is folded now gives nothing back before the next collection.
  const isFreed = ageing.some(({ plan: { replacedCount } }) => replacedCount > 0);
  const expires = isFreed || retentions.some(({ plan: { pieces, snapshots } }) => pieces.length + snapshots.length > 0);
  // One that was begun is brought to its end as it was planned.
  const isKnown = collection.isBegun || !expires;
  return {
    ...outcomeOf(retentions),
    figures: { ...expiredFigures(retentions), ...(isKnown ? planFigures(plan) : unknownPlan) },
    lines: [
      ...retentions.flatMap(retentionLines),
      ...ageingLines(ageing),
      ...(expires ? ["what frees room is planned when that has gone, and not counted here"] : []),
      ...(collection.isBegun ? ["a collection was begun and has not ended: this is what it was going to do"] : []),
      ...(isKnown ? planLines(plan) : []),
    ].slice(0, storeFindingsMax),
  };
}

export async function collect(parts: CollectParts, control: WorkControl): Promise<WorkResult> {
  const { histories, collection } = parts;
  // One that was begun and ended in the middle, by a power cut for example, has to be brought to its end first. One that was
  // only planned, for a dry run, does not: what expires now may free more of the same segments.
  const leftOver = collection.isBegun ? await collection.run(control) : undefined;
  const retentions = await histories.retain(control);
  const aged = await histories.age(control);
  const plan = await collection.plan({ neededBytes: parts.reserve.lackingBytes }, control);
  const outcome = await collection.run(control);
  const sums = [leftOver, outcome].filter((one) => one !== undefined);
  const sum = (of: (one: (typeof sums)[number]) => number): number => sums.reduce((all, one) => all + of(one), 0);
  return {
    isSound: outcomeOf(retentions).isSound && aged.every(({ outcome }) => outcome.findings.length === 0),
    figures: {
      ...expiredFigures(retentions),
      ...agedFigures(aged),
      removedSegments: sum(({ removedSegments }) => removedSegments),
      rewrittenSegments: sum(({ rewrittenSegments }) => rewrittenSegments),
      skippedSegments: sum(({ skippedSegments }) => skippedSegments),
      droppedBlocks: sum(({ droppedBlocks }) => droppedBlocks),
      writtenBytes: sum(({ writtenBytes }) => writtenBytes),
      freedBytes: sum(({ removedBytes, writtenBytes }) => removedBytes - writtenBytes),
    },
    lines: [...retentions.flatMap(retentionLines), ...agedLines(aged), ...planLines(plan)].slice(0, storeFindingsMax),
  };
}

/** Where clocks disagree nothing expires until somebody has looked. */
function outcomeOf(retentions: readonly GroupRetention[]): Pick<WorkResult, "isSound"> {
  return { isSound: retentions.every(({ plan }) => plan.alarm === undefined) };
}

function expiredFigures(retentions: readonly GroupRetention[]): Record<string, number> {
  const count = (of: (one: GroupRetention) => number): number => retentions.reduce((all, one) => all + of(one), 0);
  return {
    groups: retentions.length,
    expiredPieces: count(({ plan }) => plan.pieces.length),
    expiredSnapshots: count(({ plan }) => plan.snapshots.length),
  };
}

/** What the plan will be nobody knows before all of it has expired. */
const unknownPlan = { segmentsToRemove: null, segmentsToRewrite: null, toFreeBytes: null } as const;

function planFigures(plan: CollectionPlan | undefined): Record<string, number> {
  const segments = plan?.segments ?? [];
  const of = (action: PlannedSegment["action"]) => segments.filter((one) => one.action === action);
  return {
    segmentsToRemove: of("remove").length,
    segmentsToRewrite: of("rewrite").length,
    toFreeBytes: segments.reduce((sum, { freedBytes }) => sum + freedBytes, 0),
  };
}

function retentionLines({ group, plan }: GroupRetention): string[] {
  const lines: string[] = [];
  if (plan.alarm !== undefined) lines.push(`group ${group}: nothing expires: ${plan.alarm.message}`);
  if (plan.base !== undefined) {
    lines.push(`group ${group}: its history begins with record ${plan.base.seq}: ${plan.base.reason}`);
  }
  if (plan.heldBy !== undefined) {
    lines.push(`group ${group}: '${plan.heldBy.id}' keeps what would expire otherwise: ${plan.heldBy.reason}`);
  }
  return lines;
}

const leftWords: Readonly<Record<LeftReason, string>> = {
  allNeeded: "all of them is needed",
  notWorthIt: "too little of them is free",
  unsettled: "not all that may point to them is sealed",
  newest: "it is the newest",
  unreadable: "their directories are damaged: 'tidemark scrub' comes first",
  lastGeneration: "they were written anew as often as can be",
  later: "the plan is full: the next one will have them",
};

function planLines(plan: CollectionPlan | undefined): string[] {
  if (plan === undefined) return [];
  return [
    ...plan.segments.map(plannedLine),
    ...plan.sums.map(({ reason, segmentCount, freedBytes }) => {
      const free = freedBytes === 0 ? "" : ` (${roundedByteSize(freedBytes)} of them would be free)`;
      return `${segmentCount === 1 ? "1 segment stays" : `${segmentCount} segments stay`}: ${leftWords[reason]}${free}`;
    }),
  ];
}

function plannedLine({ segment, action, objectBytes, freedBytes, liveCount, deadCount }: PlannedSegment): string {
  const size = roundedByteSize(objectBytes);
  if (action === "remove") return `segment ${segment} (${size}) goes: none of its ${deadCount} blocks is needed`;
  const free = roundedByteSize(freedBytes);
  return `segment ${segment} (${size}) is written anew: ${deadCount} of its ${liveCount + deadCount} blocks are not needed, ${free}`;
}
