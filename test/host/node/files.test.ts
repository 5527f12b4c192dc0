import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { filesOver, nodeFiles } from "#src/host/node/files.ts";
import { realDriver } from "#test/contract/driver.ts";
import { describeFilesContract } from "#test/contract/files.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describeFilesContract("the machine's files", () => ({
  files: nodeFiles,
  driver: realDriver,
  folder: temporaryFolder(),
}));

/** Calls that do as little as the system is allowed to. */
const stingy = filesOver({
  ...fs,
  readSync: ((fd: number, buffer: Buffer, start: number, length: number, position: number) =>
    fs.readSync(fd, buffer, start, Math.min(length, 3), position)) as typeof fs.readSync,
  writeSync: ((fd: number, buffer: Buffer, start: number, length: number, position: number) =>
    fs.writeSync(fd, buffer, start, Math.min(length, 3), position)) as typeof fs.writeSync,
  writevSync: (fd, pieces, position) => {
    const bytes = Buffer.concat(pieces as Buffer[]);
    return fs.writeSync(fd, bytes, 0, Math.min(bytes.length, 500), position);
  },
});

describe("fault 14: where the system transfers little at a time", () => {
  describeFilesContract("files", () => ({ files: stingy, driver: realDriver, folder: temporaryFolder() }));
});

test("fault 14: a write of which nothing is written is an error, not an endless loop", () => {
  const files = filesOver({ ...fs, writeSync: () => 0, writevSync: () => 0 });
  const handle = files.create(`${temporaryFolder()}/a`);
  const bytes = Buffer.from("abc");
  expect(() => handle.writeNow(bytes, 0, 3, 0)).toThrow("wrote nothing");
  expect(() => handle.writevNow([bytes], 0)).toThrow("wrote nothing");
  handle.close();
});

test("a full device is said to be full", () => {
  const handle = nodeFiles.open("/dev/full", "readWrite");
  expect(() => handle.writeNow(Buffer.from("abc"), 0, 3, 0)).toThrow("ENOSPC");
  handle.close();
});

test("only the owner may read what is created", () => {
  const folder = temporaryFolder();
  nodeFiles.makeFolder(`${folder}/inner`);
  nodeFiles.create(`${folder}/inner/a`).close();
  const modes = [`${folder}/inner`, `${folder}/inner/a`].map((path) => fs.statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600]);
});

test("a descriptor is closed only after the sync that uses it", () => {
  const events: string[] = [];
  let finish: (error: NodeJS.ErrnoException | null) => void = () => {};
  const fdatasync = ((_fd: number, done: typeof finish) => {
    events.push("sync begins");
    finish = done;
  }) as typeof fs.fdatasync;
  const files = filesOver({
    ...fs,
    fdatasync,
    closeSync: (fd) => {
      events.push("closed");
      fs.closeSync(fd);
    },
  });
  const handle = files.create(`${temporaryFolder()}/a`);
  handle.sync(() => events.push("sync answered"));
  handle.close();
  events.push("close returned");
  finish(null);
  expect(events).toEqual(["sync begins", "close returned", "sync answered", "closed"]);
});
