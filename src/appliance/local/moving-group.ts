/**
 * A group whose spool is being moved or opened once more, or that waits for room to begin: it takes nothing until that is done,
 * and is there all the same.
 */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import type { GroupFigures } from "./group-figures.ts";
import type { GroupPolicy } from "./group-policy.ts";
import type { GroupStateFile } from "./group-state.ts";
import type { LocalGroup } from "./local-group.ts";
import { figuresWithoutSpool } from "./stopped-group.ts";

export const spoolIsMoving = "its spool is being moved";
export const spoolIsOpening = "its spool is being opened once more";
export const lacksRoomToBegin =
  "there is no room on the disk of the local appliance (make some, and it goes on by itself)";

export class MovingGroup {
  readonly state: GroupStateFile;
  readonly #policy: GroupPolicy;
  readonly #why: string;

  constructor(state: GroupStateFile, policy: GroupPolicy, why: string) {
    this.state = state;
    this.#policy = policy;
    this.#why = why;
  }

  /** For who wants something of it. */
  get refusal(): RetryError {
    return new RetryError(
      `group '${this.state.state.name}' can do nothing now, since ${this.#why}: try again when that is done`,
    );
  }

  figures(): GroupFigures {
    return figuresWithoutSpool(this.state.state, this.#policy, { state: "stalled", why: this.#why });
  }
}

/** A spool that can be read is given up only where the remote takes nothing of it, and no source needs the rest. */
export function refuseMove(group: LocalGroup): void {
  const { name, refusal } = group.figures();
  if (group.failure !== undefined) return;
  if (refusal === undefined) {
    throw new RefuseError(
      `the spool of group '${name}' is sound, and the remote appliance takes what is in it: no other one is needed`,
    );
  }
  const { half } = group.volumes;
  if (half === undefined) return;
  throw new RetryError(
    `the source of '${half}' is being brought up to date from the spool: try again when that is done`,
  );
}
