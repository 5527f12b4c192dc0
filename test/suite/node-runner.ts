/** Tests are loaded by Node itself, as the product is, and what was compiled for earlier ones is taken from its cache. */
import module, { type ResolveHookSync } from "node:module";
import { pathToFileURL } from "node:url";
import { TestRunner } from "vitest";
import { projectRoot } from "#test/tidy/project-files.ts";

const root = pathToFileURL(`${projectRoot}/`).href;
const packages = `${root}node_modules/`;

/** Of a module that one of ours imports; undefined where it is none of ours. As `src/host/node/own-modules.js` does for the product. */
function ownUrl(specifier: string, parent: string): string | undefined {
  if (specifier.startsWith("#src/") || specifier.startsWith("#test/")) return root + specifier.slice(1);
  return specifier.startsWith("./") || specifier.startsWith("../") ? new URL(specifier, parent).href : undefined;
}

const resolve: ResolveHookSync = (specifier, context, next) => {
  const parent = context.parentURL;
  if (parent === undefined || !parent.startsWith(root) || parent.startsWith(packages)) return next(specifier, context);
  const url = ownUrl(specifier, parent);
  if (url === undefined || !/\.[jt]s$/.test(url)) return next(specifier, context);
  return { url, format: url.endsWith(".ts") ? "module-typescript" : "module", shortCircuit: true };
};

// Ahead of Vitest's own, which tells its main process of each import: whoever watches for changes needs that, and nobody else.
if (process.env.VITEST_MODE !== "WATCH") module.registerHooks({ resolve });

class NodeRunner extends TestRunner {
  /** By its own name: Vitest's would be another one for each run, and nothing in the cache would ever be found. */
  override importFile(path: string): Promise<unknown> {
    return import(pathToFileURL(path).href);
  }
}

// By this name Vitest asks for it.
export { NodeRunner as default };
