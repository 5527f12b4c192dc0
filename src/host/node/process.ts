/**
 * Work in a process of its own, where a fault or a crash of what it uses is not ours. It looks to its parent like a thread;
 * it ends when the parent is gone, however that came.
 */
import { fork } from "node:child_process";
import module from "node:module";
import { dirname } from "node:path";
import { CrashError, type Thread } from "../thread.ts";

/** What a process is told first. */
export interface ProcessStart {
  readonly moduleUrl: string;
  readonly settings: unknown;
}

/** An argument of a process that does not give way to others; `process-start.js` knows it. */
export const noWayGiven = "no-way-given";

/** In the child's environment: where the parent keeps its compiled code; `process-start.js` knows it. */
const compileCacheVariable = "TIDEMARK_COMPILE_CACHE";

/** `moduleUrl` names a file that exports what `ThreadModule` says; `settings` are copied. */
export function startProcess(moduleUrl: URL, settings: unknown, { givesWay = true } = {}): Thread {
  const cache = module.getCompileCacheDir?.();
  const child = fork(new URL("./process-start.js", import.meta.url), givesWay ? [] : [noWayGiven], {
    serialization: "advanced",
    // Its own standard output would be taken for the program's.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { ...process.env, ...(cache === undefined ? {} : { [compileCacheVariable]: dirname(cache) }) },
  });
  let isEnding = false;
  const ended = new Promise<Error | undefined>((resolve) => {
    // More than one of these may come, and one that nobody hears of ends the program.
    child.on("error", resolve);
    child.once("exit", (status, signal) => resolve(isEnding ? undefined : endingOf(status, signal)));
  });
  const start: ProcessStart = { moduleUrl: moduleUrl.href, settings };
  // One that could not be started, for want of descriptors for example, has no line, and says so as its end.
  if (child.connected) child.send(start, () => {});
  return {
    send: (message) => {
      // What is sent to one that is gone is not answered, as if it had gone a moment later.
      if (child.connected) child.send(message as object, () => {});
    },
    receive: (listener) => void child.on("message", listener),
    ended,
    end: () => {
      isEnding = true;
      child.kill("SIGKILL");
    },
  };
}

const crashSignals: ReadonlySet<string> = new Set(["SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"]);

function endingOf(status: number | null, signal: string | null): Error {
  const message = `it ended with ${signal ?? `status ${status}`}`;
  return signal !== null && crashSignals.has(signal) ? new CrashError(message) : new Error(message);
}
