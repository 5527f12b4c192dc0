/**
 * A file of src that no entry point reaches and no test other than its own uses is dead. The ground that the other layers
 * stand on (core and host) may be there before them: for it, its own test is a use.
 */
import { posix } from "node:path";
import { isCode, isProduct, type SourceFile } from "./source-file.ts";
import { importsOf } from "./syntax.ts";

export function deadFileFindings(files: readonly SourceFile[], entryPoints: readonly string[]): string[] {
  const targets = new Map(files.filter(isCode).map((file) => [file.path, targetsOf(file)]));
  const reached = new Set<string>();
  const pending = [...entryPoints];
  for (const [path, imports] of targets) {
    if (path.startsWith("test/"))
      pending.push(...imports.filter((target) => isGround(target) || target !== subjectOf(path)));
  }
  while (pending.length > 0) {
    const path = pending.pop() as string;
    if (reached.has(path)) continue;
    reached.add(path);
    pending.push(...(targets.get(path) ?? []));
  }
  const dead = files.filter((file) => isProduct(file) && !reached.has(file.path));
  return dead.map((file) => `${file.path}: nothing reaches this file, its own test aside`);
}

function targetsOf(file: SourceFile): string[] {
  return importsOf(file).flatMap(({ specifier }) => {
    if (specifier.startsWith("#")) return [specifier.slice(1)];
    return specifier.startsWith(".") ? [posix.join(posix.dirname(file.path), specifier)] : [];
  });
}

function subjectOf(testPath: string): string {
  return testPath.replace(/^test\//, "src/").replace(/(\.long)?\.test\.ts$/, ".ts");
}

function isGround(path: string): boolean {
  return path.startsWith("src/core/") || path.startsWith("src/host/");
}

/** The files that package.json names as the program and the library; what stands in `dist` is made of what stands in `src`. */
export function entryPointsOf(packageText: string): string[] {
  const { bin, exports } = JSON.parse(packageText) as { readonly bin?: Paths; readonly exports?: Paths };
  return [...pathsIn(bin ?? {}), ...pathsIn(exports ?? {})].filter((path) => !path.startsWith("dist/"));
}

/** Where an import is resolved by conditions there is one path for each. */
interface Paths {
  readonly [name: string]: string | Paths;
}

function pathsIn(paths: Paths): string[] {
  return Object.values(paths).flatMap((one) => (typeof one === "string" ? [posix.normalize(one)] : pathsIn(one)));
}
