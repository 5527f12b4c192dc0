/**
 * The mode of a group at work: asks `ModeMachine` what is to be done, and puts switches into the order. Before anything
 * changes, what was added so far gets its place, so that it falls under the mode it was added in. Under `auto` it is
 * `AutoMode` that asks for modes, once a second.
 */
import { RetryError } from "#src/core/errors.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { recordType, wholeGroup } from "#src/records/record.ts";
import { type AutoFacts, AutoMode, type AutoPolicy, type WantedMode } from "./auto-mode.ts";
import type { ModeHistory } from "./mode-history.ts";
import {
  askedFor,
  type Mode,
  type ModeFacts,
  ModeMachine,
  type ModePhase,
  type ModePolicy,
  type ModeSwitch,
  type PlacedSwitch,
} from "./mode-machine.ts";
import { ModeSwitchCounts } from "./mode-switch-counts.ts";
import type { Order } from "./order.ts";

export interface GroupModeParts {
  readonly policy: ModePolicy;
  readonly autoPolicy: AutoPolicy;
  /** Of the newest record, and what was asked for. */
  readonly mode: Mode;
  readonly wanted: WantedMode;
  readonly history: ModeHistory;
  readonly order: Order;
  readonly clock: Clock;
  readonly log: Log;
  readonly facts: () => ModeFacts;
  readonly autoFacts: () => AutoFacts;
  /** A switch stands in the order. */
  readonly switched: (change: ModeSwitch, seq: number) => void;
  /** Makes the record of the switch durable, and then the mode in the group's state. */
  readonly note: (modeSwitch: ModeSwitch, seq: number) => Promise<void>;
  /** `unnotedSeq` has grown. */
  readonly noted: () => void;
  readonly failed: (error: Error) => void;
  readonly phaseChanged: (phase: ModePhase) => void;
}

/** The order has no room for a switch: it is tried again so much later. */
const againAfterMs = 250;
const autoLookEveryMs = 1000;
/** Whoever looks once a second misses none: auto moves once in some seconds, and a link that flaps is waited for. */
const lastSwitchesMax = 16;

interface Asked {
  readonly mode: Mode;
  readonly why: string;
}

export class GroupMode {
  readonly #parts: GroupModeParts;
  readonly #machine: ModeMachine;
  #timer: Timer | undefined;
  /** Undefined: somebody chose the mode. */
  #auto: AutoMode | undefined;
  #autoTimer: Timer | undefined;
  /** Asked for, and waiting for room. */
  #asked: Asked | undefined;
  /** The switch whose record has no place yet. */
  #unplaced: { readonly modeSwitch: ModeSwitch; readonly seq: number } | undefined;
  #lastSwitches: readonly PlacedSwitch[] = [];
  #toldPhase: ModePhase;
  /** Seqs of switches that the group's state does not speak of durably. */
  readonly #unnoted = new Set<number>();
  /** Those that stand in the order. */
  readonly switches = new ModeSwitchCounts();
  #isOver = false;

  constructor(parts: GroupModeParts) {
    this.#parts = parts;
    const wanted = parts.wanted === "auto" ? parts.mode : parts.wanted;
    this.#machine = new ModeMachine(parts.policy, parts.mode, wanted, parts.order.lastSeq);
    this.#toldPhase = this.#machine.phase;
    if (parts.wanted === "auto") this.#beginAuto();
    // Asked for in an earlier life, which ended before the record of the switch was durable.
    else if (wanted !== "sync" && wanted !== parts.mode) this.#asked = { mode: wanted, why: askedFor };
  }

  get phase(): ModePhase {
    return this.#machine.phase;
  }

  get target(): Mode {
    return this.#machine.target;
  }

  get wanted(): WantedMode {
    return this.#auto === undefined ? this.#machine.target : "auto";
  }

  /** What may be said to those who rely on it: sync only when all before the switch is durable at the remote. */
  get stated(): Mode {
    return this.#machine.phase === "entering" ? this.#machine.loose : this.#machine.current;
  }

  /** Sync is left when the record that says so has its place, and not before. */
  get waitsForRemote(): boolean {
    return this.#machine.waitsForRemote || this.#unplaced?.modeSwitch.from === "sync";
  }

  /** Of this life, the newest last. */
  get lastSwitches(): readonly PlacedSwitch[] {
    return this.#lastSwitches;
  }

  /** Async is what records are added under now: nobody waits for the remote. */
  get isAsync(): boolean {
    return !this.waitsForRemote && this.#machine.loose === "async";
  }

