import { posix } from "node:path";
import { expect, test } from "vitest";
import { type PageParts, pageFiles } from "#src/control/page/page-modules.ts";
import type { ModuleSource } from "#src/host/module-source.ts";

const modules: Readonly<Record<string, string>> = {
  "ui/main": 'import { h } from "preact";\nimport { a } from "./view/a.ts";\nexport const from = "nowhere";',
  "ui/view/a":
    'import { b } from \'#src/core/b.ts\';\nimport * as hooks from "preact/hooks";\nexport { c } from "../c.ts";',
  "ui/c": 'const later = () => import("./view/a.ts");\nexport const c = later;',
  "core/b": "export const b = 1;",
  "core/unused": "",
};

const source: ModuleSource = {
  module: (path) => modules[path] ?? unknown(path),
  file: (path) => `of ${path}`,
  package: (name) =>
    name === "hooks.mjs" ? 'import{o}from"preact";\n//# sourceMappingURL=hooks.map\n' : "export const h = 1;",
};

function unknown(path: string): never {
  throw new Error(`there is no ${path}`);
}

const parts: PageParts = {
  entry: "ui/main",
  packages: { preact: "preact.mjs", "preact/hooks": "hooks.mjs" },
  styles: [{ served: "ui/a.css", from: { file: "ui/a.css" } }],
  icon: "ui/icon.svg",
};

let turns = 0;
const turn = async (): Promise<void> => void turns++;
const found = await pageFiles(source, parts, turn);

test("between any two modules others have their turn", () => {
  expect(turns).toBe(found.modules.length);
});

test("all that is imported is there, and nothing else", () => {
  expect([...found.files.keys()].sort()).toEqual([
    ...["core/b.js", "packages/preact-hooks.js", "packages/preact.js", "ui/a.css", "ui/c.js"],
    ...["ui/icon.svg", "ui/main.js", "ui/view/a.js"],
  ]);
  expect(found.modules[0]).toBe("ui/main.js");
});

test("every import is written as the way to a file that is there", () => {
  for (const [path, { text, type }] of found.files) {
    if (!type.startsWith("text/javascript")) continue;
    for (const [, specifier = ""] of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
      expect(specifier).toMatch(/^\.\.?\//);
      expect(found.files.has(posix.join(posix.dirname(path), specifier))).toBe(true);
    }
  }
  expect(found.files.get("ui/main.js")?.text).toContain('export const from = "nowhere"');
});

test("what leads nowhere here is taken out of packages", () => {
  expect(found.files.get("packages/preact-hooks.js")?.text).toBe('import{o}from"./preact.js";\n');
});

test("the digest is another one where anything is", async () => {
  const other = await pageFiles({ ...source, file: (path) => `another of ${path}` }, parts, turn);
  expect((await pageFiles(source, parts, turn)).digest).toBe(found.digest);
  expect(other.digest).not.toBe(found.digest);
});

test("a package that is not named is refused", async () => {
  const stray = {
    ...source,
    module: (path: string) => (path === "core/b" ? 'import "left-pad";' : source.module(path)),
  };
  await expect(pageFiles(stray, parts, turn)).rejects.toThrow();
});
