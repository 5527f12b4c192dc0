/** What differs between two points, along the volume: added up, and as shapes. */
import type { DifferenceReport, DifferentRange } from "#src/control/difference.ts";

export interface FoundDifference {
  readonly ranges: readonly DifferentRange[];
  readonly sizeBytes: number;
  /** Where to ask for more; undefined: these are all. */
  readonly next: number | undefined;
}

const barWidth = 4;
/** Of a bar that stands for anything at all. */
const leastHeight = 2;

export function joined(before: FoundDifference | undefined, report: DifferenceReport): FoundDifference {
  return {
    ranges: [...(before?.ranges ?? []), ...report.ranges],
    sizeBytes: Math.max(report.from.sizeBytes, report.to.sizeBytes),
    next: report.next,
  };
}

export function bytesIn({ ranges }: Pick<FoundDifference, "ranges">): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}

/**
 * Of one kind, as a path: a bar for each part of the volume, as high as the root of what of it differs, so that one block is seen
 * beside a part that differs whole.
 */
export function differencePath(
  { ranges, sizeBytes }: Pick<FoundDifference, "ranges" | "sizeBytes">,
  kind: DifferentRange["kind"],
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const parts = new Float64Array(Math.max(1, Math.floor(width / barWidth)));
  const partBytes = sizeBytes / parts.length;
  for (const { offset, length, kind: one } of ranges) if (one === kind) addTo(parts, partBytes, offset, length);
  return Array.from(parts, (bytes, index) => {
    if (bytes === 0) return "";
    const bar = Math.max(leastHeight, Math.sqrt(Math.min(1, bytes / partBytes)) * height);
    const left = (index * width) / parts.length;
    const right = left + width / parts.length - 0.5;
    return `M${left.toFixed(1)} ${height}V${(height - bar).toFixed(1)}H${right.toFixed(1)}V${height}z`;
  }).join("");
}

function addTo(parts: Float64Array, partBytes: number, offset: number, length: number): void {
  const end = offset + length;
  for (let part = Math.floor(offset / partBytes); part < parts.length && part * partBytes < end; part++) {
    const within = Math.min(end, (part + 1) * partBytes) - Math.max(offset, part * partBytes);
    parts[part] = (parts[part] as number) + within;
  }
}
