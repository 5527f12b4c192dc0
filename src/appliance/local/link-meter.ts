/**
 * What the link does: how long the remote takes to answer, how much it takes, and how much there would be for it. Pure;
 * looked at from time to time. One shipment at a time is followed until its answer.
 */
export interface LinkMeasures {
  /** From a shipment to the word that the remote has it; undefined: none was answered. */
  readonly answerMs: number | undefined;
  readonly shippedBytesPerSecond: number;
  /** What the hosts' writes brought. */
  readonly addedBytesPerSecond: number;
}

export class LinkMeter {
  #followedSeq = 0;
  #shippedMs = 0;
  #answerCount = 0;
  #answerMsSum = 0;
  #shippedBytes = 0;
  #addedBytes = 0;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  added(byteLength: number): void {
    this.#addedBytes += byteLength;
  }

  shipped(byteLength: number): void {
    this.#shippedBytes += byteLength;
  }

  get isFollowing(): boolean {
    return this.#followedSeq > 0;
  }

  /** The answer to what was shipped now is the word that the remote has this seq. */
  follow(seq: number, nowMs: number): void {
    this.#followedSeq = seq;
    this.#shippedMs = nowMs;
  }

  received(seq: number, nowMs: number): void {
    if (this.#followedSeq === 0 || seq < this.#followedSeq) return;
    this.#followedSeq = 0;
    this.#answerCount++;
    this.#answerMsSum += nowMs - this.#shippedMs;
  }

  /** What was under way is not answered any more. */
  linkLost(): void {
    this.#followedSeq = 0;
  }

  /** Since the last call. */
  take(nowMs: number): LinkMeasures {
    const seconds = Math.max(1, nowMs - this.#sinceMs) / 1000;
    // A shipment that is under way for longer than an answer has ever taken says so before it is answered.
    const openMs = this.#followedSeq === 0 ? 0 : nowMs - this.#shippedMs;
    const meanMs = this.#answerCount === 0 ? undefined : this.#answerMsSum / this.#answerCount;
    const measures = {
      answerMs: openMs > (meanMs ?? 0) ? openMs : meanMs,
      shippedBytesPerSecond: this.#shippedBytes / seconds,
      addedBytesPerSecond: this.#addedBytes / seconds,
    };
    this.#answerCount = 0;
    this.#answerMsSum = 0;
    this.#shippedBytes = 0;
    this.#addedBytes = 0;
    this.#sinceMs = nowMs;
    return measures;
  }
}
