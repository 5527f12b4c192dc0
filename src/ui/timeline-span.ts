/** Which part of a history is looked at: so long back from now, all of it, or a part that was moved to. */
import type { TimeSpan } from "./time-scale.ts";

export interface SpanChoice {
  /** Undefined: all that there is. */
  readonly seconds: number | undefined;
  /** Where it ends; undefined: now, and it goes on. */
  readonly endMs: number | undefined;
}

export const spanPresets = [
  { words: "5 min", seconds: 300 },
  { words: "1 h", seconds: 3600 },
  { words: "1 day", seconds: 86_400 },
  { words: "7 days", seconds: 604_800 },
  { words: "All", seconds: undefined },
] as const;

/** Of what is yet to come, so that the newest does not stick to the edge. */
const marginShare = 0.02;
const shortestMs = 10_000;

export function spanOf({ seconds, endMs }: SpanChoice, nowMs: number, oldestMs: number | undefined): TimeSpan {
  const allMs = Math.max(60_000, nowMs - (oldestMs ?? nowMs));
  const lengthMs = seconds === undefined ? allMs * 1.02 : seconds * 1000;
  const toMs = endMs ?? nowMs + lengthMs * marginShare;
  return { fromMs: toMs - lengthMs, toMs };
}

/** By a share of its length: later, or where that is less than 0 earlier. It ends no later than now. */
export function moved(share: number, span: TimeSpan, nowMs: number): SpanChoice {
  const length = span.toMs - span.fromMs;
  const endMs = span.toMs + share * length;
  return { seconds: length / 1000, endMs: endMs >= nowMs + length * marginShare ? undefined : endMs };
}

/** Shorter or longer about a moment, which stays where it is seen. */
export function zoomed(factor: number, aboutMs: number, span: TimeSpan, nowMs: number): SpanChoice {
  const length = Math.max(shortestMs, (span.toMs - span.fromMs) * factor);
  const share = (aboutMs - span.fromMs) / (span.toMs - span.fromMs);
  const endMs = aboutMs + (1 - share) * length;
  return { seconds: length / 1000, endMs: endMs >= nowMs ? undefined : endMs };
}

/** How often the picture of a span is worth asking for anew. */
export function refreshMs({ fromMs, toMs }: TimeSpan): number {
  return Math.min(30_000, Math.max(1000, (toMs - fromMs) / 200));
}
