/**
 * Notices a server that went silent. It looks at all requests under way a few times per time-out, which costs the hot
 * path nothing but a zero written whenever a request moves:
 *
 *   moved  look  look  look  look  look          the first look may come right after the move, the fifth at least
 *     |--~--|-----|-----|-----|-----|            four spans after it: one time-out, and at most a fourth more
 *
 * A request whose bytes have not all been taken moves as long as anything is taken: the link is slow, not dead. While others
 * are answered, one that waits is not lost yet either: a server may be at work on what came before it, or on something long.
 * But it may have been forgotten, so there is an end to that too.
 *
 * How long a flush takes depends on all that was written before, and servers that do one thing at a time answer nobody
 * meanwhile. Whoever wants to wait for that does so as long as the connection stands: nothing ages in a silence with a flush
 * in it, and a flush not at all.
 */
import type { Clock, Timer } from "#src/host/clock.ts";
import { command } from "../constants.ts";
import type { RequestTable, Slot } from "./request-table.ts";
import type { RequestWriter } from "./request-writer.ts";

const looksPerTimeout = 4;
/** While others are answered, a request may wait for so many time-outs. */
const overtakenTimeoutsMax = 10;

export class StallWatch {
  readonly #clock: Clock;
  readonly #spanMs: number;
  readonly #table: RequestTable;
  readonly #writer: RequestWriter;
  readonly #waitsForFlushes: () => boolean;
  readonly #stalled: (slot: Slot) => void;
  #timer: Timer | undefined;
  #takenBytes = 0;
  #givenCount = 0;
  /** Looks since any request was answered. */
  #silentLooks = 0;

  constructor(
    clock: Clock,
    timeoutMs: number,
    table: RequestTable,
    writer: RequestWriter,
    waitsForFlushes: () => boolean,
    stalled: (slot: Slot) => void,
  ) {
    this.#clock = clock;
    this.#spanMs = timeoutMs / looksPerTimeout;
    this.#table = table;
    this.#writer = writer;
    this.#waitsForFlushes = waitsForFlushes;
    this.#stalled = stalled;
  }

  /** Requests are under way. */
  start(): void {
    if (this.#timer === undefined) this.#timer = this.#clock.timer(this.#spanMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    this.#lookForAnswers();
    if (this.#table.count === 0) return;
    const takenBefore = this.#takenBytes;
    this.#takenBytes = this.#writer.takenBytes;
    const isMoving = this.#takenBytes > takenBefore;
    const isSilent = this.#silentLooks > looksPerTimeout;
    const idleLooksMax = isSilent ? looksPerTimeout : looksPerTimeout * overtakenTimeoutsMax;
    const waitsForFlushes = this.#waitsForFlushes();
    const isHeldUp = waitsForFlushes && this.#silentLooks > 1 && this.#isFlushing;
    for (const slot of this.#table.busy()) {
      if (isHeldUp || (waitsForFlushes && this.#isSentFlush(slot))) continue;
      const hasMoved = isMoving && slot.sentEnd > takenBefore;
      slot.idleLooks = hasMoved ? 1 : slot.idleLooks + 1;
      if (slot.idleLooks > idleLooksMax) {
        this.#stalled(slot);
        return;
      }
    }
    this.start();
  }

  get #isFlushing(): boolean {
    for (const slot of this.#table.busy()) if (this.#isSentFlush(slot)) return true;
    return false;
  }

  #isSentFlush({ type, sentEnd }: Slot): boolean {
    return type === command.flush && sentEnd <= this.#takenBytes;
  }

  /** Nobody is silent who is not asked. */
  #lookForAnswers(): void {
    const { count, givenCount } = this.#table;
    const isAnswering = givenCount !== this.#givenCount;
    this.#givenCount = givenCount;
    if (count === 0) this.#silentLooks = 0;
    else this.#silentLooks = isAnswering ? 1 : this.#silentLooks + 1;
  }
}
