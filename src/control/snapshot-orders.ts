/**
 * Snapshots that somebody asks for, of points that may not be sealed yet: what they need is sealed first, without waiting for more,
 * and then they are made. Whoever has waited long enough is told how far it is; asking again goes on where it is.
 *
 * Invariant: one snapshot of a group is made by order at a time for each seq, however often it is asked for.
 */
import type { RemoteGroupStatus } from "#src/appliance/remote/remote-group-status.ts";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { sealLookMs } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { MadeSnapshot, SnapshotAnswer } from "./snapshot-facts.ts";
import type { SnapshotAsk } from "./store-words.ts";

export type SealingGroup = Pick<
  RemoteGroupStatus,
  "id" | "name" | "received" | "stored" | "unsealedBytes" | "state" | "why" | "sealWhy" | "isSealStuck"
>;

export interface SnapshotOrdersParts {
  readonly clock: Clock;
  readonly groups: () => readonly SealingGroup[];
  /** Throws what keeps the group from it. */
  readonly sealUpTo: (group: string, seq: number) => void;
  readonly make: (ask: SnapshotAsk) => Promise<MadeSnapshot>;
}

export interface SnapshotOrder extends SnapshotAsk {
  readonly waitMs: number;
}

export class SnapshotOrders {
  readonly #parts: SnapshotOrdersParts;
  readonly #underWay = new Map<string, Promise<MadeSnapshot>>();

  constructor(parts: SnapshotOrdersParts) {
    this.#parts = parts;
  }

  async make({ waitMs, ...ask }: SnapshotOrder): Promise<SnapshotAnswer> {
    const { clock, sealUpTo } = this.#parts;
    const { group: id, seq } = ask;
    const untilMs = clock.monotonicMs() + waitMs;
    for (;;) {
      const group = this.#group(id);
      if (group.stored >= seq) break;
      if (seq > group.received) throw new RefuseError(`record ${seq} is not here yet: the newest is ${group.received}`);
      assertGoesOn(group);
      sealUpTo(id, seq);
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0) return waitsOf(group, seq);
      await this.#pause(Math.min(leftMs, sealLookMs));
    }
    const made = await Promise.race([this.#made(ask), this.#pause(Math.max(0, untilMs - clock.monotonicMs()))]);
    return made === undefined ? waitsOf(this.#group(id), seq) : { made };
  }

  #group(id: string): SealingGroup {
    const group = this.#parts.groups().find((one) => one.id === id);
    if (group === undefined) throw new RefuseError(`there is no group ${id.slice(0, 32)} here`);
    return group;
  }

  #made(ask: SnapshotAsk): Promise<MadeSnapshot> {
    const key = `${ask.group} ${ask.volume} ${ask.seq}`;
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const making = this.#parts.make(ask).finally(() => this.#underWay.delete(key));
    // Nobody may be there any more to be told.
    making.catch(() => {});
    this.#underWay.set(key, making);
    return making;
  }

  #pause(delayMs: number): Promise<undefined> {
    return new Promise((resolve) => this.#parts.clock.timer(delayMs, () => resolve(undefined)));
  }
}

/** What does not pass by itself is said at once. */
function assertGoesOn({ name, state, why, sealWhy, isSealStuck }: SealingGroup): void {
  if (state === "stopped") throw new StopError(`group '${name}' is stopped at the remote appliance: ${why}`);
  if (state === "full") throw new RetryError(`what it needs cannot be sealed while the disk is full: ${why}`);
  if (isSealStuck === true) throw new StopError(`what it needs cannot be sealed: ${sealWhy}`);
}

function waitsOf({ stored, unsealedBytes, sealWhy }: SealingGroup, seq: number): SnapshotAnswer {
  const why = sealWhy === undefined ? {} : { why: sealWhy };
  return { waits: { seq, storedSeq: stored, unsealedBytes, ...why } };
}
