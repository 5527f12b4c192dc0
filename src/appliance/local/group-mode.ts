/**
 * The mode of a group at work: asks `ModeMachine` what is to be done, and puts switches into the order. Before anything
 * changes, what was added so far gets its place, so that it falls under the mode it was added in.
 */
import { assert } from "#src/core/assert.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { recordType, wholeGroup } from "#src/records/record.ts";
import {
  type Mode,
  type ModeFacts,
  ModeMachine,
  type ModePhase,
  type ModePolicy,
  type ModeSwitch,
} from "./mode-machine.ts";
import type { Order } from "./order.ts";

export interface GroupModeParts {
  readonly policy: ModePolicy;
  /** Of the newest record, and what was asked for. */
  readonly mode: Mode;
  readonly wanted: Mode;
  readonly order: Order;
  readonly clock: Clock;
  readonly log: Log;
  readonly facts: () => ModeFacts;
  /** A switch stands in the order. */
  readonly switched: (change: ModeSwitch, seq: number) => void;
  readonly phaseChanged: (phase: ModePhase) => void;
}

/** The order has no room for a switch: it is tried again so much later. */
const againAfterMs = 250;

export class GroupMode {
  readonly #parts: GroupModeParts;
  readonly #machine: ModeMachine;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(parts: GroupModeParts) {
    this.#parts = parts;
    this.#machine = new ModeMachine(parts.policy, parts.mode, parts.wanted);
  }

  get phase(): ModePhase {
    return this.#machine.phase;
  }

  get target(): Mode {
    return this.#machine.target;
  }

  get waitsForRemote(): boolean {
    return this.#machine.waitsForRemote;
  }

  get backlogBytesMax(): number {
    return this.#machine.backlogBytesMax;
  }

  ask(mode: Mode): void {
    this.#change(
      (facts) => this.#machine.ask(mode, facts),
      () => this.ask(mode),
    );
  }

  /** Something has happened that a mode may depend on. */
  step(): void {
    if (this.#machine.phase !== "async")
      this.#change(
        (facts) => this.#machine.step(facts),
        () => this.step(),
      );
  }

  #change(change: (facts: ModeFacts) => ModeSwitch | undefined, again: () => void): void {
    if (this.#isOver) return;
    const { order } = this.#parts;
    order.commit();
    if (!order.canPlace) return this.#later(againAfterMs, again);
    const { phase } = this.#machine;
    const modeSwitch = change(this.#parts.facts());
    if (modeSwitch !== undefined) this.#place(modeSwitch);
    if (this.#machine.phase !== phase) this.#parts.phaseChanged(this.#machine.phase);
    const nowMs = this.#parts.clock.monotonicMs();
    const nextMs = this.#machine.nextStepMs(nowMs);
    if (nextMs === undefined) this.#timer?.cancel();
    else this.#later(Math.max(1, nextMs - nowMs), () => this.step());
  }

  #place(modeSwitch: ModeSwitch): void {
    const seq = this.#parts.order.place(recordType.mode, wholeGroup, modeSwitch);
    // The spool can still fail, and then nothing is acknowledged any more in any mode.
    if (seq === undefined) return;
    // A jump of the clock that was noticed meanwhile has its record behind it.
    assert(seq <= this.#parts.order.lastSeq, "a switch is in the order when it counts");
    this.#machine.placed(seq);
    this.#parts.log.info("the mode has changed", { ...modeSwitch, seq });
    this.#parts.switched(modeSwitch, seq);
  }

  #later(delayMs: number, step: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#isOver ? undefined : this.#parts.clock.timer(delayMs, step);
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