  get backlogBytesMax(): number {
    return this.#machine.backlogBytesMax;
  }

  /** From here on the spool is needed to know the mode. */
  get unnotedSeq(): number {
    return Math.min(...this.#unnoted);
  }

  ask(wanted: WantedMode): void {
    if (wanted === "auto") {
      if (this.#auto !== undefined) return;
      // Whoever asked for it has thought better of it.
      this.#asked = undefined;
      this.#beginAuto();
      return;
    }
    this.#autoTimer?.cancel();
    this.#auto = undefined;
    this.#asked = { mode: wanted, why: askedFor };
    this.step();
  }

  #beginAuto(): void {
    this.#auto = new AutoMode(this.#parts.autoPolicy, this.#machine.target);
    this.#lookLater(this.#auto);
  }

  #lookLater(auto: AutoMode): void {
    this.#autoTimer = this.#parts.clock.timer(autoLookEveryMs, () => {
      const move = auto.look(this.#parts.autoFacts());
      if (move !== undefined) {
        this.#parts.log.info("auto moves the mode", { ...move });
        this.#asked = { mode: move.to, why: `auto: ${move.why}` };
        this.step();
      }
      if (!this.#isOver) this.#lookLater(auto);
    });
  }

  /** An epoch begins, and the record that last spoke of the mode may be lost: journals must not depend on it. */
  restate(): void {
    const { current } = this.#machine;
    const seq = this.#parts.order.placeAtBeginning(recordType.mode, wholeGroup, {
      from: current,
      to: current,
      why: "a new epoch",
    });
    if (seq === undefined) throw new RetryError("there is no room in the spool for a new epoch's second record");
    this.#parts.history.changed({ seq, to: current });
  }

  /** Something has happened that a mode may depend on. */
  step(): void {
    if (this.#isOver || (this.#asked === undefined && this.#unplaced === undefined && this.phase === "loose")) return;
    const { order } = this.#parts;
    order.commit();
    if (!order.canPlace) return this.#later(againAfterMs);
    this.#notePlaced();
    const facts = this.#parts.facts();
    const asked = this.#asked;
    this.#asked = undefined;
    const modeSwitch =
      asked === undefined ? this.#machine.step(facts) : this.#machine.ask(asked.mode, facts, asked.why);
    if (modeSwitch !== undefined) this.#place(modeSwitch);
    this.#tellPhase();
    const nowMs = this.#parts.clock.monotonicMs();
    const nextMs = this.#unplaced === undefined ? this.#machine.nextStepMs(nowMs) : nowMs + againAfterMs;
    if (nextMs === undefined) this.#timer?.cancel();
    else this.#later(Math.max(1, nextMs - nowMs));
  }

  #tellPhase(): void {
    if (this.#unplaced !== undefined || this.phase === this.#toldPhase) return;
    this.#toldPhase = this.phase;
    this.#parts.phaseChanged(this.phase);
  }

  /** A spool without room keeps the record for later: it will be the next one that gets its place. */
  #place(modeSwitch: ModeSwitch): void {
    const { order } = this.#parts;
    const seq = order.lastSeq + 1;
    this.#unplaced = { modeSwitch, seq };
    // The mode that is told is the new one from here on, and so is the reason.
    this.#lastSwitches = [...this.#lastSwitches, { ...modeSwitch, seq }].slice(-lastSwitchesMax);
    // What follows it may be shipped before anybody comes back here.
    this.#parts.history.changed({ seq, to: modeSwitch.to });
    order.place(recordType.mode, wholeGroup, modeSwitch);
    this.#notePlaced();
  }

  #notePlaced(): void {
    const { order, log, switched, note, noted, failed } = this.#parts;
    // A spool that has failed never gets there, and then nothing is acknowledged any more in any mode.
    if (this.#unplaced === undefined || this.#unplaced.seq > order.lastSeq) return;
    const { modeSwitch, seq } = this.#unplaced;
    this.#unplaced = undefined;
    this.#machine.placed(seq);
    log.info("the mode has changed", { ...modeSwitch, seq });
    this.switches.add(modeSwitch);
    switched(modeSwitch, seq);
    this.#unnoted.add(seq);
    note(modeSwitch, seq).then(() => {
      this.#unnoted.delete(seq);
      noted();
    }, failed);
  }

  #later(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#isOver ? undefined : this.#parts.clock.timer(delayMs, () => this.step());
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#autoTimer?.cancel();
  }
}
