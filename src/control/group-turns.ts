/**
 * Works that begin by themselves where records of a group were sealed: whoever is due waits for his turn, and each turn has a
 * control by which it gives way, or ends.
 *
 * Invariant: one turn is under way at a time.
 */
import type { LongWork } from "#src/store/long-work.ts";

export interface GroupTurnsParts {
  readonly newWork: () => LongWork;
  /** Nobody takes precedence just now. */
  readonly mayBegin: () => boolean;
  /** What it throws is a fault of the program's own. A group whose work was ended may be due again. */
  readonly run: (group: string, work: LongWork) => Promise<void>;
}

export class GroupTurns {
  readonly #parts: GroupTurnsParts;
  readonly #waiting = new Set<string>();
  #own: { readonly work: LongWork; readonly done: Promise<void> } | undefined;
  #isStopped = false;

  constructor(parts: GroupTurnsParts) {
    this.#parts = parts;
  }

  due(group: string): void {
    this.#waiting.add(group);
    this.step();
  }

  /** Looks whether somebody may begin, when what took precedence is over. */
  step(): void {
    const [group] = this.#waiting;
    if (this.#isStopped || this.#own !== undefined || group === undefined || !this.#parts.mayBegin()) return;
    this.#waiting.delete(group);
    const work = this.#parts.newWork();
    const done = this.#parts.run(group, work).finally(() => {
      this.#own = undefined;
      this.step();
    });
    this.#own = { work, done };
  }

  /** Ends the turn that is under way. */
  cancel(): void {
    this.#own?.work.cancel();
  }

  /** Nothing is under way any more, as far as it is known who is due. */
  async settled(): Promise<void> {
    while (this.#own !== undefined) await this.#own.done;
  }

  /** What is under way leaves nothing behind. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.cancel();
    await this.settled();
  }
}
