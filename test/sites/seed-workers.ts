/** Shares a range of seeds among processes. A worker is this file, started as a program. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { addSummary, emptySummary, type RangeSummary, runRange } from "./seed-range.ts";

interface Task {
  readonly first: number;
  readonly count: number;
  readonly failuresMax: number;
}

/** Worlds come and go by the dozen: the collector is told to let the memory of some of them be before it begins. */
const execArgv = [
  "--disable-warning=ExperimentalWarning",
  "--single-threaded-gc",
  "--external-memory-accounted-in-global-limit",
  "--initial-old-space-size=512",
  "--min-semi-space-size=16",
];

/** Small enough that no worker is left alone with a long rest. */
const seedsPerTask = 200;

export interface SharedRun extends Task {
  readonly workers: number;
  /** After each part that is done. */
  readonly progress?: (sum: RangeSummary) => void;
  /** Aborted: no more parts are begun. */
  readonly signal?: AbortSignal;
}

/** Ends early once so many seeds have failed, or by its signal; those under way are still counted. */
export async function runShared(run: SharedRun): Promise<RangeSummary> {
  const sum = emptySummary();
  const end = run.first + run.count;
  let next = run.first;
  const takeTask = (): Task | undefined => {
    if (next >= end || sum.failures.length >= run.failuresMax || run.signal?.aborted === true) return undefined;
    const task = { first: next, count: Math.min(seedsPerTask, end - next), failuresMax: run.failuresMax };
    next += task.count;
    return task;
  };
  const add = (part: RangeSummary): void => {
    addSummary(sum, part);
    run.progress?.(sum);
  };
  await Promise.all(Array.from({ length: run.workers }, () => work(takeTask, add)));
  return sum;
}

function work(takeTask: () => Task | undefined, add: (part: RangeSummary) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = fork(fileURLToPath(import.meta.url), ["worker"], { execArgv });
    let isDone = false;
    const give = (): void => {
      const task = takeTask();
      if (task !== undefined) {
        worker.send(task);
        return;
      }
      isDone = true;
      worker.disconnect();
    };
    worker.on("message", (part) => {
      add(part as RangeSummary);
      give();
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      if (isDone) resolve();
      else reject(new Error(`a worker of the simulation ended with status ${code}`));
    });
    give();
  });
}

if (process.argv[2] === "worker" && process.send !== undefined) {
  // A terminal interrupts all processes of the foreground: whoever gives out the parts ends when these are done.
  process.on("SIGINT", () => {});
  process.on("message", (task: Task) => {
    void runRange(task.first, task.count, task.failuresMax).then((summary) => process.send?.(summary));
  });
}
