/** Slots of a segment, as few ranges as say them. */

export interface SlotRange {
  readonly slot: number;
  readonly count: number;
}

/** Sorted, none over or right behind another one; no more than `countMax`: then the nearest ones are said as one. */
export function mergedRanges(ranges: readonly SlotRange[], countMax = Number.POSITIVE_INFINITY): SlotRange[] {
  const sorted = [...ranges].sort((a, b) => a.slot - b.slot);
  const merged: SlotRange[] = [];
  for (const { slot, count } of sorted) {
    const last = merged.at(-1);
    if (last === undefined || slot > last.slot + last.count) merged.push({ slot, count });
    else merged[merged.length - 1] = { slot: last.slot, count: Math.max(last.count, slot + count - last.slot) };
  }
  return merged.length <= countMax ? merged : fewer(merged, countMax);
}

function fewer(ranges: readonly SlotRange[], countMax: number): SlotRange[] {
  const gaps = ranges.slice(1).map((range, index) => range.slot - endOf(ranges[index] as SlotRange));
  // As many of the largest gaps stay as there may be.
  const least = [...gaps].sort((a, b) => b - a)[countMax - 2] ?? Number.POSITIVE_INFINITY;
  const kept: SlotRange[] = [];
  for (const [index, range] of ranges.entries()) {
    const last = kept.at(-1);
    const isApart = index > 0 && (gaps[index - 1] as number) >= least && kept.length < countMax;
    if (last === undefined || isApart) kept.push(range);
    else kept[kept.length - 1] = { slot: last.slot, count: endOf(range) - last.slot };
  }
  return kept;
}

function endOf({ slot, count }: SlotRange): number {
  return slot + count;
}

export function slotCountOf(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

/** As `mergedRanges` makes them. */
export function rangesHave(ranges: readonly SlotRange[], slot: number): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle] as SlotRange;
    if (slot < range.slot) high = middle;
    else if (slot >= endOf(range)) low = middle + 1;
    else return true;
  }
  return false;
}
