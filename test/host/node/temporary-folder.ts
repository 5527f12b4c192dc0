/** A folder of the real file system that is gone after the test, or whenever what has it ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Outlast } from "#test/once-for-file.ts";

export function temporaryFolder(outlast: Outlast = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-test-"));
  outlast(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
