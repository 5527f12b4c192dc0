/** What has happened, the newest first, as many as are kept; what comes twice after a new connection is there once. */

export interface PageEvent {
  /** Grows. */
  readonly id: number;
  readonly time: string;
  readonly kind: string;
  /** What the event says besides. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface EventLog {
  readonly events: readonly PageEvent[];
  /** Of the newest; undefined: there was none. */
  readonly lastId: number | undefined;
}

export const noEvents: EventLog = { events: [], lastId: undefined };
export const eventsKeptMax = 200;

export function withEvent(log: EventLog, event: PageEvent): EventLog {
  if (log.lastId !== undefined && event.id <= log.lastId) return log;
  return { events: [event, ...log.events].slice(0, eventsKeptMax), lastId: event.id };
}

/** What was seen last is not known any more: all that is told from now on is new. What was seen before stays to be read. */
export function begunAnew(log: EventLog): EventLog {
  return { ...log, lastId: undefined };
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
