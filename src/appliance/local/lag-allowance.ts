/**
 * How much may wait for the remote so that what is added now is durable there within the lag that is allowed. The age of
 * the oldest record tells of it too late: while that is young, more may be taken in than the link carries in a minute, and
 * all of it must be gone before anything is young again. So it is told in bytes, from what the remote has lately made
 * durable: the allowance. Pure.
 *
 *     unknown ──(it drains)──▶ what was drained, and more is tried ──(never idle)──▶ what the link carries
 *
 * What waits beyond it, since the link has become slower or the mode was another one, is the excess. It does not become
 * younger by stopping the writers of the moment: half of what is drained counts for it, and the other half is theirs.
 */
import {
  lagAllowanceBytesMin,
  lagAllowanceHalfLifeMs,
  lagDrainBytesPerSecondMin,
  lagExcessPressure,
  lagExcessShare,
  lagGrowthMax,
  lagMsMaxMin,
  lagOverMax,
  lagSampleCountMax,
  lagShrinkMax,
  lagSpanMsMax,
  lagSpanShare,
} from "#src/core/lag-limits.ts";

export interface LagFacts {
  readonly nowMs: number;
  readonly isLinkUp: boolean;
  /** Up to where the remote has all durably: a seq, and a place in the log. */
  readonly durableSeq: number;
  readonly durableBytes: number;
  /** What is behind that, and how old the oldest of it is. */
  readonly undurableBytes: number;
  readonly ageMs: number;
}

/** So much was durable at a time. */
interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export class LagAllowance {
  readonly #lagMsMax: number;
  readonly #spanMs: number;
  /** As long as nothing is known. */
  readonly #unknownBytes: number;
  #bytes: number;
  /** From the span's beginning, or since there is something to drain. */
  #samples: Sample[] = [];
  #excessBytes = 0;
  /** Of the allowance. */
  #pressure = 0;
  #durableSeq = Number.POSITIVE_INFINITY;
  #durableBytes = 0;
  #movedMs = 0;
  #lookedMs = 0;
  #wasLinkUp = false;

  constructor(lagMsMax: number) {
    this.#lagMsMax = Math.max(lagMsMax, lagMsMaxMin);
    this.#spanMs = Math.min(lagSpanMsMax, this.#lagMsMax * lagSpanShare);
    this.#unknownBytes = Math.max(lagAllowanceBytesMin, (lagDrainBytesPerSecondMin * this.#lagMsMax) / 1000);
    this.#bytes = this.#unknownBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Held in memory. */
  get sampleCount(): number {
    return this.#samples.length;
  }

  /** How much of it is used, or of the time in which the remote may bring nothing to an end: 0 to 1 and beyond. */
  look(facts: LagFacts): number {
    const { nowMs, isLinkUp, durableSeq, undurableBytes } = facts;
    if (durableSeq < this.#durableSeq) {
      if (!Number.isFinite(this.#durableSeq)) this.#lookedMs = nowMs;
      this.#beginAnew(facts);
    } else if (this.#samples.length === 0) this.#beginSamples(facts);
    if (durableSeq > this.#durableSeq) this.#moved(facts);
    // What the remote had got before the link was lost, and says now, tells nothing of the link.
    if (isLinkUp && !this.#wasLinkUp) this.#samples = [{ atMs: nowMs, bytes: facts.durableBytes }];
    this.#wasLinkUp = isLinkUp;
    this.#forget(nowMs - this.#lookedMs, undurableBytes);
    this.#durableBytes = facts.durableBytes;
    this.#lookedMs = nowMs;
    if (undurableBytes === 0) this.#samples = [];
    this.#excessBytes = Math.min(this.#excessBytes, undurableBytes);
    this.#pressure = (undurableBytes - this.#excessBytes) / this.#bytes;
    return undurableBytes === 0 ? 0 : Math.max(this.#pressure, (nowMs - this.#movedMs) / this.#lagMsMax);
  }

  /** What waits already was not let in by this. Also where a remote has come back with less. */
  #beginAnew(facts: LagFacts): void {
    this.#durableSeq = facts.durableSeq;
    this.#durableBytes = facts.durableBytes;
    this.#excessBytes = Math.max(0, facts.undurableBytes - this.#bytes * lagExcessPressure);
    this.#beginSamples(facts);
  }

  /** There is something to drain, which was not there when it was last looked. */
  #beginSamples({ nowMs, ageMs, durableBytes }: LagFacts): void {
    this.#movedMs = Math.max(this.#lookedMs, nowMs - ageMs);
    this.#samples = [{ atMs: this.#movedMs, bytes: durableBytes }];
  }

  #moved({ nowMs, isLinkUp, durableSeq, durableBytes, undurableBytes, ageMs }: LagFacts): void {
    this.#durableSeq = durableSeq;
    this.#movedMs = nowMs;
    const drained = durableBytes - this.#durableBytes;
    this.#excessBytes = Math.max(0, this.#excessBytes - drained * lagExcessShare);
    const first = this.#sampled(nowMs, durableBytes);
    if (!(isLinkUp && this.#wasLinkUp) || nowMs <= first.atMs) return;
    const drainedBytes = ((durableBytes - first.bytes) / (nowMs - first.atMs)) * this.#lagMsMax;
    const wantedBytes = Math.max(lagAllowanceBytesMin, drainedBytes);
    // Something has waited for all of the span: it was the link that had no more to give.
    const isLinkBusy = ageMs >= this.#spanMs;
    if (wantedBytes > this.#bytes) this.#become(Math.min(wantedBytes, this.#bytes * lagGrowthMax), undurableBytes);
    else if (isLinkBusy) this.#become(Math.max(wantedBytes, this.#bytes * lagShrinkMax), undurableBytes);
  }

  /** Answers the sample from which on it is measured: always the moment of a word of the remote, so that none counts in part. */
  #sampled(atMs: number, bytes: number): Sample {
    const samples = this.#samples;
    const last = samples.at(-1) as Sample;
    if (atMs - last.atMs >= this.#spanMs / lagSampleCountMax) samples.push({ atMs, bytes });
    let past = 0;
    while (past + 1 < samples.length && (samples[past + 1] as Sample).atMs <= atMs - this.#spanMs) past++;
    samples.splice(0, past);
    return samples[0] as Sample;
  }

  /** Writers are neither stopped nor let loose because the link was taken for another one. */
  #become(bytes: number, undurableBytes: number): void {
    const before = this.#pressure;
    const hasShrunk = bytes < this.#bytes;
    this.#bytes = bytes;
    const excessBytes = Math.max(0, undurableBytes - bytes * Math.min(before, lagExcessPressure));
    const isOver = undurableBytes - this.#excessBytes > bytes * lagOverMax;
    if (!hasShrunk) this.#excessBytes = Math.min(this.#excessBytes, excessBytes);
    else if (isOver && before <= lagOverMax) this.#excessBytes = excessBytes;
  }

  /** What nobody makes use of is known less and less. */
  #forget(sinceMs: number, undurableBytes: number): void {
    if (undurableBytes * 4 > this.#bytes || this.#bytes <= this.#unknownBytes) return;
    this.#bytes = Math.max(this.#unknownBytes, this.#bytes * 0.5 ** (sinceMs / lagAllowanceHalfLifeMs));
  }
}
