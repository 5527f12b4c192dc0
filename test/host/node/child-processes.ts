/** What a process has started, and has not ended. */
import { readdirSync, readFileSync } from "node:fs";

export function childProcessIds(parent: number = process.pid): number[] {
  const threads = readdirSync(`/proc/${parent}/task`).map((id) => `/proc/${parent}/task/${id}/children`);
  return threads.flatMap((path) => readFileSync(path, "utf8").split(" ").filter(Boolean).map(Number));
}

/** The one that `begin` has started. */
export async function startedBy<Result>(begin: () => Promise<Result>): Promise<{ result: Result; pid: number }> {
  const before = childProcessIds();
  const result = await begin();
  const [pid, ...others] = childProcessIds().filter((one) => !before.includes(one)) as [number, ...number[]];
  if (others.length > 0) throw new Error(`more than one process was started: ${[pid, ...others].join(", ")}`);
  return { result, pid };
}
