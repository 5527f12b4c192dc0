/** A point was asked for that may be among records which are damaged or missing: nobody can tell. */
import { RefuseError } from "#src/core/errors.ts";

export class LostPointError extends RefuseError {
  override name = "LostPointError";
  /** Without the volume's name, for people. */
  readonly why: string;

  constructor(volume: string, why: string) {
    super(`volume '${volume}': ${why}`);
    this.why = why;
  }
}
