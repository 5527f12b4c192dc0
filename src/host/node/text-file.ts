/** Small files that people write: certificates, keys, configuration. */
import fs from "node:fs";

export function readTextFile(path: string): string {
  return fs.readFileSync(path, "utf8");
}

/** For a thread that must go on meanwhile, whatever the disk does. */
export function readTextFileLater(path: string): Promise<string> {
  return fs.promises.readFile(path, "utf8");
}
