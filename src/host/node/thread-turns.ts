/**
 * Whose turn it is among the connections of a thread. Who has it for himself may look again and again whether his peer has
 * more to say; where others had theirs a moment ago, the event loop is fairer than looking would be. A moment counts from the
 * end of a turn: counted from its beginning, one that was long enough would leave the next one alone, who then has such a long
 * one too, and so on, all of them. Pure.
 */

/** Who has something to say within so long of another does not have the thread for itself. */
const crowdedMs = 0.2;

export class ThreadTurns {
  #last: object | undefined;
  #endedMs = Number.NEGATIVE_INFINITY;

  /** Answers whether no other one had its turn a moment ago. */
  begin(connection: object, nowMs: number): boolean {
    const isAlone = this.#last === connection || nowMs - this.#endedMs > crowdedMs;
    this.#last = connection;
    return isAlone;
  }

  end(nowMs: number): void {
    this.#endedMs = nowMs;
  }
}
