/** Errors on their way out of the process that keeps the store: what they were sorted by survives, what they carry does not. */
import { OverflowError, RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { isLackOfRoom, isLackOfSpace } from "#src/host/lack-of-room.ts";
import { inWords } from "#src/host/system-words.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";
import { CancelledError } from "#src/store/work-control.ts";

export interface SentError {
  readonly kind: "retry" | "refuse" | "stop" | "cancelled" | "unknown names" | "overflow";
  readonly message: string;
}

export function sentError(error: unknown): SentError {
  return { kind: kindOf(error), message: inWords(error) };
}

function kindOf(error: unknown): SentError["kind"] {
  if (isForSpace(error)) return "overflow";
  if (error instanceof UnknownNamesError) return "unknown names";
  if (error instanceof CancelledError) return "cancelled";
  if (error instanceof RetryError || isLackOfRoom(error)) return "retry";
  return error instanceof RefuseError ? "refuse" : "stop";
}

/** The disk of the store is full. */
function isForSpace(error: unknown): boolean {
  return isLackOfSpace(error) || (error instanceof RetryError && isLackOfSpace(error.cause));
}

export function receivedError({ kind, message }: SentError): Error {
  if (kind === "overflow") return new OverflowError(message);
  if (kind === "unknown names") return new UnknownNamesError(message);
  if (kind === "cancelled") return new CancelledError();
  if (kind === "retry") return new RetryError(message);
  return kind === "refuse" ? new RefuseError(message) : new StopError(message);
}
