/** A group whose spool is being moved, or opened once more: it takes nothing until that is done, and is there all the same. */
import { RetryError } from "#src/core/errors.ts";
import type { GroupFigures } from "./group-figures.ts";
import type { GroupPolicy } from "./group-policy.ts";
import type { GroupStateFile } from "./group-state.ts";
import { figuresWithoutSpool } from "./stopped-group.ts";

export const spoolIsMoving = "its spool is being moved";
export const spoolIsOpening = "its spool is being opened once more";

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
