/**
 * Makes `dist`, the part of the npm package that differs from the checkout: Node strips no types of files inside
 * `node_modules`, so there every module is JavaScript, and names others by relative paths. `npm pack` runs this before, and
 * `node deploy/pack.js --clean` behind. Runs on the Node that package.json pins.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "src");
const target = join(root, "dist");
const launcher = "cli/launch.js";
/** A text that names a module of ours: relative, or within `src`. */
const moduleName = /(["'])((?:#src|\.\.?)\/[^"'\n]*)\.ts\1/g;

/** `folder`: of the file that names it, within `src`. */
function emitted(text, folder) {
  return text.replaceAll(moduleName, (_, quote, path) => {
    const inside = path.startsWith("#src/") ? relative(folder, path.slice("#src/".length)) : path;
    return `${quote}${inside.startsWith(".") ? inside : `./${inside}`}.js${quote}`;
  });
}

function withoutTypes(path) {
  return stripTypeScriptTypes(readFileSync(join(sources, path), "utf8"));
}

function emit() {
  rmSync(target, { recursive: true, force: true });
  const entries = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of entries.map((entry) => relative(sources, join(entry.parentPath, entry.name)))) {
    // Is in the package as it is.
    if (path === launcher) continue;
    mkdirSync(join(target, dirname(path)), { recursive: true });
    if (path.endsWith(".js"))
      writeFileSync(join(target, path), emitted(readFileSync(join(sources, path), "utf8"), dirname(path)));
    else if (!path.endsWith(".ts")) copyFileSync(join(sources, path), join(target, path));
    else writeFileSync(join(target, path.replace(/ts$/, "js")), emitted(withoutTypes(path), dirname(path)));
  }
}

/** For those who use the library: of the modules that its entry reaches. */
function emitDeclarations() {
  const compiler = spawnSync(join(root, "node_modules/.bin/tsc"), ["--project", join(root, "deploy/pack.json")], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (compiler.status !== 0) throw new Error("the declarations of types could not be made");
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".d.ts")) continue;
    const path = join(entry.parentPath, entry.name);
    writeFileSync(path, emitted(readFileSync(path, "utf8"), relative(target, entry.parentPath)));
  }
}

if (process.argv[2] === "--clean") rmSync(target, { recursive: true, force: true });
else {
  emit();
  emitDeclarations();
}
