/** How far a long work is, in one line of a terminal. Pure. */
import type { JobProgress } from "#src/control/job.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";

const barCharacters = 24;

export function progressLine(progress: JobProgress, widthCharacters: number): string {
  const { what, done, total, unit, bytesPerSecond, secondsLeft } = progress;
  const amount = (value: number): string => (unit === "bytes" ? roundedByteSize(value) : String(value));
  const counted = unit === "bytes" ? "" : ` ${unit}`;
  const share = total === undefined ? undefined : Math.min(1, done / total);
  const bar =
    share === undefined ? "" : `[${"#".repeat(Math.round(share * barCharacters)).padEnd(barCharacters, "-")}] `;
  const far =
    share === undefined
      ? amount(done) + counted
      : `${Math.floor(share * 100)} %, ${amount(done)} of ${amount(total ?? 0)}${counted}`;
  const speed = bytesPerSecond > 0 ? `, ${roundedByteSize(bytesPerSecond)}/s` : "";
  const left = secondsLeft === undefined ? "" : `, ${durationText(secondsLeft)} left`;
  return `${bar}${what}: ${far}${speed}${left}`.slice(0, Math.max(0, widthCharacters - 1));
}

export function durationText(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
