import { expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { logItemsMax, logLineCharactersMax, logTextCharactersMax } from "#src/core/limits.ts";
import type { LogFields } from "#src/host/log.ts";
import { formatLogLine } from "#src/host/log-line.ts";

const wallMs = Date.UTC(2031, 0, 2, 3, 4, 5, 6);

function json(fields: LogFields, message = "something happened"): Record<string, unknown> {
  return JSON.parse(formatLogLine({ wallMs, level: "info", message, fields }, "json"));
}

function text(fields: LogFields, message = "something happened"): string {
  return formatLogLine({ wallMs, level: "warn", message, fields }, "text");
}

test("an entry is one line of JSON", () => {
  expect(json({ volume: "db", bytes: 4096, ok: true, none: null })).toEqual({
    time: "2031-01-02T03:04:05.006Z",
    level: "info",
    message: "something happened",
    volume: "db",
    bytes: 4096,
    ok: true,
    none: null,
  });
});

test("an entry is one line of text for people", () => {
  expect(text({ volume: "db", path: "/a/b.img", why: "it is full", count: 3 })).toBe(
    '2031-01-02T03:04:05.006Z WARN  something happened volume=db path=/a/b.img why="it is full" count=3',
  );
});

test("a field does not replace what the entry says of itself", () => {
  expect(json({ time: "never", level: "error", message: "other", volume: "db" })).toMatchObject({
    time: "2031-01-02T03:04:05.006Z",
    level: "info",
    message: "something happened",
    volume: "db",
  });
});

test("fault 35: secrets are left out by their names, however deep", () => {
  const fields = { password: "hunter2", deep: { api: { secretKey: ["hunter2"] } }, list: [{ token: "hunter2" }] };
  for (const line of [JSON.stringify(json(fields)), text(fields)]) {
    expect(line).not.toContain("hunter2");
    expect(line.split("[redacted]").length).toBe(4);
  }
});

test("fault 35: secrets are left out of messages, texts and errors", () => {
  const address = "nbd://user:hunter2@host/x";
  const error = new Error(`no answer from ${address}`, { cause: new Error(address) });
  const fields = { uri: address, list: [address], error };
  for (const line of [JSON.stringify(json(fields, `to ${address}`)), text(fields, `to ${address}`)]) {
    expect(line).not.toContain("hunter2");
  }
});

test("an error shows its name, code, message and causes", () => {
  const cause = Object.assign(new Error("no space"), { code: "ENOSPC" });
  expect(json({ error: new Error("cannot append", { cause }) }).error).toEqual({
    name: "Error",
    message: "cannot append",
    cause: { name: "Error", code: "ENOSPC", message: "no space" },
  });
});

test("a fault of this program shows where it is", () => {
  const { error } = json({ error: new AssertionError("queue is bounded") }) as { error: { stack: string } };
  expect(error.stack).toContain("log-line.test.ts");
});

test("bytes are counted, not shown", () => {
  expect(json({ payload: Buffer.from("secret data"), numbers: new Uint32Array(2) })).toMatchObject({
    payload: "[11 bytes]",
    numbers: "[8 bytes]",
  });
});

test("values that JSON does not know are shown in words", () => {
  const fields = {
    big: 12n,
    nan: Number.NaN,
    date: new Date(0),
    symbol: Symbol("s"),
    endless: Number.POSITIVE_INFINITY,
  };
  expect(json(fields)).toMatchObject({
    big: "12",
    nan: "NaN",
    date: "1970-01-01T00:00:00.000Z",
    symbol: "Symbol(s)",
    endless: "Infinity",
  });
});

test("what leads back to itself ends somewhere", () => {
  const loop: Record<string, unknown> = { name: "loop" };
  loop.self = loop;
  expect(JSON.stringify(json({ loop }))).toContain("[deeper]");
  const error = new Error("first");
  error.cause = error;
  expect(JSON.stringify(json({ error }))).toContain("[deeper]");
});

test("what cannot be read does not stop the log", () => {
  const fields = {
    get broken(): string {
      throw new Error("no");
    },
    date: new Date(Number.NaN),
    object: Object.create(null),
  };
  expect(json(fields)).toMatchObject({ broken: "[unreadable]", date: "[unreadable]" });
});

test("a hostile name of a field is just a name", () => {
  const fields = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
  expect(Object.keys(json(fields))).toContain("__proto__");
  expect(({} as Record<string, unknown>).polluted).toBe(undefined);
});

test("nothing breaks the line or steers a terminal", () => {
  const hostile = "a\nb\r\u001b[2J\u007f\u009b\u2028\u202e\0";
  for (const format of ["json", "text"] as const) {
    const entry = { wallMs, level: "info", message: hostile, fields: { [hostile]: hostile } } as const;
    const line = formatLogLine(entry, format);
    expect(line).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
  }
});

test("long texts, long lists and long lines are cut", () => {
  const long = "x".repeat(1_000_000);
  const list = Array.from({ length: 1000 }, (_, index) => index);
  const shown = json({ long, list }) as { long: string; list: unknown[] };
  expect(shown.long.length).toBe(logTextCharactersMax + 1);
  expect(shown.list.length).toBe(logItemsMax + 1);
  expect(shown.list.at(-1)).toBe(`[${1000 - logItemsMax} more]`);
  expect(json({}, long).message).toBe(`${"x".repeat(logTextCharactersMax)}…`);
});

test("no line is longer than the limit, whatever it holds", () => {
  const many = Object.fromEntries(list(100).map((index) => [`field${index}`, list(100).map(() => "y".repeat(2000))]));
  for (const format of ["json", "text"] as const) {
    const line = formatLogLine({ wallMs, level: "error", message: "m", fields: { ...many, deep: many } }, format);
    expect(line.length).toBeLessThanOrEqual(logLineCharactersMax);
  }
  expect(json(many)).toMatchObject({ message: "something happened", fields: "too long to show" });
});

function list(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
