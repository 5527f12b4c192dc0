import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { nodeClock } from "#src/host/node/clock.ts";
import { lineWriter, openLog } from "#src/host/node/log.ts";
import { temporaryFolder } from "./temporary-folder.ts";

function collecting(level: "debug" | "info" | "warn" | "error") {
  const lines: string[] = [];
  const log = openLog({ level, format: "json", clock: nodeClock, write: (line) => lines.push(line) });
  return { log, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("entries below the level are left out", () => {
  const { log, entries } = collecting("warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(entries().map(({ level, message }) => [level, message])).toEqual([
    ["warn", "c"],
    ["error", "d"],
  ]);
});

test("a log's own fields are in each of its entries, and the newest of a name holds", () => {
  const { log, entries } = collecting("debug");
  const connection = log.with({ export: "disk", peer: "unix" }).with({ peer: "10.0.0.1" });
  connection.debug("opened", { bytes: 1 });
  connection.info("closed", { export: "other" });
  log.info("plain");
  expect(entries()).toMatchObject([
    { export: "disk", peer: "10.0.0.1", bytes: 1 },
    { export: "other", peer: "10.0.0.1" },
    { message: "plain" },
  ]);
  expect(entries()[2]).not.toHaveProperty("export");
});

test("lines are appended to what the descriptor holds", () => {
  const path = `${temporaryFolder()}/log`;
  const fd = fs.openSync(path, "w");
  const write = lineWriter(fd);
  fs.writeSync(fd, "before\n");
  write("one");
  write("two");
  fs.closeSync(fd);
  expect(fs.readFileSync(path, "utf8")).toBe("before\none\ntwo\n");
});

test("what shares a file with the log is not overwritten, nor overwrites it", () => {
  const path = `${temporaryFolder()}/log`;
  const fd = fs.openSync(path, "w");
  const write = lineWriter(fd);
  write("one");
  fs.writeSync(fd, "said\n");
  write("two");
  fs.closeSync(fd);
  expect(fs.readFileSync(path, "utf8")).toBe("one\nsaid\ntwo\n");
});

test("a reader that does not keep up costs lines, not time, and is told how many", () => {
  const path = `${temporaryFolder()}/pipe`;
  execFileSync("mkfifo", [path]);
  const pipe = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  onTestFinished(() => fs.closeSync(pipe));
  const write = lineWriter(pipe);
  const line = "x".repeat(1000);
  // A pipe holds 64 KiB: most of these find no room.
  for (let count = 0; count < 200; count++) write(line);
  const held = readAll(pipe);
  expect(held.length).toBeLessThanOrEqual(65_536);
  write("room again");
  const passed = held.split("\n").filter((text) => text === line).length;
  expect(readAll(pipe)).toContain(`(${200 - passed} log lines were lost: nobody read them in time)\nroom again\n`);
});

test("a descriptor that takes nothing does not stop the log", () => {
  const fd = fs.openSync("/dev/full", "w");
  onTestFinished(() => fs.closeSync(fd));
  const write = lineWriter(fd);
  expect(() => write("lost")).not.toThrow();
});

function readAll(fd: number): string {
  const bytes = Buffer.alloc(1_000_000);
  let length = 0;
  try {
    for (;;) length += fs.readSync(fd, bytes, length, bytes.length - length, null);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
    return bytes.toString("utf8", 0, length);
  }
}
