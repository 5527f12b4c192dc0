/** What is in this checkout, as another version of the program beside it. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "#test/tidy/project-files.ts";

/** In which file which text becomes which other one. */
export type Edit = readonly [file: string, from: string, to: string];

/** Answers where it is. */
export function otherVersion(folder: string, version: string, ...edits: readonly Edit[]): string {
  const place = join(folder, `tidemark-${version}`);
  cpSync(join(projectRoot, "src"), join(place, "src"), { recursive: true });
  linkPackages(place);
  const own = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as object;
  writeFileSync(join(place, "package.json"), JSON.stringify({ ...own, version }));
  for (const [file, from, to] of edits) {
    const text = readFileSync(join(place, file), "utf8");
    if (!text.includes(from)) throw new Error(`${file} has no '${from}'`);
    writeFileSync(join(place, file), text.replace(from, to));
  }
  return place;
}

/** One by one: what is compiled is kept beside them, and is not the same. */
function linkPackages(place: string): void {
  const [from, to] = [projectRoot, place].map((root) => join(root, "node_modules")) as [string, string];
  mkdirSync(to);
  for (const name of readdirSync(from)) if (name !== ".cache") symlinkSync(join(from, name), join(to, name));
}
