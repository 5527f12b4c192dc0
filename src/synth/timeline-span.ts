/** As much of a volume's history as somebody wants to see of it, and as one answer tells: the latest within a span of time. */
import { timelineItemsMax } from "#src/core/point-limits.ts";
import type { VolumeTimeline } from "./volume-timeline.ts";

/** In microseconds; undefined: without a bound. */
export interface TimelineSpan {
  readonly fromMicros: number | undefined;
  readonly toMicros: number | undefined;
}

export const wholeSpan: TimelineSpan = { fromMicros: undefined, toMicros: undefined };

/** What time is not known of counts as within. */
export function isWithin({ timeMicros }: { readonly timeMicros: number | undefined }, span: TimelineSpan): boolean {
  return timeMicros === undefined || overlaps(timeMicros, timeMicros, span);
}

function overlaps(firstMicros: number, lastMicros: number, { fromMicros, toMicros }: TimelineSpan): boolean {
  return lastMicros >= (fromMicros ?? 0) && firstMicros <= (toMicros ?? Number.POSITIVE_INFINITY);
}

/** Of `whole`, of which nothing is left out. */
export function latestWithin(whole: Omit<VolumeTimeline, "isCut">, span: TimelineSpan): VolumeTimeline {
  const lists = {
    ranges: whole.ranges.filter(({ fromMicros, toMicros }) => overlaps(fromMicros, toMicros, span)),
    marks: whole.marks.filter((mark) => isWithin(mark, span)),
    events: whole.events.filter((event) => isWithin(event, span)),
    snapshots: whole.snapshots.filter((snapshot) => isWithin(snapshot, span)),
    damaged: whole.damaged,
  };
  return {
    ...whole,
    ranges: latest(lists.ranges),
    marks: latest(lists.marks),
    events: latest(lists.events),
    snapshots: latest(lists.snapshots),
    damaged: latest(lists.damaged),
    isCut: Object.values(lists).some(({ length }) => length > timelineItemsMax),
  };
}

function latest<Item>(items: readonly Item[]): readonly Item[] {
  return items.length <= timelineItemsMax ? items : items.slice(-timelineItemsMax);
}
