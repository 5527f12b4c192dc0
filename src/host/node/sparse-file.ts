/** A file of a given size that takes no space yet. */
import fs from "node:fs";
import { join } from "node:path";

/** Makes the folder and the file where they are missing, and leaves alone what is there. */
export function createSparseFile(folder: string, name: string, sizeBytes: number): string {
  const path = join(folder, name);
  fs.mkdirSync(folder, { recursive: true });
  if (!fs.existsSync(path)) {
    const fd = fs.openSync(path, "wx");
    fs.ftruncateSync(fd, sizeBytes);
    fs.closeSync(fd);
  }
  return path;
}
