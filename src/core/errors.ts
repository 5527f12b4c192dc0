/**
 * Errors, sorted by what the one who catches them does next, not by where they came from. Whoever wraps an error hands
 * it on as `cause`; whoever handles it is the only one who logs it. Errors of the operating system stay what they are
 * until someone knows what to do about them.
 */

/** It may work a little later, with nothing changed. */
export class RetryError extends Error {
  override name = "RetryError";
}

/** There is no room, and will be none for a while: who can go on without had better do so, and come back by himself. */
export class OverflowError extends RetryError {
  override name = "OverflowError";
}

/** This connection is of no more use; a new one may be. */
export class ReconnectError extends Error {
  override name = "ReconnectError";
}

/** The two sides do not know any more what they have in common: compare, then go on. */
export class ResyncError extends Error {
  override name = "ResyncError";
}

/** What was asked for is not allowed, not understood or not there. Asking again gets the same answer. */
export class RefuseError extends Error {
  override name = "RefuseError";
}

/** Going on could lose or damage data: nothing more is done here until a person has looked. */
export class StopError extends Error {
  override name = "StopError";
}
