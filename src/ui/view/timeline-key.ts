/** What the shapes of the timeline stand for. */
import { type ComponentChild, h } from "preact";
import type { PinKind, StripKind } from "../timeline-shape.ts";
import { pinGlyph } from "./pin-glyph.ts";

const stripHeights: Readonly<Record<StripKind, number>> = {
  "level-write": 14,
  "level-aggregate": 9,
  "level-folded": 6,
  "no-points": 14,
};

export function TimelineKey({ kinds }: { readonly kinds: ReadonlySet<StripKind | PinKind> }): ComponentChild {
  const strip = (kind: StripKind, words: string) =>
    kinds.has(kind) &&
    h(
      "span",
      { key: kind },
      h(
        "svg",
        { viewBox: "0 0 14 14", "aria-hidden": "true" },
        h("rect", { class: kind, x: 1, y: 14 - stripHeights[kind], width: 12, height: stripHeights[kind], rx: 2 }),
      ),
      words,
    );
  const pin = (kind: PinKind, words: string) =>
    kinds.has(kind) &&
    h(
      "span",
      { key: kind },
      h("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true" }, pinGlyph(kind, 0, 0, words)),
      words,
    );
  return h(
    "p",
    { class: "key" },
    strip("level-write", "every write is a point"),
    strip("level-aggregate", "every aggregate"),
    strip("level-folded", "one in an interval"),
    strip("no-points", "no points"),
    pin("mark", "mark"),
    pin("snapshot", "snapshot"),
    pin("proven", "proven"),
    pin("failed", "failed its drill"),
  );
}
