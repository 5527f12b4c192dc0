/** A sync of a folder has failed: nobody knows which names in it are on the disk. For most an error as any other that stops. */
import { StopError } from "#src/core/errors.ts";

export class UnknownNamesError extends StopError {}
