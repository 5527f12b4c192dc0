/** The first file of every process of `startProcess`: gives way to others, then runs the module that it is for. */
import module from "node:module";
import { constants, setPriority } from "node:os";
import type { ThreadModule } from "../thread.ts";
import { compileCacheVariable, type ProcessStart } from "./process.ts";

const cacheFolder = process.env[compileCacheVariable];
if (cacheFolder !== undefined) module.enableCompileCache(cacheFolder);
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
// A terminal's signal is meant for the program, which ends this when it has no more use for it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => process.exit(0));

process.once("message", async (message) => {
  const { moduleUrl, settings } = message as ProcessStart;
  const waiting: unknown[] = [];
  const keep = (later: unknown) => waiting.push(later);
  process.on("message", keep);
  const { runThread } = (await import(moduleUrl)) as ThreadModule<unknown>;
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
});
