/**
 * The kinds of settings. Each reads what a person wrote in a file, in the environment or on the command line, so that the
 * same text means the same in all three, and says in words what it expects.
 */
import { resolve } from "node:path";
import { formatByteSize, parseByteSize } from "#src/core/byte-size.ts";

/** Said by a setting of a text that is not of its shape. */
export const notUnderstood = Symbol("not understood");

export interface Setting<Value> {
  readonly kind: "setting";
  readonly fallback: Value;
  readonly description: string;
  /** What it expects, in words that follow "must be". */
  readonly shape: string;
  readonly secret: boolean;
  /** `folder`: what a relative path is relative to. */
  parse(text: string, folder: string): Value | typeof notUnderstood;
  /** As it may be written in the file. */
  print(value: Value): string;
}

type Parse<Value> = Setting<Value>["parse"];

interface Kind<Value> {
  readonly shape: string;
  readonly parse: Parse<Value>;
  readonly print?: (value: Value) => string;
}

export function text(fallback: string, description: string): Setting<string> {
  return setting(fallback, description, { shape: "a text", parse: presentText });
}

export function optionalText(description: string, shape = "a text"): Setting<string | undefined> {
  return optional(description, { shape, parse: presentText });
}

/** Its default is relative to where the program was started. */
export function path(fallback: string, description: string): Setting<string> {
  return setting(fallback, description, { shape: "a path", parse: resolvedPath });
}

export function optionalPath(description: string): Setting<string | undefined> {
  return optional(description, { shape: "a path", parse: resolvedPath });
}

export function secret(description: string): Setting<string | undefined> {
  return { ...optionalText(description), secret: true };
}

export function choice<const Values extends readonly string[]>(
  values: Values,
  fallback: Values[number],
  description: string,
): Setting<Values[number]> {
  return setting<Values[number]>(fallback, description, {
    shape: values.join(" or "),
    parse: (written) => values.find((value) => value === written) ?? notUnderstood,
  });
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

export function portNumber(fallback: number, description: string): Setting<number> {
  const range = { min: 0, max: 65_535 };
  return setting(fallback, description, {
    shape: `a whole number from ${range.min} to ${range.max}`,
    parse: (written) => (/^\d{1,5}$/.test(written) ? within(Number(written), range) : notUnderstood),
  });
}

export function portOrOff(fallback: number, description: string): Setting<number | undefined> {
  const { shape, parse } = portNumber(fallback, description);
  return setting<number | undefined>(fallback, description, orOff(undefined, { shape, parse, print: String }));
}

export function seconds(fallback: number, description: string, range: Range): Setting<number> {
  return setting(fallback, description, {
    shape: `a number of seconds from ${range.min} to ${range.max}`,
    parse: (written) => (/^\d+(\.\d+)?$/.test(written) ? within(Number(written), range) : notUnderstood),
  });
}

export function secondsOrOff(fallback: number, description: string, range: Range): Setting<number> {
  return setting(fallback, description, orOff(Number.POSITIVE_INFINITY, seconds(fallback, description, range)));
}

export function byteSize(fallback: number, description: string, range: Range): Setting<number> {
  return setting(fallback, description, {
    shape: `a size from ${formatByteSize(range.min)} to ${formatByteSize(range.max)}`,
    parse: (written) => within(parseByteSize(written) ?? Number.NaN, range),
    print: formatByteSize,
  });
}

export function byteSizeOrOff(fallback: number, description: string, range: Range): Setting<number> {
  return setting(fallback, description, orOff(Number.POSITIVE_INFINITY, byteSize(fallback, description, range)));
}

export function countOrOff(fallback: number, description: string, range: Range): Setting<number> {
  const kind: Kind<number> = {
    shape: `a whole number from ${range.min} to ${range.max}`,
    parse: (written) => (/^\d{1,15}$/.test(written) ? within(Number(written), range) : notUnderstood),
  };
  return setting(fallback, description, orOff(Number.POSITIVE_INFINITY, kind));
}

/** Parted by commas. */
export function texts(description: string): Setting<readonly string[]> {
  return setting<readonly string[]>([], description, {
    shape: "texts, parted by commas, or none",
    parse: (written) => (written === none ? [] : written.split(",").map((item) => item.trim())),
    print: (value) => (value.length === 0 ? none : value.join(",")),
  });
}

/** What is not set is written so. */
const none = "none";
const off = "off";

function setting<Value>(fallback: Value, description: string, kind: Kind<Value>): Setting<Value> {
  return { kind: "setting", fallback, description, secret: false, print: String, ...kind };
}

function optional(description: string, { shape, parse }: Kind<string>): Setting<string | undefined> {
  return setting<string | undefined>(undefined, description, {
    shape: `${shape}, or ${none}`,
    parse: (written, folder) => (written === none ? undefined : parse(written, folder)),
    print: (value) => value ?? none,
  });
}

function orOff<Value>(valueOfOff: Value, { shape, parse, print = String }: Kind<Value>): Kind<Value> {
  return {
    shape: `${shape}, or ${off}`,
    parse: (written, folder) => (written === off ? valueOfOff : parse(written, folder)),
    print: (value) => (value === valueOfOff ? off : print(value)),
  };
}

function presentText(written: string): string | typeof notUnderstood {
  return written === "" || written.includes("\0") ? notUnderstood : written;
}

function resolvedPath(written: string, folder: string): string | typeof notUnderstood {
  return presentText(written) === notUnderstood ? notUnderstood : resolve(folder, written);
}

function within(value: number, { min, max }: Range): number | typeof notUnderstood {
  return value >= min && value <= max ? value : notUnderstood;
}
