/** Numbers and times as the page says them. */
import { roundedByteSize } from "#src/core/byte-size.ts";
import { roundedDuration } from "#src/core/duration.ts";

/** With thin gaps between groups of three. */
export function countInWords(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export function bytesInWords(bytes: number): string {
  return roundedByteSize(Math.max(0, Math.round(bytes)));
}

export function rateInWords(bytesPerSecond: number): string {
  return bytesPerSecond < 1 ? "idle" : `${bytesInWords(bytesPerSecond)}/s`;
}

/** Of seconds that somebody waits for or looks back on: `0.4 s`, `12 s`, `3 min`, `36 h`, `10 d`. */
export function spanInWords(seconds: number): string {
  if (seconds < 0.05) return "0 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const rounded = roundedDuration(seconds);
  const unit = { s: "s", m: "min", h: "h", d: "d" }[rounded.slice(-1)] ?? "";
  return `${rounded.slice(0, -1)} ${unit}`;
}

export interface LagFacts {
  readonly lagRecords: number;
  readonly lagBytes: number;
  readonly lagSeconds: number;
}

export function lagInWords({ lagRecords, lagSeconds }: LagFacts): string {
  return lagRecords === 0 ? "none" : spanInWords(lagSeconds);
}

export function lagDetailInWords({ lagRecords, lagBytes }: LagFacts): string {
  if (lagRecords === 0) return "all of it is at the remote";
  return `${countInWords(lagRecords)} ${lagRecords === 1 ? "record" : "records"}, ${bytesInWords(lagBytes)}`;
}

/** How far the one moment is before the other. */
export function agoInWords(ms: number, nowMs: number): string {
  const seconds = (nowMs - ms) / 1000;
  if (seconds < 1) return "just now";
  return `${spanInWords(seconds)} ago`;
}

/** In the place's own time: `14:05:09`. */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** `2026-11-22 14:05:09.123`. */
export function exactTime(ms: number): string {
  return `${dayOf(ms)} ${clockTime(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
}

export function dayOf(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** The first letter is a capital. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
