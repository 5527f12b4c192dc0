/** The wall clock of processes under test, as a test sets it; only the wall clock, as when somebody sets it. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `file`: of the test's own. */
export function settableClock(file: string) {
  /** From now on it is wrong by so much. */
  const jump = (offsetMs: number): void => {
    writeFileSync(`${file}.new`, String(offsetMs));
    renameSync(`${file}.new`, file);
  };
  jump(0);
  const preloads = [join(import.meta.dirname, "jumping-clock.js")];
  return { jump, clocks: { preloads, environment: { CLOCK_OFFSET_FILE: file } } };
}
