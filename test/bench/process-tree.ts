/**
 * However a benchmark ends early, nothing that it has started outlives it, or goes on writing into folders that are being removed:
 * its programs start others, and these notice only after a while that who has started them is gone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { descendantsOf, parseParent } from "./process-usage.ts";

const goneMs = 10_000;
const pollMs = 5;

/** Until it is disposed of, the end of this process is the end of all that it has started, and of what these have. */
export function endAllAtExit(): Disposable {
  // Before those who remove folders.
  process.prependOnceListener("exit", endAll);
  return { [Symbol.dispose]: () => process.off("exit", endAll) };
}

function endAll(): void {
  const ids = descendantsOf(parentsNow(), [process.pid]);
  for (const id of ids) end(id);
  const deadline = performance.now() + goneMs;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (!ids.every(hasEnded) && performance.now() < deadline) Atomics.wait(sleeper, 0, 0, pollMs);
}

function end(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
  }
}

function parentsNow(): Map<number, number> {
  const ids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return new Map(
    ids.flatMap((id) => {
      const stat = statOf(`/proc/${id}`);
      return stat === undefined ? [] : [[id, parseParent(stat)] as const];
    }),
  );
}

/** Nobody asks here how it ended, so it stays as a name at most: none of its threads does anything any more. */
export function hasEnded(id: number): boolean {
  const threads = `/proc/${id}/task`;
  try {
    return readdirSync(threads).every((thread) => {
      const stat = statOf(`${threads}/${thread}`);
      return stat === undefined || /^[XZ]/.test(stat.slice(stat.lastIndexOf(")") + 2));
    });
  } catch {
    return true;
  }
}

function statOf(folder: string): string | undefined {
  try {
    return readFileSync(`${folder}/stat`, "utf8");
  } catch {
    return undefined;
  }
}
