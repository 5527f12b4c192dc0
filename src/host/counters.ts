/**
 * The counters port: numbers that all threads add to and anyone reads at any time, without a message between them.
 * Names are given once, at the start; they are the names of the published metrics.
 */

/** Only grows: `_total`. */
export interface Counter {
  /** A whole number from 0 to `counterStepMax`. */
  add(amount: number): void;
}

/** A level that goes up and down, never below 0: connections, bytes in flight. */
export interface Gauge {
  raise(amount: number): void;
  lower(amount: number): void;
}

export interface Counters {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  /** Every number by its name. Each is exact; together they need not be of one moment. */
  read(): Readonly<Record<string, number>>;
}
