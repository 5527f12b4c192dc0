/** An error on its way between the control plane and a side. */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { inWords } from "#src/host/system-words.ts";

export interface SideError {
  readonly name: string;
  readonly message: string;
}

/** A fault of this program is no answer: it is thrown, and the thread ends with it. */
export function toldError(error: unknown): SideError {
  const { name } = error as Error;
  if (name === "AssertionError" || name === "TypeError") throw error;
  return { name: kindOf(error), message: inWords(error) };
}

/** What the other thread does next: of what kind of refusal it was its message alone tells there. */
function kindOf(error: unknown): string {
  if (error instanceof RefuseError) return "RefuseError";
  return error instanceof RetryError ? "RetryError" : (error as Error).name;
}

/** What is refused, or may work later, stays so on its way between the threads; the rest is said as it was. */
export function errorOf({ name, message }: SideError): Error {
  if (name === "RefuseError") return new RefuseError(message);
  return name === "RetryError" ? new RetryError(message) : new Error(message);
}
