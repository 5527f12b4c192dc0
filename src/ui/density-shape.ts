/** How densely a volume was written to, as one shape: a bar for each bucket. */
import { type TimeSpan, xOf } from "./time-scale.ts";

export interface Buckets {
  readonly span: TimeSpan;
  readonly bytes: readonly number[];
  readonly writes: readonly number[];
  readonly lastSeqs: readonly number[];
}

export interface DensityBox {
  /** What is seen, which need not be what the buckets are of. */
  readonly span: TimeSpan;
  readonly width: number;
  readonly top: number;
  readonly height: number;
}

/** Of a bar that stands for anything at all. */
const leastHeight = 2;

/** A path. The height is the root of what was written, so that a single write is seen beside a flood. */
export function densityPath(buckets: Buckets, { span, width, top, height }: DensityBox): string {
  const weights = weightsOf(buckets);
  const most = Math.max(...weights, 0);
  if (most === 0) return "";
  const bucketMs = (buckets.span.toMs - buckets.span.fromMs) / weights.length;
  const bottom = top + height;
  const parts: string[] = [];
  for (const [index, weight] of weights.entries()) {
    if (weight === 0) continue;
    const fromMs = buckets.span.fromMs + index * bucketMs;
    const left = Math.max(0, xOf(fromMs, span, width));
    const right = Math.min(width, xOf(fromMs + bucketMs, span, width));
    if (right <= left) continue;
    const bar = Math.max(leastHeight, Math.sqrt(weight / most) * height);
    const gap = right - left > 3 ? 0.75 : 0;
    parts.push(`M${digits(left)} ${bottom}V${digits(bottom - bar)}H${digits(right - gap)}V${bottom}z`);
  }
  return parts.join("");
}

/** Bytes; where there are none a write counts a little, so that trims are seen. */
function weightsOf({ bytes, writes }: Buckets): number[] {
  return bytes.map((count, index) => Math.max(count, (writes[index] ?? 0) * 512));
}

/** Of the buckets that lie in the span whole or in part. */
export function writtenWithin({ span, bytes, writes }: Buckets, { fromMs, toMs }: TimeSpan) {
  const bucketMs = (span.toMs - span.fromMs) / bytes.length;
  const first = Math.max(0, Math.floor((fromMs - span.fromMs) / bucketMs));
  const end = Math.min(bytes.length, Math.ceil((toMs - span.fromMs) / bucketMs));
  const sum = (values: readonly number[]) => values.slice(first, end).reduce((all, one) => all + one, 0);
  return { bytes: sum(bytes), writes: sum(writes) };
}

function digits(value: number): string {
  return value.toFixed(1);
}
