/** All volumes: mode, lag, throughput, and how far back each can go. */
import { type ComponentChild, h } from "preact";
import { groupOf, type PageState } from "../page-state.ts";
import { type ShownVolume, shownVolumes } from "../shown-volumes.ts";
import { lagInWords, rateInWords, spanInWords } from "../words.ts";
import { volumeBadge } from "./volume-badge.ts";

interface ListParts {
  readonly state: PageState;
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
        h(
          "li",
          { key: `${volume.group}/${volume.name}` },
          h(VolumeLink, { state, volume, isSelected: volume.name === selected }),
        ),
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
  const { name } = volume;
  const group = state.status === undefined ? undefined : groupOf(state.status, volume);
  const rate = state.series.get(name)?.points.at(-1)?.writeBytesPerSecond ?? 0;
  const rows = [
    ["Mode", group?.mode ?? "elsewhere"],
    ["Lag", group === undefined ? "elsewhere" : lagInWords(group)],
    ["Written", volume.isHistoryOnly ? "elsewhere" : rateInWords(rate)],
    ["Reaches back", windowInWords(state, name)],
  ];
  return h(
    "a",
    {
      class: "volume-link",
      href: `#/volumes/${encodeURIComponent(name)}`,
      ...(isSelected ? { "aria-current": "page" as const } : {}),
    },
    h("span", { class: "between" }, h("span", { class: "name" }, name), volumeBadge(state, volume)),
    h(
      "dl",
      null,
      rows.map(([title, words]) => [h("dt", { key: `t${title}` }, title), h("dd", { key: title }, words)]),
    ),
  );
}

export function windowInWords({ windows }: PageState, name: string): string {
  const window = windows.get(name);
  if (window?.fromMs === undefined) return "not yet";
  return spanInWords((window.newestMs - window.fromMs) / 1000);
}
