/** The scrubber: a moment in a span, moved by keys, and said in words. */
import type { Buckets } from "./density-shape.ts";
import { clampMs, spanMs, type TimeSpan } from "./time-scale.ts";
import { countInWords, exactTime, spanInWords } from "./words.ts";

/** Of the span: what an arrow moves by, and what a page does. */
const arrowShare = 1 / 200;
const pageShare = 1 / 10;

/** Undefined: the key is none of the scrubber's. */
export function movedByKey(key: string, atMs: number, span: TimeSpan, stops: readonly number[]): number | undefined {
  const length = spanMs(span);
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return clampMs(atMs - length * arrowShare, span);
    case "ArrowRight":
    case "ArrowUp":
      return clampMs(atMs + length * arrowShare, span);
    case "PageDown":
      return clampMs(atMs - length * pageShare, span);
    case "PageUp":
      return clampMs(atMs + length * pageShare, span);
    case "Home":
      return span.fromMs;
    case "End":
      return span.toMs;
    case "[":
      return (
        stops
          .filter((stop) => stop < atMs - 1 && stop >= span.fromMs)
          .sort(ascending)
          .at(-1) ?? atMs
      );
    case "]":
      return stops.filter((stop) => stop > atMs + 1 && stop <= span.toMs).sort(ascending)[0] ?? atMs;
    default:
      return undefined;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** The last record of the volume that the picture knows of at that moment; undefined: it knows of none. */
export function seqBefore({ span, lastSeqs }: Buckets, atMs: number): number | undefined {
  const bucketMs = spanMs(span) / lastSeqs.length;
  const last = Math.min(lastSeqs.length - 1, Math.floor((atMs - span.fromMs) / bucketMs));
  for (let index = last; index >= 0; index--) {
    const seq = lastSeqs[index] ?? 0;
    if (seq > 0) return seq;
  }
  return undefined;
}

/** For who does not see the picture. */
export function momentInWords(atMs: number, nowMs: number, seq: number | undefined, stop: string | undefined): string {
  const seconds = (nowMs - atMs) / 1000;
  const ago = seconds < 1 ? "now" : `${spanInWords(seconds)} before now`;
  const record = seq === undefined ? "" : `, about record ${countInWords(seq)}`;
  return `${exactTime(atMs).slice(0, 19)}, ${ago}${record}${stop === undefined ? "" : `, ${stop}`}`;
}
