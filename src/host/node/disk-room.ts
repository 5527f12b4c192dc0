/** How much room a disk has. */
import { statfsSync } from "node:fs";

/** Of the file system that the path is on, for whoever is not root. Throws where there is none. */
export function freeDiskBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
