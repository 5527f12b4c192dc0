/** Two points of a volume in one word, as `disk@mark:monday..now`. */
import { isName } from "#src/control/name.ts";
import { RefuseError } from "#src/core/errors.ts";
import { parsePoint } from "#src/synth/point-words.ts";
import { UsageError } from "./command.ts";

export interface PointPair {
  readonly volume: string;
  readonly from: string;
  readonly to: string;
}

/** Names of marks may have dots of their own: what leaves a point on either side parts the two. No name has a colon, so just one does. */
export function pointPair(words: string): PointPair {
  const [, volume, points = ""] = /^(.+?)@(.+)$/s.exec(words) ?? [];
  const pairs = [...points.matchAll(/(?=\.\.)/g)]
    .map(({ index }) => ({ from: points.slice(0, index), to: points.slice(index + 2) }))
    .filter(({ from, to }) => from !== "" && to !== "");
  // Where no parting does, the first says best what is no point.
  const pair = pairs.find(({ from, to }) => mayBePoint(from) && mayBePoint(to)) ?? pairs[0];
  if (volume === undefined || pair === undefined) {
    throw new UsageError(`diff takes VOLUME@A..B, two points of a volume, not '${words}'`);
  }
  return { volume, ...pair };
}

function mayBePoint(words: string): boolean {
  try {
    const wanted = parsePoint(words, 0);
    return wanted.by !== "mark" || isName(wanted.name);
  } catch (error) {
    if (error instanceof RefuseError) return false;
    throw error;
  }
}
