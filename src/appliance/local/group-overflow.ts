/** What a group does when its spool overflows: it lets go of its volumes, and refuses them until there is room. */
import { OverflowError } from "#src/core/errors.ts";
import { batchBytesMax } from "#src/core/limits.ts";
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
    this.#overflow.begin({ ...this.#facts, isStuck: parts.spool.isFull(batchBytesMax) });
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
    const { log, order, volumes } = this.#parts;
    const hasChanged = this.#overflow.look(this.#facts);
    const { refusal } = this;
    if (refusal === undefined) {
      if (hasChanged) log.info("the spool has room again: volumes may come back");
      return false;
    }
    if (hasChanged) log.warn("the spool is full: its volumes go on unprotected");
    order.commit();
    const links = [...volumes.links];
    // One that was let in all the same goes when it is known to have got what its source lacked.
    volumes.letGo(hasChanged ? links : links.filter((link) => link.hasReported), refusal);
    return true;
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
