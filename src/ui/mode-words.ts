/** In which mode a group is, and on which way, in words. */
import type { GroupFacts } from "#src/control/role.ts";
import { countInWords, sentence } from "./words.ts";

type ModeFacts = Pick<GroupFacts, "mode" | "wantedMode" | "state" | "lagRecords" | "why" | "lastSwitches">;

const promises: Readonly<Record<string, string>> = {
  sync: "Losing either site loses nothing that was flushed.",
  async: "Losing this site loses no more than the lag.",
  aggregated: "As async; points lie where aggregates end.",
};

export function modeWords({ mode, wantedMode, state, lagRecords, why, lastSwitches }: ModeFacts): string {
  const target = wantedMode === "auto" ? undefined : wantedMode;
  if (state === "draining") return `On the way to sync: ${countInWords(lagRecords)} records are still to be durable.`;
  if (target !== undefined && target !== mode) return `${mode} now, ${target} as soon as that can be${because(why)}.`;
  if (state === "suspended" || state === "stalled") return `${sentence(why ?? state)}.`;
  const promise = promises[mode] ?? "";
  return wantedMode === "auto" ? `Chosen by auto: ${mode}${because(reasonOfAuto(lastSwitches))}. ${promise}` : promise;
}

const byAuto = "auto: ";

/** Of the switch that led to where it is now; undefined: that one was none of auto's. */
function reasonOfAuto(switches: ModeFacts["lastSwitches"] = []): string | undefined {
  const why = switches.at(-1)?.why;
  return why?.startsWith(byAuto) ? why.slice(byAuto.length) : undefined;
}

function because(why: string | undefined): string {
  return why === undefined ? "" : ` (${why})`;
}
