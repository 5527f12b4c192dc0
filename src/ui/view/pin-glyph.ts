/** The shapes of marks, snapshots and tests: no two of them are told apart by colour alone. */
import { type ComponentChild, h } from "preact";
import type { PinKind } from "../timeline-shape.ts";

const radius = 6;

export function pinGlyph(kind: PinKind, x: number, y: number, words: string): ComponentChild {
  return h(
    "g",
    { key: `${kind} ${x}`, transform: `translate(${x.toFixed(1)} ${y})` },
    h("title", null, words),
    h("path", { class: kind, d: outlines[kind] }),
    kind in strokes && h("path", { class: "glyph", d: strokes[kind] ?? "" }),
  );
}

const disc = `M${-radius} 0a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0z`;

const outlines: Readonly<Record<PinKind, string>> = {
  mark: "M0 -6.5L6.5 0L0 6.5L-6.5 0z",
  snapshot: "M-4.5 -4.5H4.5V4.5H-4.5z",
  proven: disc,
  failed: "M-5.5 -5.5H5.5V5.5H-5.5z",
};

const strokes: Readonly<Partial<Record<PinKind, string>>> = {
  proven: "M-2.8 0.2L-0.8 2.4L3 -2.2",
  failed: "M-2.5 -2.5L2.5 2.5M2.5 -2.5L-2.5 2.5",
};
