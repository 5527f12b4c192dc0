/** Small files that people write: certificates, keys, configuration. */
import fs from "node:fs";

export function readTextFile(path: string): string {
  return fs.readFileSync(path, "utf8");
}
