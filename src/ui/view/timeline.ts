/** A volume's history to look at, and a hand that picks a moment of it. */
import { type ComponentChild, h } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { inWords } from "../api.ts";
import type { Buckets } from "../density-shape.ts";
import type { Desk } from "../desk.ts";
import { momentInWords, movedByKey, seqBefore } from "../scrubber.ts";
import { clampMs, msAt, type TimeSpan, xOf } from "../time-scale.ts";
import {
  type Pin,
  type PinKind,
  pinNear,
  type StripKind,
  type TimelineShape,
  timelineShape,
} from "../timeline-shape.ts";
import { moved, refreshMs, type SpanChoice, spanOf, spanPresets, zoomed } from "../timeline-span.ts";
import { useEvery, useWidth } from "./hooks.ts";
import { TimelineKey } from "./timeline-key.ts";
import { picture, pictureHeight } from "./timeline-picture.ts";

/** A moment, or a point with a name that lies there. */
export interface Picked {
  readonly ms: number;
  /** As a point in words; undefined: by its time. */
  readonly point: string | undefined;
  readonly words: string | undefined;
}

export interface TimelineParts {
  readonly desk: Desk;
  readonly volume: string;
  readonly report: TimelineReport | undefined;
  readonly nowMs: number;
  /** Undefined: the newest. */
  readonly picked: Picked | undefined;
  readonly pick: (picked: Picked | undefined) => void;
}

/** So wide is a bar, about. */
const barWidth = 4;
const bucketsMax = 240;
/** How near to a pin one must point to mean it. */
const pinReach = 7;

export function Timeline(parts: TimelineParts): ComponentChild {
  const { report, nowMs } = parts;
  const [choice, setChoice] = useState<SpanChoice>({ seconds: 300, endMs: undefined });
  const oldest = report?.ranges.find(({ kind }) => kind === "points")?.from;
  const span = spanOf(choice, nowMs, oldest === undefined ? undefined : Date.parse(oldest));
  const [attach, width] = useWidth();
  const { buckets, failure } = useBuckets(parts, span, choice, width);
  const shape = report === undefined || width === 0 ? undefined : timelineShape(report, span, width);
  return h(
    "div",
    null,
    h(SpanSwitch, { choice, span, nowMs, choose: setChoice }),
    h(
      "div",
      { class: "timeline", ref: attach, ...pointing(parts, span, width, shape, (next) => setChoice(next), nowMs) },
      width > 0 &&
        h(
          "svg",
          { width, height: pictureHeight, viewBox: `0 0 ${width} ${pictureHeight}` },
          picture({ span, width, shape, buckets }),
          h(Hand, { ...parts, span, width, shape, buckets }),
        ),
    ),
    failure !== undefined && h("p", { class: "small soft" }, `What was written cannot be drawn. ${failure}`),
    h(TimelineKey, { kinds: kindsIn(shape) }),
  );
}

function kindsIn(shape: TimelineShape | undefined): ReadonlySet<StripKind | PinKind> {
  const { strips = [], marks = [], tests = [], snapshots = [] } = shape ?? {};
  return new Set([...strips, ...marks, ...tests, ...snapshots].map(({ kind }) => kind));
}

function useBuckets({ desk, volume }: TimelineParts, span: TimeSpan, choice: SpanChoice, width: number) {
  const [found, setFound] = useState<{ readonly buckets?: Buckets; readonly failure?: string }>({});
  const isUnderWay = useRef(false);
  useEffect(() => setFound({}), [volume]);
  const everyMs = choice.endMs === undefined ? refreshMs(span) : 30_000;
  useEvery(
    desk,
    everyMs,
    () => {
      if (isUnderWay.current || width === 0) return;
      isUnderWay.current = true;
      const end = (next: typeof found): void => {
        isUnderWay.current = false;
        setFound(next);
      };
      const bucketCount = Math.min(bucketsMax, Math.ceil(width / barWidth));
      desk.density(volume, span.fromMs, span.toMs, bucketCount).then(
        ({ from, to, ...rest }) =>
          end({ buckets: { span: { fromMs: Date.parse(from), toMs: Date.parse(to) }, ...rest } }),
        (error: unknown) => end({ failure: inWords(error) }),
      );
    },
    [volume, choice.seconds, choice.endMs, width],
  );
  return { buckets: found.buckets, failure: found.failure };
}

