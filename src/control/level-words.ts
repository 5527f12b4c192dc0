/** Levels as people write them: `every-write`, or the time between points. */
import { formatDuration, parseDuration } from "#src/core/duration.ts";
import { RefuseError } from "#src/core/errors.ts";
import { levelSecondsMax } from "#src/core/limits.ts";
import { everyWriteLevel } from "#src/records/level-record.ts";

const everyWrite = "every-write";

export interface VolumeLevel {
  readonly volume: string;
  readonly group: string;
  /** As it is written. */
  readonly level: string;
  readonly seconds: number;
  /** Other volumes of the group whose points are closer to each other: these count for all of them. */
  readonly finer: readonly string[];
}

export function levelOfWords(words: string): number {
  const seconds = words === everyWrite ? everyWriteLevel : parseDuration(words);
  if (seconds !== undefined && seconds <= levelSecondsMax) return seconds;
  throw new RefuseError(
    `a level is ${everyWrite}, or a time up to ${formatDuration(levelSecondsMax)} such as 10s, 1m or 1h, unlike '${words}'`,
  );
}

export function wordsOfLevel(seconds: number): string {
  return seconds === everyWriteLevel ? everyWrite : formatDuration(seconds);
}
