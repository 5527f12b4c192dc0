/**
 * The first file of every thread: finds what was compiled before, then the module that the thread is for. Plain JavaScript, for
 * what strips types would be loaded for this one file, ahead of the cache, and keeps 20 MB in each thread.
 */
import module from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import "./own-modules.js";

/** @type {import("./thread.ts").ThreadStart} */
const { moduleUrl, settings, compileCacheFolder } = workerData;
if (compileCacheFolder !== undefined) module.enableCompileCache(compileCacheFolder);
/** @type {import("../thread.ts").ThreadModule<unknown>} */
const { runThread } = await import(moduleUrl);
runThread(
  {
    send: (message) => parentPort.postMessage(message),
    receive: (listener) => void parentPort.on("message", listener),
  },
  settings,
);
