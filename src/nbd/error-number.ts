/** How an error of what stands behind an export is told to the client. */
import { nbdError } from "./constants.ts";

export function nbdErrorOf(error: unknown): number {
  if (error === null) return nbdError.ok;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return nbdError.noSpace;
    case "EPERM":
    case "EACCES":
    case "EROFS":
      return nbdError.notPermitted;
    case "ENOMEM":
      return nbdError.noMemory;
    default:
      return nbdError.io;
  }
}
