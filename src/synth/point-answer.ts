/** A place in a group's order as somebody asked for it: a point, or the nearest ones before and after, and why it is none. */

export interface Point {
  readonly seq: number;
  /** Of the record. */
  readonly timeMicros: number;
  /** Where it was asked for, or found, as a mark or a snapshot. */
  readonly mark?: string;
  readonly isSnapshot?: boolean;
}

export type PointAnswer =
  | { readonly point: Point /** What else is to be said, for people. */; readonly note?: string }
  | NoPoint;

export interface NoPoint {
  readonly point: undefined;
  /** For people: which there is none, and why. */
  readonly why: string;
  /** It may be behind what is durable here, and come. */
  readonly mayCome?: boolean;
  /** What is meant was here, and may be lost. */
  readonly isLost?: true;
  /** The volume has no point yet, and none of it is lost: the first one is to come. */
  readonly isNew?: true;
  /** For people: records behind the point before it that are lost, so that there may have been others. */
  readonly skipped?: string;
  /** The nearest ones that there are; undefined: there is none on that side. */
  readonly before: Point | undefined;
  readonly after: Point | undefined;
}
