import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { SourceFile } from "./source-file.ts";

export const projectRoot = dirname(dirname(import.meta.dirname));

const folders = [".ci", "changes", "deploy", "docs", "src", "test"];
const textEndings = /\.(ts|js|md|sh|txt|json|yaml|toml|svg|service|socket)$|\/run$|^(LICENSE|\.npmrc|\.gitignore)$/;

/** All that people wrote: the lockfile is npm's. */
export function readProject(): SourceFile[] {
  const top = readdirSync(projectRoot, { withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = top.map((entry) => entry.name).filter((name) => name !== "package-lock.json");
  for (const folder of folders) paths.push(...listFolder(folder));
  return paths.filter((path) => textEndings.test(path)).map((path) => ({ path, text: read(path) }));
}

function listFolder(folder: string): string[] {
  const entries = readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)));
}

function read(path: string): string {
  return readFileSync(join(projectRoot, path), "utf8");
}
