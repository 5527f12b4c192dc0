/** A file of a given size that takes no space yet. */
import fs from "node:fs";
import { join } from "node:path";

/** Makes the folder and the file where they are missing, and leaves alone what is there. The folder's parent must exist. */
export function createSparseFile(folder: string, name: string, sizeBytes: number): string {
  const path = join(folder, name);
  // Not recursive: on /proc and the like Node would go on trying for ever.
  if (!fs.existsSync(folder)) fs.mkdirSync(folder);
  if (!fs.existsSync(path)) {
    const fd = fs.openSync(path, "wx");
    fs.ftruncateSync(fd, sizeBytes);
    fs.closeSync(fd);
  }
  return path;
}
