/** What a path leads to: links are followed, as far as there is something. */
import fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export function realPath(path: string): string {
  const absolute = resolve(path);
  try {
    return fs.realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realPath(parent), basename(absolute));
  }
}
