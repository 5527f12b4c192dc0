/** The picture itself: what was written, how close the points are, marks, snapshots and tests above each other, and a hand. */
import { type ComponentChild, h } from "preact";
import { type Buckets, densityPath } from "../density-shape.ts";
import { type TimeSpan, ticksOf, xOf } from "../time-scale.ts";
import type { Pin, TimelineShape } from "../timeline-shape.ts";
import { clockTime, dayOf } from "../words.ts";
import { pinGlyph } from "./pin-glyph.ts";

/** Where the rows stand, from the top. */
const rows = {
  mark: 14,
  density: 30,
  densityHeight: 96,
  strip: 132,
  stripHeight: 14,
  snapshot: 157,
  test: 173,
  axis: 186,
} as const;
export const pictureHeight = 208;

export interface PictureParts {
  readonly span: TimeSpan;
  readonly width: number;
  readonly shape: TimelineShape | undefined;
  readonly buckets: Buckets | undefined;
}

/** Says nothing to who does not see it: the slider and the lists do. */
export function picture({ span, width, shape, buckets }: PictureParts): ComponentChild[] {
  const box = { span, width, top: rows.density, height: rows.densityHeight };
  const bottom = rows.density + rows.densityHeight;
  return [
    h("g", { key: "ground", "aria-hidden": "true" }, beyond(shape, width), axis(span, width)),
    h(
      "g",
      { key: "history", "aria-hidden": "true" },
      buckets !== undefined && h("path", { class: "density", d: densityPath(buckets, box) }),
      h("line", { class: "ground-line", x1: 0, x2: width, y1: bottom + 0.5, y2: bottom + 0.5 }),
      strips(shape),
      shape?.marks.map((pin) => mark(pin)),
      shape?.snapshots.map(({ x, words }) => pinGlyph("snapshot", x, rows.snapshot, words)),
      shape?.tests.map(({ kind, x, words }) => pinGlyph(kind, x, rows.test, words)),
    ),
  ];
}

/** Where nothing can be restored, since the history begins later or has not come so far. */
function beyond(shape: TimelineShape | undefined, width: number): ComponentChild[] {
  const { beginX, endX } = shape ?? {};
  const part = (key: string, x: number, end: number) =>
    h("rect", { key, class: "beyond", x, y: rows.density, width: end - x, height: rows.axis - rows.density });
  return [
    ...(beginX === undefined ? [] : [part("before", 0, beginX)]),
    ...(endX === undefined || beginX === width ? [] : [part("behind", endX, width)]),
  ];
}

function axis(span: TimeSpan, width: number): ComponentChild[] {
  const countMax = Math.max(2, Math.floor(width / 92));
  const offset = new Date(span.toMs).getTimezoneOffset();
  return ticksOf(span, countMax, offset).flatMap(({ ms, isDay }) => {
    const x = Math.round(xOf(ms, span, width)) + 0.5;
    const words = isDay ? dayOf(ms).slice(5) : clockTime(ms).slice(0, span.toMs - span.fromMs > 600_000 ? 5 : 8);
    const isAtEdge = x < 26 || x > width - 26;
    return [
      h("line", { key: `l${ms}`, class: "grid", x1: x, x2: x, y1: rows.density, y2: rows.axis }),
      ...(isAtEdge ? [] : [h("text", { key: `t${ms}`, x, y: rows.axis + 16, "text-anchor": "middle" }, words)]),
    ];
  });
}

function strips(shape: TimelineShape | undefined): ComponentChild[] {
  return (shape?.strips ?? []).map(({ kind, left, width, height, words }, index) => {
    const tall = rows.stripHeight * height;
    const place = { x: left, y: rows.strip + rows.stripHeight - tall, width, height: tall };
    if (kind !== "no-points") return h("rect", { key: index, class: kind, rx: 2, ...place }, h("title", null, words));
    return h("g", { key: index }, h("title", null, words), h("rect", { class: kind, ...place }), hatch(place));
  });
}

/** Lines, since a pattern would have to be named for all of the document. */
function hatch({ x, y, width, height }: { x: number; y: number; width: number; height: number }): ComponentChild {
  const lines: string[] = [];
  for (let left = x; left + height <= x + width; left += 7) lines.push(`M${left} ${y + height}l${height} ${-height}`);
  return h("path", { class: "hatch", d: lines.join("") });
}

function mark(pin: Pin): ComponentChild {
  const x = Math.round(pin.x) + 0.5;
  return h(
    "g",
    { key: `${pin.seq} ${pin.point}` },
    h("line", { class: "mark-stem", x1: x, x2: x, y1: rows.mark + 6, y2: rows.density + rows.densityHeight }),
    pinGlyph("mark", pin.x, rows.mark, pin.words),
    pin.label !== undefined &&
      h(
        "text",
        {
          class: "mark-name",
          x: pin.x + (pin.isLabelBefore === true ? -10 : 10),
          y: rows.mark + 4,
          "text-anchor": pin.isLabelBefore === true ? "end" : "start",
        },
        pin.label,
      ),
  );
}
