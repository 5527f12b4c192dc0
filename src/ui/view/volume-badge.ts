/** How a volume is, in a word or two; where nothing is heard of it, how it was last. */
import { type ComponentChild, h } from "preact";
import { groupOf, isCurrent, type PageState } from "../page-state.ts";
import type { ShownVolume } from "../shown-volumes.ts";
import { volumeHealth } from "../volume-health.ts";

export function volumeBadge(state: PageState, volume: ShownVolume): ComponentChild {
  const { status } = state;
  const { kind, words } = volumeHealth(volume, status === undefined ? undefined : groupOf(status, volume));
  if (!isCurrent(state, volume)) return h("span", { class: "badge" }, `was ${words}`);
  return h("span", { class: `badge ${kind}` }, words);
}
