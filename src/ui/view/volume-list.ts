/** All volumes: mode, lag, throughput, and how far back each can go. */
import { type ComponentChild, h } from "preact";
import type { PageState } from "../page-state.ts";
import { type ShownVolume, shownVolumes } from "../shown-volumes.ts";
import { rowsOf } from "../volume-figures.ts";
import { volumeBadge } from "./volume-badge.ts";

interface ListParts {
  readonly state: PageState;
  /** By its reference. */
  readonly selected: string | undefined;
}

export function VolumeList({ state, selected }: ListParts): ComponentChild {
  const volumes = state.status === undefined ? [] : shownVolumes(state.status);
  return h(
    "nav",
    { "aria-label": "Volumes" },
    h(
      "ul",
      { class: "volumes side" },
      volumes.map((volume) =>
        h("li", { key: volume.reference }, h(VolumeLink, { state, volume, isSelected: volume.reference === selected })),
      ),
    ),
  );
}

function VolumeLink({
  state,
  volume,
  isSelected,
}: {
  state: PageState;
  volume: ShownVolume;
  isSelected: boolean;
}): ComponentChild {
  const { reference } = volume;
  return h(
    "a",
    {
      class: "volume-link",
      href: `#/volumes/${encodeURIComponent(reference)}`,
      ...(isSelected ? { "aria-current": "page" as const } : {}),
    },
    h("span", { class: "between" }, h("span", { class: "name" }, reference), volumeBadge(state, volume)),
    h(
      "dl",
      null,
      rowsOf(state, volume).map(([title, words]) => [
        h("dt", { key: `t${title}` }, title),
        h("dd", { key: title }, words),
      ]),
    ),
  );
}
