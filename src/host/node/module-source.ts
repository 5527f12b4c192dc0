/** Reads modules where this program itself was loaded from: TypeScript in a checkout, JavaScript in a package. */
import { existsSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import type { ModuleSource } from "../module-source.ts";

const sources = dirname(dirname(import.meta.dirname));

export const nodeModuleSource: ModuleSource = {
  module: (path) => {
    const typed = join(sources, `${path}.ts`);
    if (!existsSync(typed)) return readFileSync(join(sources, `${path}.js`), "utf8");
    return stripTypeScriptTypes(readFileSync(typed, "utf8"));
  },
  file: (path) => readFileSync(join(sources, path), "utf8"),
  package: (specifier) => readFileSync(new URL(import.meta.resolve(specifier)), "utf8"),
};
