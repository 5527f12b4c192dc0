/** How far the points of a volume are from each other, and between what one may choose. */
import type { GroupReport } from "#src/control/readiness.ts";
import { formatDuration } from "#src/core/duration.ts";

type LevelFacts = Pick<GroupReport, "volumeNames" | "levels">;

export interface LevelChoice {
  readonly seconds: number;
  /** As it is asked for. */
  readonly level: string;
  readonly label: string;
}

/** 0: each write is a point. */
const usualSeconds = [0, 10, 60, 3600, 86_400];

export function levelOf({ levels = [] }: LevelFacts, volume: string): number {
  return levels.find((one) => one.volume === volume)?.seconds ?? 0;
}

/** The present one is among them, whatever it is. */
export function levelChoices(presentSeconds: number): readonly LevelChoice[] {
  const all = [...new Set([...usualSeconds, presentSeconds])].sort((one, other) => one - other);
  return all.map((seconds) => ({
    seconds,
    level: seconds === 0 ? "every-write" : formatDuration(seconds),
    label: seconds === 0 ? "every write" : exactSpan(seconds),
  }));
}

export function levelWords(group: LevelFacts, volume: string): string {
  const seconds = levelOf(group, volume);
  if (seconds === 0) return "Each write is a point.";
  const finer = group.volumeNames.filter((other) => other !== volume && levelOf(group, other) < seconds);
  const closer = finer.length === 0 ? "" : `; ${finer.join(", ")} of its group keep closer ones, which count for all`;
  return `One point is left for each ${exactSpan(seconds)}${closer}.`;
}

/** `10 s`, `1 min`, `1 h`, `1 d`. */
function exactSpan(seconds: number): string {
  return formatDuration(seconds).replace(/[smhd]$/, (unit) => (unit === "m" ? " min" : ` ${unit}`));
}

/** With its group's, where another group has, or has had, a volume of the name. */
export function unambiguousName(
  groups: readonly Pick<GroupReport, "volumeNames">[],
  group: string,
  volume: string,
): string {
  const isShared = groups.filter(({ volumeNames }) => volumeNames.includes(volume)).length > 1;
  return isShared ? `${group}/${volume}` : volume;
}