function pointing(
  { pick }: TimelineParts,
  span: TimeSpan,
  width: number,
  shape: TimelineShape | undefined,
  choose: (choice: SpanChoice) => void,
  nowMs: number,
) {
  const at = (event: PointerEvent): void => {
    const { left } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const x = Math.min(width, Math.max(0, event.clientX - left));
    pick(pickedAt(x, span, width, shape));
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      at(event);
    },
    onPointerMove: (event: PointerEvent) => {
      if ((event.currentTarget as HTMLElement).hasPointerCapture(event.pointerId)) at(event);
    },
    onWheel: (event: WheelEvent) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      const { left } = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const aboutMs = msAt(event.clientX - left, span, width);
      choose(zoomed(event.deltaY > 0 ? 1.25 : 0.8, aboutMs, span, nowMs));
    },
  };
}

function pinsOf(shape: TimelineShape | undefined): Pin[] {
  return [...(shape?.marks ?? []), ...(shape?.tests ?? []), ...(shape?.snapshots ?? [])];
}

function pickedAt(x: number, span: TimeSpan, width: number, shape: TimelineShape | undefined): Picked | undefined {
  const pin = pinNear(pinsOf(shape), x, pinReach);
  if (pin !== undefined) return { ms: pin.ms, point: pin.point, words: pin.words };
  // What is yet to come is the newest.
  if (shape?.endX !== undefined && x >= shape.endX - 1) return undefined;
  return { ms: msAt(x, span, width), point: undefined, words: undefined };
}

interface HandParts extends TimelineParts {
  readonly span: TimeSpan;
  readonly width: number;
  readonly shape: TimelineShape | undefined;
  readonly buckets: Buckets | undefined;
}

/** The slider that keyboards and screen readers have. */
function Hand({ report, nowMs, picked, pick, span, width, shape, buckets }: HandParts): ComponentChild | null {
  const newest = report?.newest;
  const newestMs = newest === null || newest === undefined ? nowMs : Date.parse(newest.time);
  const atMs = clampMs(picked?.ms ?? newestMs, span);
  const pins = pinsOf(shape);
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      const next = movedByKey(
        event.key,
        atMs,
        span,
        pins.map(({ ms }) => ms),
      );
      if (next === undefined) return;
      event.preventDefault();
      if (next >= newestMs) pick(undefined);
      else
        pick(pickedAt(xOf(next, span, width), span, width, event.key === "[" || event.key === "]" ? shape : undefined));
    },
    [atMs, span, width, shape, newestMs, pick],
  );
  const x = xOf(atMs, span, width);
  const seq = picked === undefined ? newest?.seq : buckets && seqBefore(buckets, atMs);
  return h(
    "g",
    {
      class: "hand",
      role: "slider",
      tabIndex: 0,
      "aria-label": "Moment to look at",
      "aria-valuemin": Math.round(span.fromMs / 1000),
      "aria-valuemax": Math.round(span.toMs / 1000),
      "aria-valuenow": Math.round(atMs / 1000),
      "aria-valuetext": momentInWords(atMs, nowMs, seq, picked === undefined ? "the newest point" : picked.words),
      "aria-description": "Arrow keys move it, page keys further; brackets jump between marks, snapshots and tests.",
      onKeyDown,
      transform: `translate(${x.toFixed(1)} 0)`,
    },
    h("line", { class: "hand-line", x1: 0, x2: 0, y1: 22, y2: 186 }),
    h("circle", { class: "hand-knob", cx: 0, cy: 26, r: 7 }),
    h("rect", { x: -14, y: 12, width: 28, height: 178, fill: "transparent" }),
  );
}

interface SwitchParts {
  readonly choice: SpanChoice;
  readonly span: TimeSpan;
  readonly nowMs: number;
  readonly choose: (choice: SpanChoice) => void;
}

function SpanSwitch({ choice, span, nowMs, choose }: SwitchParts): ComponentChild {
  const step = (share: number, label: string, words: string) =>
    h("button", { type: "button", "aria-label": label, onClick: () => choose(moved(share, span, nowMs)) }, words);
  return h(
    "div",
    { class: "panel-head" },
    h("h2", { id: "history" }, "History"),
    h(
      "div",
      { class: "row" },
      h(
        "div",
        { class: "segments", role: "group", "aria-label": "How much of it" },
        spanPresets.map(({ words, seconds }) =>
          h(
            "button",
            {
              key: words,
              type: "button",
              "aria-pressed": choice.seconds === seconds,
              onClick: () => choose({ seconds, endMs: undefined }),
            },
            words,
          ),
        ),
      ),
      h(
        "div",
        { class: "segments", role: "group", "aria-label": "Move in time" },
        step(-0.5, "Earlier", "←"),
        step(0.5, "Later", "→"),
        h(
          "button",
          {
            type: "button",
            "aria-pressed": choice.endMs === undefined,
            onClick: () => choose({ ...choice, endMs: undefined }),
          },
          "Now",
        ),
      ),
    ),
  );
}
