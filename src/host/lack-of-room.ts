/** Errors of the system that change nothing in what is there: the same call may work when somebody has made room. */

const ofSpace = new Set(["ENOSPC", "EDQUOT"]);
const ofDescriptors = new Set(["EMFILE", "ENFILE"]);

/** On the disk. */
export function isLackOfSpace(error: unknown): boolean {
  return ofSpace.has(codeOf(error));
}

/** For open files. */
export function isLackOfDescriptors(error: unknown): boolean {
  return ofDescriptors.has(codeOf(error));
}

export function isLackOfRoom(error: unknown): boolean {
  return isLackOfSpace(error) || isLackOfDescriptors(error);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "";
}
