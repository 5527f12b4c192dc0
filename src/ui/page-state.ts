/** All that the page knows, and how what it hears changes it. Pure: plain values in, plain values out. */
import type { StatusReport } from "#src/control/control-plane.ts";
import type { GroupReport } from "#src/control/readiness.ts";
import type { SideName } from "#src/control/side.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { type EventLog, noEvents } from "./event-log.ts";
import { noSeries, type Series, withSample } from "./rates.ts";
import { type ShownVolume, shownVolumes } from "./shown-volumes.ts";

export type Connection =
  | { readonly kind: "first" }
  | { readonly kind: "live" }
  /** Nothing comes by itself: it is asked for now and then. */
  | { readonly kind: "asking" }
  | { readonly kind: "lost"; readonly sinceMs: number; readonly againAtMs: number };

export interface PageState {
  /** A token is needed; `refused`: the one that was given does not hold; `offered`: more may be done with one. */
  readonly login: "none" | "needed" | "refused" | "offered";
  /** Whether whoever looks may also order. */
  readonly mayOperate: boolean;
  readonly connection: Connection;
  readonly status: StatusReport | undefined;
  /** When it came. */
  readonly statusMs: number;
  /** By the names of the volumes that are protected here. */
  readonly series: ReadonlyMap<string, Series>;
  readonly log: EventLog;
  readonly views: readonly ViewFacts[];
  /** Of volumes that were looked at, by references: what can be restored. Undefined: nothing of it is at the remote. */
  readonly windows: ReadonlyMap<string, VolumeWindow | undefined>;
}

export interface VolumeWindow {
  /** Undefined: there is no point yet. */
  readonly fromMs: number | undefined;
  readonly newestSeq: number;
  readonly newestMs: number;
}

export const firstState: PageState = {
  login: "none",
  mayOperate: true,
  connection: { kind: "first" },
  status: undefined,
  statusMs: 0,
  series: new Map(),
  log: noEvents,
  views: [],
  windows: new Map(),
};

export function withStatus(state: PageState, status: StatusReport, atMs: number): PageState {
  // What was told before tells of no writes, and that is not that there were none.
  if (isSilent(status, "local")) return { ...state, status, statusMs: atMs };
  const series = new Map(
    status.volumes.map((volume) => {
      const { writeBytes, readBytes, writes } = volume;
      const { lagBytes = 0, lagSeconds = 0 } = groupOf(status, volume) ?? {};
      const before = state.series.get(volume.name) ?? noSeries;
      return [volume.name, withSample(before, { atMs, writeBytes, readBytes, writes, lagBytes, lagSeconds })] as const;
    }),
  );
  return { ...state, status, statusMs: atMs, series };
}

function isSilent({ silent }: StatusReport, side: SideName): boolean {
  return silent.some((one) => one.side === side);
}

/** Whether what is shown of it is how it is now: otherwise it is what was known last. */
export function isCurrent(
  { connection, status }: Pick<PageState, "connection" | "status">,
  { isHistoryOnly }: Pick<ShownVolume, "isHistoryOnly">,
): boolean {
  if (connection.kind === "lost" || status === undefined) return false;
  return !isSilent(status, isHistoryOnly ? "remote" : "local");
}

/** None where it is another one than that of the volume, which has only its name. */
export function groupOf(
  status: Pick<StatusReport, "groups">,
  { group, groupId }: Pick<ShownVolume, "group"> & Partial<Pick<ShownVolume, "groupId">>,
): GroupReport | undefined {
  return status.groups.find(({ id, name }) => name === group && (groupId === undefined || groupId === id));
}

/** The one that the address names, or the first. */
export function selectedVolume({ status }: PageState, hash: string): ShownVolume | undefined {
  const [, words] = /^#\/volumes\/([^/]+)$/.exec(hash) ?? [];
  const volumes = status === undefined ? [] : shownVolumes(status);
  const wanted = words === undefined ? undefined : decodedName(words);
  // An address may be older than the other volume of its name.
  const isNamed = ({ name, group }: ShownVolume): boolean => wanted === name || wanted === `${group}/${name}`;
  return volumes.find(({ reference }) => reference === wanted) ?? volumes.find(isNamed) ?? volumes[0];
}

function decodedName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export type Health = { readonly kind: "good" | "warn" | "bad"; readonly words: string };

export function healthOf({ connection, status, login }: PageState): Health {
  if (connection.kind === "lost") return { kind: "bad", words: "connection lost" };
  if (login !== "none") return { kind: "warn", words: "a token is needed" };
  if (status === undefined) return { kind: "warn", words: "connecting" };
  if (!status.ready) return { kind: "bad", words: "not ready" };
  return status.problems.length > 0
    ? { kind: "warn", words: "ready, with problems" }
    : { kind: "good", words: "all well" };
}

/** What must be read first. */
export function troublesOf(status: StatusReport): readonly string[] {
  return [...(status.why === undefined ? [] : [status.why]), ...status.problems];
}
