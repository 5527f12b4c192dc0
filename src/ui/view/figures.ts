/** The four figures of a volume that are looked at first. */
import { type ComponentChild, h } from "preact";
import type { GroupReport } from "#src/control/readiness.ts";
import { groupOf, type PageState } from "../page-state.ts";
import type { ShownVolume } from "../shown-volumes.ts";
import { agoInWords, countInWords, exactTime, lagDetailInWords, lagInWords, rateInWords } from "../words.ts";
import { windowInWords } from "./volume-list.ts";

interface FigureParts {
  readonly state: PageState;
  readonly volume: ShownVolume;
  readonly nowMs: number;
}

export function Figures({ state, volume, nowMs }: FigureParts): ComponentChild {
  const group = state.status === undefined ? undefined : groupOf(state.status, volume);
  const last = state.series.get(volume.name)?.points.at(-1);
  const window = state.windows.get(volume.name);
  const hosts = volume.connections === 1 ? "1 connection" : `${countInWords(volume.connections)} connections`;
  const figures = [
    { title: "Lag behind", words: group === undefined ? "elsewhere" : lagInWords(group), more: lagMore(group) },
    {
      title: "Written now",
      words: volume.isHistoryOnly ? "elsewhere" : rateInWords(last?.writeBytesPerSecond ?? 0),
      more: volume.isHistoryOnly ? "" : `${countInWords(last?.writesPerSecond ?? 0)} writes/s, ${hosts}`,
    },
    {
      title: "Protection window",
      words: windowInWords(state, volume.name),
      more: window?.fromMs === undefined ? "no point yet" : `since ${exactTime(window.fromMs).slice(0, 19)}`,
    },
    {
      title: "Newest durable",
      words: window === undefined ? "none yet" : `seq ${countInWords(window.newestSeq)}`,
      more: window === undefined ? "nothing is at the remote" : agoInWords(window.newestMs, nowMs),
    },
  ];
  return h(
    "dl",
    { class: "figures" },
    figures.map(({ title, words, more }) =>
      h("div", { key: title }, h("dt", null, title), h("dd", null, words, h("small", null, more))),
    ),
  );
}

function lagMore(group: GroupReport | undefined): string {
  if (group === undefined) return "the local appliance runs elsewhere";
  return group.linkUp
    ? lagDetailInWords(group)
    : `the link is down${group.linkWhy === undefined ? "" : `: ${group.linkWhy}`}`;
}
