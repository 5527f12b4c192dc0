/** What the system says, told as what the one who works with objects does next. */
import { RetryError, StopError } from "#src/core/errors.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import { inWords } from "#src/host/system-words.ts";

const ofAbsence = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

/** There is no file of this name, though there may be a folder. */
export function isAbsence(error: unknown): boolean {
  return ofAbsence.has(codeOf(error) ?? "");
}

/** Faults of this program, and errors that have been translated already, are not. */
export function isOfSystem(error: unknown): boolean {
  return !(error instanceof TypeError) && codeOf(error) !== undefined;
}

/** `what` failed: for want of room it may work later, else nobody knows what is there. */
export function objectError(error: unknown, what: string): unknown {
  if (!isOfSystem(error)) return error;
  const message = `${what}: ${inWords(error)}`;
  return isLackOfRoom(error) ? new RetryError(message, { cause: error }) : new StopError(message, { cause: error });
}

/** `what` failed, and surely nothing has come of it: whatever the reason, it can be begun anew. */
export function failureWithoutTrace(error: unknown, what: string): unknown {
  if (!isOfSystem(error)) return error;
  return new RetryError(`${what}: ${inWords(error)}`, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
