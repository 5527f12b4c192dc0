/** A volume's history as shapes: which strip, pin and hatch lies where in a picture of some width. */
import type { HistoryRange, TimelineReport } from "#src/control/volume-history.ts";
import { type TimeSpan, xOf } from "./time-scale.ts";

export type StripKind = "level-write" | "level-aggregate" | "level-folded" | "no-points";

export interface Strip {
  readonly kind: StripKind;
  readonly left: number;
  readonly width: number;
  /** 0 to 1: the closer the points, the higher. */
  readonly height: number;
  readonly words: string;
}

export type PinKind = "mark" | "snapshot" | "proven" | "failed";

export interface Pin {
  readonly kind: PinKind;
  readonly x: number;
  readonly ms: number;
  readonly seq: number;
  readonly words: string;
  /** As a point in words. */
  readonly point: string;
  /** Of a mark, where there is room to write it, and on which side of it. */
  readonly label?: string;
  readonly isLabelBefore?: boolean;
}

export interface TimelineShape {
  readonly strips: readonly Strip[];
  readonly marks: readonly Pin[];
  readonly tests: readonly Pin[];
  readonly snapshots: readonly Pin[];
  /** Where the history ends to either side, as far as that is seen. */
  readonly beginX: number | undefined;
  readonly endX: number | undefined;
}

/** Of a letter of a label, at most: they are bold. */
const letterWidth = 8;
const labelGap = 10;
/** Pins of a kind that are nearer to each other are one. */
const pinGap = 9;
const leastStrip = 1.5;

export function timelineShape(report: TimelineReport, span: TimeSpan, width: number): TimelineShape {
  const newestMs = report.newest === null ? undefined : Date.parse(report.newest.time);
  return {
    strips: report.ranges.flatMap((range) => stripOf(range, report, span, width)),
    marks: labelled(apart(marksOf(report, span, width)), width),
    tests: apart(drillsOf(report, span, width)),
    snapshots: apart(snapshotsOf(report, span, width)),
    beginX: beginX(oldestMs(report), span, width),
    endX: endX(newestMs, span, width),
  };
}

/** The first moment that can be restored; undefined: there is none. */
export function oldestMs({ ranges }: Pick<TimelineReport, "ranges">): number | undefined {
  const first = ranges.find(({ kind }) => kind === "points");
  return first === undefined ? undefined : Date.parse(first.from);
}

/** Of the newest record that can be restored from; undefined: records of the group have come, and none is a point of the volume. */
export function newestPointSeq(report: Pick<TimelineReport, "ranges" | "newest">): number | undefined {
  return oldestMs(report) === undefined ? undefined : report.newest?.seq;
}

/** Where nothing can be restored yet that is the end. */
function beginX(ms: number | undefined, span: TimeSpan, width: number): number | undefined {
  const x = ms === undefined ? width : Math.min(width, xOf(ms, span, width));
  return x > 0 ? x : undefined;
}

function endX(ms: number | undefined, span: TimeSpan, width: number): number | undefined {
  const x = ms === undefined ? 0 : xOf(ms, span, width);
  return x > 0 && x < width ? x : undefined;
}

function stripOf(range: HistoryRange, report: TimelineReport, span: TimeSpan, width: number): Strip[] {
  const fromMs = Date.parse(range.from);
  // What the newest range holds goes on until something else comes.
  const isLast = range === report.ranges.at(-1);
  const toMs = isLast ? Math.max(Date.parse(range.to), span.toMs) : Date.parse(range.to);
  if (toMs < span.fromMs || fromMs > span.toMs) return [];
  const left = Math.max(0, xOf(fromMs, span, width));
  const right = Math.min(width, xOf(toMs, span, width));
  const { kind, height } = stripKind(range);
  return [{ kind, height, left, width: Math.max(leastStrip, right - left), words: rangeInWords(range) }];
}

function stripKind({ kind, granularity }: HistoryRange): Pick<Strip, "kind" | "height"> {
  if (kind !== "points") return { kind: "no-points", height: 1 };
  if (granularity === "every-write") return { kind: "level-write", height: 1 };
  return granularity === "aggregate"
    ? { kind: "level-aggregate", height: 0.66 }
    : { kind: "level-folded", height: 0.4 };
}

