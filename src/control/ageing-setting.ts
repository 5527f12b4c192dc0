/** The setting for points that become fewer as they grow older: `24h 1m, 7d 1h, 30d 1d`. */
import { formatDuration, parseDuration } from "#src/core/duration.ts";
import { levelSecondsMax } from "#src/core/limits.ts";
import type { AgeingPolicy } from "#src/synth/ageing-plan.ts";
import { notUnderstood, type Setting } from "./setting.ts";

/** From which age on points are so far from each other. */
export interface LevelOfAge {
  readonly ageSeconds: number;
  readonly levelSeconds: number;
}

export interface AgedRetention {
  readonly levels: readonly LevelOfAge[];
  readonly marksSeconds: number;
  readonly quiescedMarksSeconds: number;
}

/** As the store's keeper wants it. */
export function ageingPolicy(config: { readonly store: { readonly retention: AgedRetention } }): AgeingPolicy {
  const { levels, marksSeconds, quiescedMarksSeconds } = config.store.retention;
  const steps = levels.map(({ ageSeconds, levelSeconds }) => ({ afterMicros: ageSeconds * 1e6, level: levelSeconds }));
  return { steps, marks: { quiescedMicros: quiescedMarksSeconds * 1e6, otherMicros: marksSeconds * 1e6 } };
}

const none = "none";
const stepsMax = 8;

export function levelsOfAge(fallback: readonly LevelOfAge[], description: string): Setting<readonly LevelOfAge[]> {
  return {
    kind: "setting",
    fallback,
    description,
    shape: `ages with the time between points, both ever longer, such as 24h 1m, 7d 1h, parted by commas, or ${none}`,
    secret: false,
    parse: (written) => (written === none ? [] : (parsed(written) ?? notUnderstood)),
    print: (levels) => (levels.length === 0 ? none : levels.map(printed).join(", ")),
  };
}

function parsed(written: string): readonly LevelOfAge[] | undefined {
  const levels: LevelOfAge[] = [];
  for (const item of written.split(",")) {
    const [age = "", level = "", ...more] = item.trim().split(/\s+/);
    const [ageSeconds, levelSeconds] = [parseDuration(age), parseDuration(level)];
    const last = levels.at(-1);
    if (ageSeconds === undefined || levelSeconds === undefined || more.length > 0) return undefined;
    const isLater = last === undefined || (ageSeconds > last.ageSeconds && isMultiple(levelSeconds, last.levelSeconds));
    if (!isLater || levelSeconds > levelSecondsMax) return undefined;
    levels.push({ ageSeconds, levelSeconds });
  }
  return levels.length <= stepsMax ? levels : undefined;
}

/** Otherwise points of the coarser level would be none of the finer one, and gone already. */
function isMultiple(level: number, ofLevel: number): boolean {
  return level > ofLevel && level % ofLevel === 0;
}

function printed({ ageSeconds, levelSeconds }: LevelOfAge): string {
  return `${formatDuration(ageSeconds)} ${formatDuration(levelSeconds)}`;
}
