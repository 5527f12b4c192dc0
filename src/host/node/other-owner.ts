/** Whose files are, for what root does by hand in the place of a service that is another user's. */
import fs from "node:fs";

/** The number of the user whose `path` is, where this program is root's and that is not. */
export function otherOwner(path: string): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = fs.statSync(path, { throwIfNoEntry: false })?.uid;
  return owner === 0 ? undefined : owner;
}
