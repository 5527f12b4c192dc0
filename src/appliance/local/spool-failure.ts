/** Errors of the disk that a spool is on, as what they are for its group: its end, or something to wait for. */
import { RetryError, StopError } from "#src/core/errors.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";

/** What has no code is not of the disk, and is thrown as it is. */
export function spoolFailure(folder: string, what: string, error: NodeJS.ErrnoException): RetryError | StopError {
  if (error instanceof RetryError) return error;
  if (error.code === undefined) throw error;
  if (!isLackOfRoom(error)) return spoolStop(folder, what, error);
  return new RetryError(`the spool in ${folder} cannot be ${what} for want of room: ${error.message}`, {
    cause: error,
  });
}

export function spoolStop(folder: string, what: string, cause: Error): StopError {
  return new StopError(`the spool in ${folder} could not be ${what}: ${cause.message}`, { cause });
}
