/**
 * Keeps a thread awake for a moment in which an answer is due: to be woken up costs more than most answers take. It
 * looks around in the event loop, so whatever else happens is seen to as well. Where answers do not come in time it is
 * given up, and tried again ever more rarely.
 */

const awakeMs = 0.15;
/** After this many vain periods in a row, as many are left out as two to the power of their number, up to the second one. */
const vainPeriodsBeforePause = 4;
const periodsLeftOutMax = 1024;

export class Wakefulness {
  #untilMs = 0;
  #isAwake = false;
  #isAnswerDue = false;
  #vainPeriods = 0;
  #periodsToLeaveOut = 0;

  expectAnswer(): void {
    if (this.#periodsToLeaveOut > 0) {
      this.#periodsToLeaveOut--;
      return;
    }
    this.#isAnswerDue = true;
    this.#untilMs = performance.now() + awakeMs;
    if (this.#isAwake) return;
    this.#isAwake = true;
    setImmediate(this.#look);
  }

  answered(): void {
    if (!this.#isAnswerDue) return;
    this.#isAnswerDue = false;
    this.#vainPeriods = 0;
  }

  readonly #look = (): void => {
    if (performance.now() < this.#untilMs) {
      setImmediate(this.#look);
      return;
    }
    this.#isAwake = false;
    if (!this.#isAnswerDue) return;
    this.#isAnswerDue = false;
    this.#vainPeriods++;
    if (this.#vainPeriods < vainPeriodsBeforePause) return;
    this.#periodsToLeaveOut = Math.min(2 ** this.#vainPeriods, periodsLeftOutMax);
  };
}
