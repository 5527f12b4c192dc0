/**
 * The log port: a message that never changes, and what was different this time in fields. Logging never throws and
 * never makes its caller wait for long; where lines cannot be written they are counted.
 */

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with these fields in each of its entries. */
  with(fields: LogFields): Log;
}
