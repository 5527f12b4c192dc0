/**
 * The files of the page, as a browser gets them: from one module on all that is imported, each import written as the path that it
 * is served under.
 *
 * Invariant: every import of a file leads to another file that is here.
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { assert } from "#src/core/assert.ts";
import type { ModuleSource } from "#src/host/module-source.ts";

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

export interface PageParts {
  /** Within `src`, without an ending. */
  readonly entry: string;
  /** Of packages: under which name modules import each, and what it is called in its package. */
  readonly packages: Readonly<Record<string, string>>;
  /** What else the document names: under which path each is served, and where it is. */
  readonly styles: readonly PageStyle[];
  readonly icon: string;
}

export interface PageStyle {
  readonly served: string;
  readonly from: { readonly file: string } | { readonly package: string };
}

export interface PageFiles {
  /** By their paths, below one folder. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** The modules among them, the one that is asked for first first. */
  readonly modules: readonly string[];
  /** Of all of them: where one has changed it is another one. */
  readonly digest: string;
}

const script = "text/javascript; charset=utf-8";
/** Follows `from` or `import`, with or without a bracket. */
const specifierPattern = /(?<=\b(?:from|import)\s*\(?\s*)(["'])([^"'\n]+)\1/g;

/** `turn`: resolves when others have had theirs. To take the types out of a module is a millisecond of work, and there are many. */
export async function pageFiles(source: ModuleSource, parts: PageParts, turn: () => Promise<void>): Promise<PageFiles> {
  const { entry, packages, styles, icon } = parts;
  const files = new Map<string, PageFile>();
  const pending = [`${entry}.js`];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (files.has(path)) continue;
    const { text, imported } = rewritten(path, source, packages);
    files.set(path, { type: script, text });
    pending.push(...imported);
    await turn();
  }
  const modules = [...files.keys()];
  for (const { served, from } of styles) {
    const text = "file" in from ? source.file(from.file) : source.package(from.package);
    files.set(served, { type: "text/css; charset=utf-8", text });
  }
  files.set(icon, { type: "image/svg+xml", text: source.file(icon) });
  return { files, modules, digest: digestOf(files) };
}

interface Rewritten {
  readonly text: string;
  readonly imported: readonly string[];
}

function rewritten(path: string, source: ModuleSource, packages: PageParts["packages"]): Rewritten {
  const imported: string[] = [];
  const text = textOf(path, source, packages).replace(specifierPattern, (_, quote: string, specifier: string) => {
    const target = targetOf(specifier, path, packages);
    imported.push(target);
    const way = posix.relative(posix.dirname(path), target);
    return `${quote}${way.startsWith(".") ? way : `./${way}`}${quote}`;
  });
  return { text, imported };
}

function textOf(path: string, source: ModuleSource, packages: PageParts["packages"]): string {
  const name = Object.keys(packages).find((one) => packagePath(one) === path);
  if (name === undefined) return source.module(path.replace(/\.js$/, ""));
  // What it says of where its sources are leads nowhere here.
  return source.package(packages[name] as string).replace(/\/\/# sourceMappingURL=.*\s*$/, "");
}

function targetOf(specifier: string, path: string, packages: PageParts["packages"]): string {
  if (Object.hasOwn(packages, specifier)) return packagePath(specifier);
  const isOwn = specifier.startsWith(".") || specifier.startsWith("#src/");
  assert(isOwn, "the page imports no other packages than those that are named");
  const target = specifier.startsWith(".")
    ? posix.join(posix.dirname(path), specifier)
    : specifier.slice("#src/".length);
  return target.replace(/\.(ts|js)$/, ".js");
}

function packagePath(name: string): string {
  return `packages/${name.replace("/", "-")}.js`;
}

function digestOf(files: ReadonlyMap<string, PageFile>): string {
  const digest = createHash("sha256");
  for (const [path, { text }] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    digest.update(`${path}\0${text.length}\0${text}`);
  }
  return digest.digest("hex").slice(0, 16);
}
