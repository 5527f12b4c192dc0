/** What else is to be said of the point that a time stands for. */
import { recordTimeText } from "#src/core/record-time.ts";
import { clockToleranceMicros } from "#src/core/store-limits.ts";
import type { Point } from "./point-answer.ts";

export interface MeantTime {
  readonly timeMicros: number;
  readonly nowMicros: number;
  /** The newest that is durable here. */
  readonly newest: Point;
  /** The last that was made until now, as far as records know when they were; undefined: that is not before the newest. */
  readonly lastUntilNow: Point | undefined;
}

/** Whether the clock that a record has its time from was ahead, or is. */
export function isAhead({ timeMicros }: Point, nowMicros: number): boolean {
  return timeMicros > nowMicros + clockToleranceMicros;
}

/** For people. Undefined: nothing. */
export function noteOfTime(
  point: Point,
  { timeMicros, nowMicros, newest, lastUntilNow }: MeantTime,
): string | undefined {
  if (point.seq === newest.seq && timeMicros > point.timeMicros) {
    const span = `${recordTimeText(point.timeMicros)} and ${recordTimeText(timeMicros)}`;
    return `it is the newest that is durable here: what was written between ${span}, if anything was, has not come yet`;
  }
  const isJumped = isAhead(newest, nowMicros) && point.seq === lastUntilNow?.seq;
  if (!isJumped || point.seq === newest.seq) return undefined;
  const until = `seq:${newest.seq} (${recordTimeText(newest.timeMicros)})`;
  const why = "has times that are yet to come: the clock that they are of was ahead; it is opened by seq";
  return `what was written behind it, up to ${until}, ${why}`;
}
