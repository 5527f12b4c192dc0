/**
 * Entries of the log as lines. Fields come from anywhere, also from a hostile peer: whatever they hold becomes one line
 * of bounded length, without secrets, without characters that steer a terminal, and never an exception.
 */
import { AssertionError, assertNever } from "#src/core/assert.ts";
import { logDepthMax, logItemsMax, logLineCharactersMax, logTextCharactersMax } from "#src/core/limits.ts";
import type { LogFields, LogLevel } from "./log.ts";
import { isSecretName, redacted, withoutSecrets } from "./redaction.ts";

export type LogFormat = "json" | "text";

export interface LogEntry {
  readonly wallMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** What an entry says of itself; a field of the same name does not replace it. */
const ownNames = new Set(["time", "level", "message"]);

export function formatLogLine(entry: LogEntry, format: LogFormat): string {
  const time = new Date(entry.wallMs).toISOString();
  const message = shortened(withoutSecrets(entry.message));
  const fields = printableItems(entry.fields, 0);
  switch (format) {
    case "json": {
      const free = fields.filter(([name]) => !ownNames.has(name));
      const own = { time, level: entry.level, message };
      const line = quoted({ ...own, ...Object.fromEntries(free) });
      return line.length <= logLineCharactersMax ? line : quoted({ ...own, fields: "too long to show" });
    }
    case "text": {
      const shown = fields.map(([name, value]) => ` ${plain(name)}=${plain(value)}`).join("");
      const line = `${time} ${entry.level.toUpperCase().padEnd(5)} ${harmless(message.replace(/[\r\n]+/g, " "))}${shown}`;
      return line.slice(0, logLineCharactersMax);
    }
    default:
      return assertNever(format);
  }
}

function printableItems(fields: object, depth: number): [string, unknown][] {
  const names = Object.keys(fields);
  const items = names.slice(0, logItemsMax).map((name): [string, unknown] => {
    const value = isSecretName(name) ? redacted : printable(() => (fields as LogFields)[name], depth + 1);
    return [shortened(name), value];
  });
  if (names.length > logItemsMax) items.push(["more", names.length - logItemsMax]);
  return items;
}

/** The value is fetched in here, since fetching may throw too. */
function printable(fetch: () => unknown, depth: number): unknown {
  try {
    return printableValue(fetch(), depth);
  } catch {
    return "[unreadable]";
  }
}

function printableValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return shortened(withoutSecrets(value));
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
    case "undefined":
      return value;
    case "object":
      return value === null ? null : printableObject(value, depth);
    default:
      return shortened(String(value));
  }
}

function printableObject(value: object, depth: number): unknown {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return value.toISOString();
  if (depth > logDepthMax) return "[deeper]";
  if (value instanceof Error) return printableError(value, depth);
  if (Array.isArray(value)) {
    const items = value.slice(0, logItemsMax).map((item) => printable(() => item, depth + 1));
    return value.length > logItemsMax ? [...items, `[${value.length - logItemsMax} more]`] : items;
  }
  return Object.fromEntries(printableItems(value, depth));
}

function printableError(error: Error, depth: number): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  return {
    name: shortened(error.name),
    message: shortened(withoutSecrets(error.message)),
    ...(code === undefined ? {} : { code: shortened(String(code)) }),
    ...(isFaultOfThisProgram(error) ? { stack: shortened(withoutSecrets(error.stack ?? "")) } : {}),
    ...(error.cause === undefined ? {} : { cause: printable(() => error.cause, depth + 1) }),
  };
}

/** Only there the place in the code matters more than the words. */
function isFaultOfThisProgram(error: Error): boolean {
  return error instanceof AssertionError || error instanceof TypeError || error instanceof RangeError;
}

function shortened(text: string): string {
  return text.length <= logTextCharactersMax ? text : `${text.slice(0, logTextCharactersMax)}…`;
}

/** A bare word where that is clear, else as in JSON. */
function plain(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@%+,[\]-]+$/.test(value) ? value : quoted(value);
}

function quoted(value: unknown): string {
  return harmless(JSON.stringify(value) ?? "undefined");
}

/** JSON leaves alone what comes after ASCII, some of which moves a terminal's cursor or turns the writing direction. */
function harmless(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
