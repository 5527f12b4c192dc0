/** A group that could not be started, as a rule since its spool is lost. It protects nothing, keeps what it has, and says what to do. */
import { RetryError } from "#src/core/errors.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import { type GroupFigures, namedVolumes } from "./group-figures.ts";
import type { GroupPolicy } from "./group-policy.ts";
import type { GroupState, GroupStateFile } from "./group-state.ts";

const moveSpool = "'tidemark volume move-spool'";
const noShipping = { shippedBytes: 0, wireBytes: 0, aggregates: 0, foldedBytes: 0 };

export class StoppedGroup {
  readonly state: GroupStateFile;
  readonly #failure: Error;
  readonly #policy: GroupPolicy;

  constructor(state: GroupStateFile, failure: Error, policy: GroupPolicy) {
    this.state = state;
    this.#failure = failure;
    this.#policy = policy;
  }

  /** It lacks room, or a descriptor: there may be some later. */
  get mayPass(): boolean {
    return this.#failure instanceof RetryError || isLackOfRoom(this.#failure);
  }

  get #why(): string {
    const { message } = this.#failure;
    if (this.mayPass) return `${message}: it is tried again by itself, or another is begun with ${moveSpool}`;
    return `${message}: bring it back as it was and start anew, or begin another with ${moveSpool}`;
  }

  hasFailedAs({ message }: Error): boolean {
    return this.#failure.message === message;
  }

  /** For who comes to attach a volume: he may come again, since somebody may have done what is to be done. */
  get refusal(): RetryError {
    return new RetryError(`the group '${this.state.state.name}' is stopped: ${this.#why}`, { cause: this.#failure });
  }

  figures(): GroupFigures {
    return figuresWithoutSpool(this.state.state, this.#policy, { state: "stopped", why: this.#why });
  }
}

/** Of a group that has no spool to tell of. */
export function figuresWithoutSpool(
  group: Pick<GroupState, "id" | "name" | "mode" | "wantedMode" | "epoch" | "volumes">,
  policy: GroupPolicy,
  condition: Pick<GroupFigures, "state" | "why">,
): GroupFigures {
  const { id, name, mode, wantedMode, epoch } = group;
  return {
    ...{ id, name, mode, wantedMode, epoch },
    ...namedVolumes(group),
    ...condition,
    ...{ pressure: 1, linkUp: false },
    ...{ received: 0, durable: 0, stored: 0, lastSeq: 0, spoolDurableSeq: 0 },
    ...{ spoolBytes: 0, spoolLimitBytes: policy.spoolLimitBytes },
    ...{ lagRecords: 0, lagBytes: 0, lagSeconds: 0 },
    ...noShipping,
  };
}
