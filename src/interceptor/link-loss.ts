/** What the loss of a link means. */
import { ReconnectError, RefuseError, RetryError } from "#src/core/errors.ts";

/** Whether the appliance may be there again, as if nothing had been. */
export function mayComeBack(error: unknown): boolean {
  return error instanceof ReconnectError || error instanceof RetryError;
}

/** While coming back a refusal is no last word: the appliance may not have noticed yet that the former link is gone. */
export function mayTryAgain(error: unknown): boolean {
  return mayComeBack(error) || error instanceof RefuseError;
}

const told = new WeakSet<Error>();

/** It came from the appliance, and the source had no part in it. */
export function toldByAppliance(error: Error): Error {
  told.add(error);
  return error;
}

export function isToldByAppliance(error: Error): boolean {
  return told.has(error);
}
