/**
 * Loaded before a program under test: each read and write of a file moves only a part of what was asked for, as the system
 * is always free to do.
 */
import fs from "node:fs";

const { readSync, writeSync, writevSync, read, write } = fs;

/** Never on a boundary of anything, and never nothing. */
function part(length: number): number {
  return length < 2 ? length : Math.ceil(length * 0.61) - 1 || 1;
}

fs.readSync = ((fd: number, buffer: Buffer, start: number, length: number, position: number) =>
  readSync(fd, buffer, start, part(length), position)) as typeof readSync;

// Lines of the log are written without a place, and are not in question here.
fs.writeSync = ((fd: number, buffer: Buffer, start?: number, length?: number, position?: number) =>
  length === undefined
    ? writeSync(fd, buffer)
    : writeSync(fd, buffer, start, part(length), position)) as typeof writeSync;

fs.writevSync = ((fd: number, pieces: readonly Buffer[], position: number) => {
  const bytes = Buffer.concat(pieces);
  return writeSync(fd, bytes, 0, part(bytes.length), position);
}) as typeof writevSync;

type Done = (error: NodeJS.ErrnoException | null, count: number, bytes: Buffer) => void;

fs.read = ((fd: number, buffer: Buffer, start: number, length: number, position: number, done: Done) =>
  read(fd, buffer, start, part(length), position, done)) as unknown as typeof read;

fs.write = ((fd: number, buffer: Buffer, start: number, length: number, position: number, done: Done) =>
  write(fd, buffer, start, part(length), position, done)) as unknown as typeof write;
