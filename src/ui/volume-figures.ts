/** The figures of a volume that are looked at first, in words. What is not known is said to be that: it is neither nothing nor none. */
import { windowSeconds } from "#src/control/protection-window.ts";
import type { GroupReport } from "#src/control/readiness.ts";
import { groupOf, isCurrent, type PageState } from "./page-state.ts";
import type { ShownVolume } from "./shown-volumes.ts";
import {
  agoInWords,
  countInWords,
  exactTime,
  lagDetailInWords,
  lagInWords,
  rateInWords,
  spanInWords,
} from "./words.ts";

export interface Figure {
  readonly title: string;
  readonly words: string;
  /** Below it, smaller. */
  readonly more: string;
}

const unknown = "not known";
const remoteElsewhere = { words: "elsewhere", more: "the remote appliance runs elsewhere" } as const;

export function figuresOf(state: PageState, volume: ShownVolume, nowMs: number): readonly Figure[] {
  const group = groupIn(state, volume);
  return [
    { title: "Lag behind", words: lagWords(group), more: lagMore(group) },
    { title: "Written now", words: writtenInWords(state, volume), more: hostsInWords(state, volume) },
    { title: "Protection window", ...windowFigure(state, volume) },
    { title: "Newest durable", ...newestFigure(state, volume, nowMs) },
  ];
}

/** The same in a list: without what is below. */
export function rowsOf(state: PageState, volume: ShownVolume): readonly (readonly [string, string])[] {
  const group = groupIn(state, volume);
  return [
    ["Mode", group?.mode ?? "elsewhere"],
    ["Lag", lagWords(group)],
    ["Written", writtenInWords(state, volume)],
    ["Reaches back", windowFigure(state, volume).words],
  ];
}

function groupIn({ status }: PageState, volume: ShownVolume): GroupReport | undefined {
  return status === undefined ? undefined : groupOf(status, volume);
}

function lagWords(group: GroupReport | undefined): string {
  return group === undefined ? "elsewhere" : lagInWords(group);
}

function lagMore(group: GroupReport | undefined): string {
  if (group === undefined) return "the local appliance runs elsewhere";
  return group.linkUp
    ? lagDetailInWords(group)
    : `the link is down${group.linkWhy === undefined ? "" : `: ${group.linkWhy}`}`;
}

function writtenInWords(state: PageState, volume: ShownVolume): string {
  if (volume.isHistoryOnly) return "elsewhere";
  const last = state.series.get(volume.name)?.points.at(-1);
  return last === undefined || !isCurrent(state, volume) ? unknown : rateInWords(last.writeBytesPerSecond);
}

function hostsInWords(state: PageState, volume: ShownVolume): string {
  if (volume.isHistoryOnly) return "";
  const hosts = volume.connections === 1 ? "1 connection" : `${countInWords(volume.connections)} connections`;
  const last = state.series.get(volume.name)?.points.at(-1);
  if (!isCurrent(state, volume)) return `${hosts} when it was heard of last`;
  return last === undefined ? hosts : `${countInWords(last.writesPerSecond)} writes/s, ${hosts}`;
}

function windowFigure(state: PageState, volume: ShownVolume): Omit<Figure, "title"> {
  const { windows, status } = state;
  const window = windows.get(volume.reference);
  if (window?.fromMs !== undefined) {
    const words = spanInWords((window.newestMs - window.fromMs) / 1000);
    return { words, more: `since ${exactTime(window.fromMs).slice(0, 19)}` };
  }
  if (windows.has(volume.reference)) return { words: "not yet", more: "no point yet" };
  if (status !== undefined && !status.roles.includes("remote")) return remoteElsewhere;
  const seconds = groupWindowSeconds(state, volume);
  return { words: seconds === undefined ? unknown : spanInWords(seconds), more: "" };
}

/** Of its group, as the store has it; that of the volume itself is known when somebody looks at it. */
function groupWindowSeconds({ status }: PageState, { group, groupId }: ShownVolume): number | undefined {
  const isIts = (one: { readonly id: string; readonly name: string }): boolean =>
    groupId === undefined ? one.name === group : one.id === groupId;
  const [found, another] = (status?.remoteGroups ?? []).filter(isIts);
  if (found === undefined || another !== undefined) return undefined;
  const window = status?.store?.state?.windows.find((one) => one.group === found.id);
  return window === undefined ? undefined : windowSeconds(window, found);
}

function newestFigure({ windows, status }: PageState, volume: ShownVolume, nowMs: number): Omit<Figure, "title"> {
  const window = windows.get(volume.reference);
  if (window !== undefined) {
    return { words: `seq ${countInWords(window.newestSeq)}`, more: agoInWords(window.newestMs, nowMs) };
  }
  if (windows.has(volume.reference)) return { words: "none yet", more: "nothing is at the remote" };
  return status !== undefined && !status.roles.includes("remote") ? remoteElsewhere : { words: unknown, more: "" };
}
