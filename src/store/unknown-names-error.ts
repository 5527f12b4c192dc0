/** A sync of a folder has failed: nobody knows which names in it are on the disk. For most an error as any other that stops. */
import { StopError } from "#src/core/errors.ts";
import { inWords } from "#src/host/system-words.ts";
import { isOfSystem } from "./object-error.ts";

export class UnknownNamesError extends StopError {}

/** What follows from the error of a sync of this folder. */
export function afterFailedSync(error: unknown, folder: string): unknown {
  // Where the folder could not even be opened nothing was tried: the next sync is told what this one would have been.
  const isTried = isOfSystem(error) && (error as NodeJS.ErrnoException).syscall !== "open";
  if (!isTried) return error;
  return new UnknownNamesError(`nobody knows what is in ${folder}: ${inWords(error)}`, { cause: error });
}
