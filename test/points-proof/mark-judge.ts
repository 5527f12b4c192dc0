/**
 * Marks of two classes, whatever becomes of the writes around them: those at which the host was at rest are points for as long as
 * there is history, the others for a while, and then go when what they lie in is folded.
 *
 * By whose clock: the records' times are the local appliance's, and it, the remote one and the test are on one machine. Nothing may
 * go before it is old enough by that clock, however slow the machine is; what is old enough goes at some later time, so that it
 * must be gone is only said of what was folded to points so far apart that it was old enough by then.
 */
import { expect } from "vitest";
import type { HistoryRange, PointsReport } from "#src/control/volume-history.ts";
import { type HostChange, piecesOf } from "./host-log.ts";
import type { PointJudge } from "./point-judge.ts";
import { markSeconds, type SetMark, type WitnessedVolume } from "./witnessed-volume.ts";

const flushType = 4;
const complaintsMax = 20;

export class MarkJudge {
  readonly #volume: WitnessedVolume;
  readonly #judge: PointJudge;
  /** As close as points are where it is folded after more time than marks are kept. */
  readonly #coarse: string;
  /** How close points were when it was compared. */
  readonly #compared = new Map<string, string>();
  readonly #gone = new Set<string>();
  readonly complaints: string[] = [];

  constructor(volume: WitnessedVolume, judge: PointJudge, coarse: string) {
    this.#volume = volume;
    this.#judge = judge;
    this.#coarse = coarse;
  }

  /** How many have gone. */
  get goneCount(): number {
    return this.#gone.size;
  }

  /** Of all that were set: those that are there are compared, and again when points around them have become fewer. */
  async check(): Promise<void> {
    const { last } = await this.#volume.pointSpan();
    const report = await this.#volume.history();
    expect(report.cut).toBe(false);
    const listed = new Set(report.marks.filter(({ point }) => point).map(({ name }) => name));
    for (const mark of this.#volume.marks) {
      if (mark.seq <= last) await this.#checkMark(mark, listed.has(mark.name), rangeOf(report, mark.seq));
    }
  }

  async #checkMark(mark: SetMark, isListed: boolean, range: HistoryRange | undefined): Promise<void> {
    const { name, seq } = mark;
    const view = await this.#volume.openMark(name);
    if (view === undefined) {
      this.#gone.add(name);
      const why = this.#whyThere(mark);
      if (why !== undefined) this.#complain(`${name} has gone, although ${why}`);
      return;
    }
    if (!isListed) this.#complain(`${name} was opened, and is not listed`);
    if (this.#gone.has(name)) this.#complain(`${name} had gone, and is there again`);
    if (range?.granularity === this.#coarse && this.#mustGo(mark)) this.#complain(`${name} should have gone`);
    if (view.seq !== seq) this.#complain(`${name} is seq ${seq}, and its view is of seq ${view.seq}`);
    const granularity = range?.granularity ?? "none";
    if (this.#compared.get(name) === granularity) return this.#volume.closeView(view);
    await this.#judge.checkView(view);
    this.#compared.set(name, granularity);
  }

  /** In words; undefined: it may be gone. */
  #whyThere({ seq, isQuiesced }: SetMark): string | undefined {
    if (isQuiesced) return "the host was at rest there";
    const timeMicros =
      this.#volume.order.others.find((head) => head.seq === seq)?.timeMicros ?? Number.POSITIVE_INFINITY;
    const ageSeconds = Date.now() / 1000 - timeMicros / 1e6;
    return ageSeconds >= markSeconds ? undefined : `it is ${ageSeconds} s old`;
  }

  /** Once it is old enough, with what it lies in. One between records that stay by themselves would stay as the point that it is. */
  #mustGo({ seq, isQuiesced }: SetMark): boolean {
    return !isQuiesced && this.#isFolded(seq - 1) && this.#isFolded(seq + 1);
  }

  #isFolded(seq: number): boolean {
    const { order } = this.#volume;
    const isChange = order.seqOf(order.countUpTo(seq) - 1) === seq;
    return isChange || order.others.some((head) => head.seq === seq && head.type === flushType);
  }

  /** What marks are of that were set while the host was held back is known without any seq. */
  checkQuiet(): void {
    const { order, log, quietMarks, sizeBytes } = this.#volume;
    for (const { name, seq, changes } of quietMarks) {
      const before = new Set(order.pieces.slice(0, order.countUpTo(seq)).map(({ change }) => change));
      const expected = log.changes.slice(0, changes);
      const isNothing = (change: HostChange): boolean => piecesOf(change, sizeBytes).length === 0;
      const isWhole = expected.every((change) => change.hasFailed || before.has(change) || isNothing(change));
      if (!isWhole || before.size > changes) this.#complain(`${name} has not just what was answered before it`);
    }
  }

  #complain(words: string): void {
    if (this.complaints.length < complaintsMax) this.complaints.push(words);
  }
}

function rangeOf({ ranges }: PointsReport, seq: number): HistoryRange | undefined {
  return ranges.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq);
}
