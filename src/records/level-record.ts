/** What a `level` record says: how far a volume's points are from each other from here on, and that an interval ends here. */
import { levelSecondsMax } from "#src/core/limits.ts";
import { decodeExtra } from "./record.ts";

/** In seconds; 0: every write is one. */
export const everyWriteLevel = 0;

export interface LevelChange {
  readonly seconds: number;
  readonly previousSeconds: number;
}

/** Undefined: nothing of this kind. */
export function levelSaid(extra: Buffer): number | undefined {
  const seconds = decodeExtra(extra)?.seconds;
  return isLevel(seconds) ? seconds : undefined;
}

export function isLevel(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= levelSecondsMax;
}