const whyNone: Readonly<Record<string, string>> = {
  resync: "a gap: regions were journaled anew",
  "first-copy": "no points yet: the first copy",
  joined: "no points yet: the volume has just joined",
};

export function rangeInWords({ kind, granularity }: Pick<HistoryRange, "kind" | "granularity">): string {
  if (kind !== "points") return whyNone[kind] ?? kind;
  if (granularity === "every-write") return "every write is a point";
  return granularity === "aggregate" ? "every aggregate is a point" : `one point in ${granularity ?? "?"}`;
}

/** In which the moment lies; undefined: in none. */
export function rangeAt({ ranges }: Pick<TimelineReport, "ranges">, ms: number): HistoryRange | undefined {
  return ranges.findLast(({ from }) => Date.parse(from) <= ms);
}

function marksOf({ marks }: TimelineReport, span: TimeSpan, width: number): Pin[] {
  return marks.flatMap(({ name, seq, time, quiesced, point }) =>
    pinAt(time, span, width, {
      ...{ kind: "mark", seq, point: `mark:${name}`, label: name },
      words: `mark ${name}${quiesced ? ", with applications at rest" : ""}${point ? "" : ", no point of this volume"}`,
    }),
  );
}

function snapshotsOf({ snapshots }: TimelineReport, span: TimeSpan, width: number): Pin[] {
  return snapshots.flatMap(({ seq, time }) =>
    time === undefined
      ? []
      : pinAt(time, span, width, { kind: "snapshot", seq, point: `snap:${seq}`, words: `snapshot of record ${seq}` }),
  );
}

function drillsOf({ drills }: TimelineReport, span: TimeSpan, width: number): Pin[] {
  return drills.flatMap(({ seq, time, outcome, command, why, point }) => {
    const because = why === undefined ? "" : `: ${why}`;
    const words = outcome === "proven" ? `proven by '${command}'` : `failed '${command}'${because}`;
    const still = point ? "" : ", no point any more";
    return pinAt(time, span, width, { kind: outcome, seq, point: `seq:${seq}`, words: words + still });
  });
}

function pinAt(time: string, span: TimeSpan, width: number, pin: Omit<Pin, "x" | "ms">): Pin[] {
  const ms = Date.parse(time);
  return ms < span.fromMs || ms > span.toMs ? [] : [{ ...pin, ms, x: xOf(ms, span, width) }];
}

/** Of those that would lie upon each other the newest; a failed one hides behind no other. */
function apart(pins: readonly Pin[]): Pin[] {
  const kept: Pin[] = [];
  for (const pin of [...pins].sort((a, b) => a.x - b.x)) {
    const last = kept.at(-1);
    if (last === undefined || pin.x - last.x >= pinGap) kept.push(pin);
    else if (last.kind !== "failed") kept[kept.length - 1] = pin;
  }
  return kept;
}

/** Names where they do not run into the next pin, the newest first; before the pin where there is no room behind it. */
function labelled(pins: readonly Pin[], width: number): Pin[] {
  let freeTo = width;
  return pins
    .toReversed()
    .map((pin, index) => {
      const { label, ...bare } = pin;
      const length = labelGap + (label?.length ?? 0) * letterWidth;
      const before = pins[pins.length - 2 - index];
      const hasRoomBehind = pin.x + length <= freeTo;
      const isLabelBefore = !hasRoomBehind && pin.x - length >= (before === undefined ? 0 : before.x + labelGap);
      freeTo = Math.min(freeTo, pin.x - (isLabelBefore ? length : 8));
      if (hasRoomBehind) return pin;
      return isLabelBefore ? { ...pin, isLabelBefore } : bare;
    })
    .toReversed();
}

/** The pin that somebody means who points there; undefined: none is near. */
export function pinNear(pins: readonly Pin[], x: number, reach: number): Pin | undefined {
  const [nearest] = [...pins].sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x));
  return nearest !== undefined && Math.abs(nearest.x - x) <= reach ? nearest : undefined;
}
