/** A point as people name it: `now`, `seq:123`, an ISO time, `-5m`, `mark:NAME`, `snap:SEQ`. */
import { RefuseError } from "#src/core/errors.ts";

export type WantedPoint =
  | { readonly by: "now" }
  | { readonly by: "seq"; readonly seq: number }
  | { readonly by: "snapshot"; readonly seq: number }
  | { readonly by: "time"; readonly timeMicros: number }
  | { readonly by: "mark"; readonly name: string };

const unitMicros: Readonly<Record<string, number>> = {
  s: 1e6,
  m: 60e6,
  h: 3600e6,
  d: 86_400e6,
  w: 604_800e6,
};

/** Throws a `RefuseError` for what is no such words. */
export function parsePoint(words: string, nowMicros: number): WantedPoint {
  if (words === "now") return { by: "now" };
  const [, kind, rest = ""] = /^(seq|snap|mark):(.*)$/s.exec(words) ?? [];
  if (kind === "mark" && rest !== "") return { by: "mark", name: rest };
  if (kind === "seq" || kind === "snap") {
    const seq = wholeNumber(rest);
    if (seq === undefined) throw noWords(words);
    return kind === "seq" ? { by: "seq", seq } : { by: "snapshot", seq };
  }
  const ago = /^-(\d{1,9})([smhdw])$/.exec(words);
  if (ago !== null) {
    const micros = Number(ago[1]) * (unitMicros[ago[2] as string] as number);
    return { by: "time", timeMicros: Math.max(0, nowMicros - micros) };
  }
  const timeMicros = microsOf(words);
  if (timeMicros === undefined) throw noWords(words);
  return { by: "time", timeMicros };
}

function wholeNumber(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A day, or a time with where it is: without that two people would mean two moments. */
const iso = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,6})\d*)?(Z|[+-]\d{2}:\d{2}))?$/;

function microsOf(words: string): number | undefined {
  const match = iso.exec(words);
  if (match === null) return undefined;
  const [, day, time = "00:00", fraction = "", zone = "Z"] = match;
  const ms = Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${zone}`);
  if (Number.isNaN(ms) || !isDay(day as string)) return undefined;
  return ms * 1000 + Number(fraction.padEnd(6, "0"));
}

/** What is no day of its month would be taken for one of the next. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

function noWords(words: string): RefuseError {
  const forms = "now, seq:123, mark:NAME, snap:SEQ, -5m (s, m, h, d or w), or a time as 2026-01-31T12:00:00Z";
  return new RefuseError(`'${words.slice(0, 100)}' names no point; a point is ${forms}`);
}
