/** The files of this machine. Only their owner may read what this program creates. */
import fs from "node:fs";
import { dirname, join } from "node:path";
import { assert } from "#src/core/assert.ts";
import type { FileHandle, Files, FolderEntry } from "../files.ts";
import { type FileCalls, NodeFileHandle } from "./file-handle.ts";
import { lockFolder } from "./folder-lock.ts";
import { syncFolder } from "./folder-sync.ts";
import { systemError } from "./system-error.ts";

const fileMode = 0o600;
const folderMode = 0o700;

export const nodeFiles: Files = filesOver(fs);

/** Open files transfer their bytes through `calls`. */
export function filesOver(calls: FileCalls): Files {
  return {
    open: (path, mode) => openFile(path, mode === "read" ? "r" : "r+", calls),
    create: (path) => openFile(path, "wx+", calls),
    exists: (path) => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
    list: (path) => fs.readdirSync(path).sort(),
    entries: folderEntries,
    sizeBytes: sizeBytesOf,
    rename: (from, to) => {
      assert(dirname(from) === dirname(to), "a file stays in its folder when it is renamed");
      fs.renameSync(from, to);
    },
    remove: (path) => fs.unlinkSync(path),
    makeFolder,
    lockFolder: (path) => lockFolder(path),
    syncFolder,
  };
}

function openFile(path: string, flags: string, calls: FileCalls): FileHandle {
  const fd = fs.openSync(path, flags, fileMode);
  try {
    if (fs.fstatSync(fd).isDirectory()) throw systemError("EISDIR", `${path} is a folder`);
    return new NodeFileHandle(path, fd, calls);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function makeFolder(path: string): void {
  try {
    fs.mkdirSync(path, { mode: folderMode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !fs.statSync(path).isDirectory()) throw error;
  }
}

function folderEntries(path: string): FolderEntry[] {
  const entries = fs.readdirSync(path, { withFileTypes: true }).map((entry) => ({
    name: entry.name,
    isFolder: entry.isSymbolicLink() ? isLinkToFolder(join(path, entry.name)) : entry.isDirectory(),
  }));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isLinkToFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function sizeBytesOf(path: string): number | undefined {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? found.size : undefined;
}
