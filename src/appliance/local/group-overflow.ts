/** What a group does when its spool overflows: it lets go of its volumes, and refuses them until there is room. */
import { OverflowError } from "#src/core/errors.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { GroupPolicy } from "./group-policy.ts";
import type { GroupVolumes } from "./group-volumes.ts";
import type { Order } from "./order.ts";
import { Overflow, type OverflowFacts } from "./overflow.ts";
import type { Spool } from "./spool.ts";

export interface GroupOverflowParts {
  readonly spool: Spool;
  readonly policy: GroupPolicy;
  readonly clock: Clock;
  readonly log: Log;
  readonly order: Order;
  readonly volumes: GroupVolumes;
  readonly remote: () => { readonly isLinkUp: boolean; readonly durableSeq: number };
}

export class GroupOverflow {
  readonly #parts: GroupOverflowParts;
  readonly #overflow: Overflow;

  constructor(parts: GroupOverflowParts) {
    this.#parts = parts;
    const { overflow, overflowAfterMs, mode } = parts.policy;
    this.#overflow = new Overflow({ overflow, overflowAfterMs, returnAfterMs: mode.returnAfterMs });
    this.#overflow.begin(this.#facts);
  }

  /** Why volumes are refused. */
  get refusal(): OverflowError | undefined {
    if (!this.#overflow.isOverflowed) return undefined;
    return new OverflowError(
      "the spool was full for too long: volumes go on unprotected, and are journaled anew when the remote has taken half of it",
    );
  }

  /** A volume was refused whose source lacks what nothing else keeps in the spool. */
  holderCame(): void {
    this.#overflow.holderCame();
  }

  /** From time to time; true: it must be looked again. */
  look(): boolean {
    if (this.#overflow.look(this.#facts)) this.#changed();
    return this.#overflow.isOverflowed;
  }

  #changed(): void {
    const { log, volumes, order } = this.#parts;
    const { refusal } = this;
    if (refusal === undefined) return log.info("the spool has room again: volumes may come back");
    log.warn("the spool is full: its volumes go on unprotected");
    order.commit();
    volumes.loseAll(refusal);
  }

  get #facts(): OverflowFacts {
    const { spool, policy, clock, order, remote } = this.#parts;
    const { isLinkUp, durableSeq } = remote();
    return {
      nowMs: clock.monotonicMs(),
      isLinkUp,
      isStuck: order.isStuck,
      usedBytes: spool.usedBytes,
      limitBytes: policy.spoolLimitBytes,
      undurableBytes: spool.bytesAfter(durableSeq),
    };
  }
}
