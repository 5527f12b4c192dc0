/**
 * The first file of every process of `startProcess`: gives way to others where it is to, then runs the module that it is for.
 * Plain JavaScript, like the first file of a thread.
 */
import { existsSync, readdirSync } from "node:fs";
import module from "node:module";
import { constants, setPriority } from "node:os";
import "./own-modules.js";

const cacheFolder = process.env.TIDEMARK_COMPILE_CACHE;
if (cacheFolder !== undefined) module.enableCompileCache(cacheFolder);
// What it does may wait as long as there is room for what waits; hosts may not. Linux has a priority for each thread: those
// that are begun later have it from the first one.
const threads = "/proc/self/task";
const ids = existsSync(threads) ? readdirSync(threads).map(Number) : [0];
if (!process.argv.includes("no-way-given")) for (const id of ids) setPriority(id, constants.priority.PRIORITY_LOW);
// A terminal's signal is meant for the program, which ends this when it has no more use for it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => process.exit(0));

process.once("message", async (/** @type {import("./process.ts").ProcessStart} */ { moduleUrl, settings }) => {
  const waiting = [];
  const keep = (later) => waiting.push(later);
  process.on("message", keep);
  /** @type {import("../thread.ts").ThreadModule<unknown>} */
  const { runThread } = await import(moduleUrl);
  runThread(
    {
      send: (answer) => void process.send?.(answer),
      receive: (listener) => {
        process.off("message", keep);
        for (const early of waiting) listener(early);
        process.on("message", listener);
      },
    },
    settings,
  );
  // What the cache had of all that is compiled by now would be kept besides.
  module.flushCompileCache();
});
