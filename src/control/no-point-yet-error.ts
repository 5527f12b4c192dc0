/** A volume was asked for of which there is no point yet: its first record, or first copy, is on its way here. */
import { RefuseError } from "#src/core/errors.ts";

export class NoPointYetError extends RefuseError {
  override name = "NoPointYetError";
  /** Without the volume's name, for people. */
  readonly why: string;

  constructor(volume: string, why: string) {
    super(`volume '${volume}': ${why}`);
    this.why = why;
  }
}
