/** The four figures of a volume that are looked at first. */
import { type ComponentChild, h } from "preact";
import type { PageState } from "../page-state.ts";
import type { ShownVolume } from "../shown-volumes.ts";
import { figuresOf } from "../volume-figures.ts";

interface FigureParts {
  readonly state: PageState;
  readonly volume: ShownVolume;
  readonly nowMs: number;
}

export function Figures({ state, volume, nowMs }: FigureParts): ComponentChild {
  return h(
    "dl",
    { class: "figures" },
    figuresOf(state, volume, nowMs).map(({ title, words, more }) =>
      h("div", { key: title }, h("dt", null, title), h("dd", null, words, h("small", null, more))),
    ),
  );
}
