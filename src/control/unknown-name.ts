/** There is nothing of this name. */
import { RefuseError } from "#src/core/errors.ts";

export class UnknownNameError extends RefuseError {
  override name = "UnknownNameError";
}
