/** Worker threads, made as small as their work allows. */
import module from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { threadNurseryMiB } from "#src/core/limits.ts";
import type { Thread } from "../thread.ts";

export interface ThreadStart {
  readonly moduleUrl: string;
  readonly settings: unknown;
  /** Where the process keeps its compiled code, if it does: a thread has to be told. */
  readonly compileCacheFolder: string | undefined;
}

/** `moduleUrl` names a file that exports what `ThreadModule` says; `settings` are copied. */
export function startThread(moduleUrl: URL, name: string, settings: unknown): Thread {
  const cache = module.getCompileCacheDir?.();
  const start: ThreadStart = {
    moduleUrl: moduleUrl.href,
    settings,
    // It lies below the folder that was asked for.
    compileCacheFolder: cache === undefined ? undefined : dirname(cache),
  };
  const worker = new Worker(new URL("./thread-start.js", import.meta.url), {
    name,
    workerData: start,
    // Hardly anything on the way of a request is garbage, so a large nursery would only be memory.
    resourceLimits: { maxYoungGenerationSizeMb: threadNurseryMiB },
  });
  let isEnding = false;
  return {
    send: (message) => worker.postMessage(message),
    receive: (listener) => void worker.on("message", listener),
    ended: new Promise((resolve) => {
      worker.once("error", (error) => resolve(asError(error)));
      worker.once("exit", (status) => resolve(isEnding ? undefined : new Error(`it ended with status ${status}`)));
    }),
    end: () => {
      isEnding = true;
      void worker.terminate();
    },
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
