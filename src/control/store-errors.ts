/** Errors on their way out of the process that keeps the store: what they were sorted by survives, what they carry does not. */
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import { inWords } from "#src/host/system-words.ts";

export interface SentError {
  readonly kind: "retry" | "refuse" | "stop";
  readonly message: string;
}

export function sentError(error: unknown): SentError {
  return { kind: kindOf(error), message: inWords(error) };
}

function kindOf(error: unknown): SentError["kind"] {
  if (error instanceof RetryError || isLackOfRoom(error)) return "retry";
  return error instanceof RefuseError ? "refuse" : "stop";
}

export function receivedError({ kind, message }: SentError): Error {
  if (kind === "retry") return new RetryError(message);
  return kind === "refuse" ? new RefuseError(message) : new StopError(message);
}
