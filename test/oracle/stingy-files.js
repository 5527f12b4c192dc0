/**
 * Loaded before a program under test: each read and write of a file moves only a part of what was asked for, as the system
 * is always free to do. Plain JavaScript, for what strips types would be loaded by each thread for this one file.
 */
import fs from "node:fs";

const { readSync, writeSync, read, write } = fs;

/** Never on a boundary of anything, and never nothing. */
function part(length) {
  return length < 2 ? length : Math.ceil(length * 0.61) - 1 || 1;
}

fs.readSync = (fd, buffer, start, length, position) => readSync(fd, buffer, start, part(length), position);

// Lines of the log are written without a place, and are not in question here.
fs.writeSync = (fd, buffer, start, length, position) =>
  length === undefined ? writeSync(fd, buffer) : writeSync(fd, buffer, start, part(length), position);

fs.writevSync = (fd, pieces, position) => {
  const bytes = Buffer.concat(pieces);
  return writeSync(fd, bytes, 0, part(bytes.length), position);
};

fs.read = (fd, buffer, start, length, position, done) => read(fd, buffer, start, part(length), position, done);

fs.write = (fd, buffer, start, length, position, done) => write(fd, buffer, start, part(length), position, done);
