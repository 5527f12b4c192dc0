/** A mistake made on purpose: a text of the product is replaced by another one, in a copy of the project. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TextChange {
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface Break {
  readonly name: string;
  /** What would go wrong in the world because of it. */
  readonly harm: string;
  readonly changes: readonly TextChange[];
  /** Where few seeds find it: one that did when the table was made, for the long suite to begin with. Worlds change. */
  readonly knownSeed?: number;
}

/** A break that does not fit the code any more has to be made anew, or it proves nothing. */
export class BrokenBreak extends Error {
  override name = "BrokenBreak";
}

export function changedText(text: string, { file, from, to }: TextChange): string {
  const count = text.split(from).length - 1;
  if (count !== 1) throw new BrokenBreak(`${file} has ${count} times, where it should have once:\n${from}`);
  if (from === to) throw new BrokenBreak(`${file} would not be changed`);
  return text.replace(from, () => to);
}

export class BrokenCopy {
  readonly folder: string;

  constructor(project: string, changes: readonly TextChange[]) {
    this.folder = mkdtempSync(join(tmpdir(), "tidemark-break-"));
    for (const name of ["src", "test", "deploy", "package.json", "tsconfig.json", "vitest.config.ts"]) {
      cpSync(join(project, name), join(this.folder, name), { recursive: true });
    }
    symlinkSync(join(project, "node_modules"), join(this.folder, "node_modules"));
    for (const change of changes) {
      const path = join(this.folder, change.file);
      writeFileSync(path, changedText(readFileSync(path, "utf8"), change));
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
