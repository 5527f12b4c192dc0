/** A group's link with a meter at it: what is shipped is timed until the remote says that it has it. */
import type { Clock } from "#src/host/clock.ts";
import { getAggregatePartHeader } from "#src/records/aggregate-part.ts";
import { batchMagic, getBatchHeader, lastSeqOf } from "#src/records/batch.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import type { TrafficFigures } from "#src/wire/link-traffic.ts";
import type { LinkMeter } from "./link-meter.ts";

export class MeasuredLink implements GroupLink {
  readonly #link: GroupLink;
  readonly #meter: LinkMeter;
  readonly #clock: Clock;

  constructor(link: GroupLink, meter: LinkMeter, clock: Clock) {
    this.#link = link;
    this.#meter = meter;
    this.#clock = clock;
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  get traffic(): TrafficFigures {
    return this.#link.traffic;
  }

  get mayShipBytes(): number {
    return this.#link.mayShipBytes;
  }

  ship(pieces: readonly Buffer[]): boolean {
    let byteLength = 0;
    for (const piece of pieces) byteLength += piece.length;
    this.#meter.shipped(byteLength);
    if (!this.#meter.isFollowing) {
      const seq = firstBatchEnd(pieces[0]);
      if (seq !== undefined) this.#meter.follow(seq, this.#clock.monotonicMs());
    }
    return this.#link.ship(pieces);
  }

  expectAnswer(): void {
    this.#link.expectAnswer();
  }

  askDurable(seq: number): void {
    this.#link.askDurable(seq);
  }

  fetch(afterSeq: number, take: (batch: Buffer) => void): Promise<void> {
    return this.#link.fetch(afterSeq, take);
  }

  reconnect(why: string): void {
    this.#link.reconnect(why);
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }
}

/** The seq whose arrival answers the first of the batches. */
function firstBatchEnd(bytes: Buffer | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  const header = getBatchHeader(bytes, 0, batchMagic.records);
  return header === undefined ? getAggregatePartHeader(bytes, 0)?.lastSeq : lastSeqOf(header);
}
