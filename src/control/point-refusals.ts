/** Why a point that was asked for is refused, where more follows from that than words. */
import { RefuseError } from "#src/core/errors.ts";

class PointRefusal extends RefuseError {
  /** Without the volume's name, for people. */
  readonly why: string;

  constructor(volume: string, why: string) {
    super(`volume '${volume}': ${why}`);
    this.why = why;
  }
}

/** There is no point of the volume yet: its first record, or first copy, is on its way here. */
export class NoPointYetError extends PointRefusal {
  override name = "NoPointYetError";
}

/** It may be among records which are damaged or missing: nobody can tell. */
export class LostPointError extends PointRefusal {
  override name = "LostPointError";
}
