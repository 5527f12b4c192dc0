/** The tests that say by their names which faults they are about: a name begins with `fault 7: …`, and groups may have one. */
import { namedTests } from "./named-tests.ts";
import type { SourceFile } from "./source-file.ts";

export interface FaultTest {
  readonly path: string;
  readonly title: string;
  readonly faults: readonly number[];
}

export function faultTests(files: readonly SourceFile[]): FaultTest[] {
  return namedTests(files, "fault").map(({ path, title, about }) => ({ path, title, faults: about.map(Number) }));
}
