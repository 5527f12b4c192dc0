/**
 * When a group's next snapshot is made by itself: what lies between the newest one and a point is gone through whenever the point is
 * opened, so that is bounded, in records and in time.
 */

export interface SnapshotPolicy {
  /** `Infinity`: time alone is no reason. */
  readonly everyMicros: number;
  /** `Infinity`: nor are records. */
  readonly everyRecords: number;
}

/** A place in a group's order. */
export interface RecordPlace {
  readonly seq: number;
  readonly timeMicros: number;
}

/** `last`: of the newest snapshot, or where the order begins. `newest`: what is sealed. By the times of records alone. */
export function isSnapshotDue(policy: SnapshotPolicy, last: RecordPlace, newest: RecordPlace): boolean {
  const records = newest.seq - last.seq;
  if (records <= 0) return false;
  return records >= policy.everyRecords || newest.timeMicros - last.timeMicros >= policy.everyMicros;
}
