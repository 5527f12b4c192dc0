/**
 * Loaded before a program under test: where it asks the system which start of the machine this is, it reads a file of the
 * test's, and so can be told that the power was gone. A mount over the true place would do it too, but its namespace would
 * hold on to everybody's disks. Plain JavaScript, for what strips types would be loaded by each thread for this one file.
 */
import fs from "node:fs";

const place = "/proc/sys/kernel/random/boot_id";
const substitute = process.env.BOOT_ID_FILE;
const readFileSync = fs.readFileSync;

fs.readFileSync = (path, ...rest) =>
  readFileSync(path === place && substitute !== undefined ? substitute : path, ...rest);
