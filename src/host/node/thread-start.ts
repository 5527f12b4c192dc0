/** The first file of every thread: finds what was compiled before, then the module that the thread is for. */
import module from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { ThreadModule } from "../thread.ts";
import type { ThreadStart } from "./thread.ts";

const { moduleUrl, settings, compileCacheFolder } = workerData as ThreadStart;
if (compileCacheFolder !== undefined) module.enableCompileCache(compileCacheFolder);
const port = parentPort as NonNullable<typeof parentPort>;
const { runThread } = (await import(moduleUrl)) as ThreadModule<unknown>;
runThread(
  { send: (message) => port.postMessage(message), receive: (listener) => void port.on("message", listener) },
  settings,
);
