/**
 * Loaded by each thread of a program before anything else. The thread whose name is in a file stands still, as before a disk that does
 * not answer, for as long as the file is there.
 */
import { existsSync, readFileSync } from "node:fs";
import { setInterval } from "node:timers";
import { isMainThread, threadName } from "node:worker_threads";

const file = process.env.BLOCKED_SIDE_FILE ?? "";
const memory = new Int32Array(new SharedArrayBuffer(4));

if (!isMainThread && file !== "") {
  setInterval(() => {
    while (existsSync(file) && readFileSync(file, "utf8") === threadName) Atomics.wait(memory, 0, 0, 50);
  }, 20).unref();
}
