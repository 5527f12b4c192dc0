/** A remote appliance that does as it is told: what was shipped is kept, and marks move when a test says so. */
import { getAggregatePartHeader } from "#src/records/aggregate-part.ts";
import { type BatchRecord, batchMagic, batchRecords, batchSpanBytes, getBatchHeader } from "#src/records/batch.ts";
import { decodeExtra } from "#src/records/record.ts";
import type { GroupHello, GroupLink, GroupLinkOwner, GroupWelcome, Watermarks } from "#src/wire/group-link.ts";

export class ScriptedRemote implements GroupLink {
  readonly shipped: BatchRecord[] = [];
  /** By their seqs. */
  readonly said = new Map<number, Record<string, unknown> | undefined>();
  /** The first and the last record that each part of an aggregate is for. */
  readonly aggregates: (readonly [number, number])[] = [];
  readonly durableAsked: number[] = [];
  /** Whole batches that it has beyond the spool. */
  readonly lost: Buffer[] = [];
  shipments = 0;
  /** What is shipped is taken, and the memory it lies in is held until `drain`. */
  holdsMemory = false;
  isUp = false;
  isStopped = false;
  #owner: GroupLinkOwner | undefined;

  connect = (owner: GroupLinkOwner): GroupLink => {
    this.#owner = owner;
    return this;
  };

  readonly traffic = { batchBytes: 0, wireBytes: 0, frames: 0 };

  get mayShipBytes(): number {
    return this.isUp ? 64 * 2 ** 20 : 0;
  }

  get lastShipped(): BatchRecord | undefined {
    return this.shipped.at(-1);
  }

  come(welcome: Partial<GroupWelcome> = {}): void {
    this.isUp = true;
    this.#owner?.up({ received: 0, durable: 0, stored: 0, epoch: 1, bootId: "remote", ...welcome });
  }

  /** What the local appliance says when it connects. */
  hello(): GroupHello | undefined {
    return this.#owner?.hello();
  }

  refuse(error: Error): void {
    this.go();
    this.#owner?.refused(error);
  }

  go(): void {
    this.isUp = false;
    this.#owner?.down("gone");
  }

  mark(marks: Watermarks): void {
    this.#owner?.watermarks(marks);
  }

  markAll(seq: number): void {
    this.mark({ received: seq, durable: seq, stored: seq });
  }

  ship(pieces: readonly Buffer[]): boolean {
    this.shipments++;
    const buffer = Buffer.concat(pieces);
    for (let at = 0; at < buffer.length; ) {
      const part = getAggregatePartHeader(buffer, at);
      if (part !== undefined) {
        this.aggregates.push([part.firstSeq, part.lastSeq]);
        at += batchSpanBytes(part.batch);
        continue;
      }
      const header = getBatchHeader(buffer, at, batchMagic.records);
      const records = header === undefined ? undefined : batchRecords(buffer, at, header);
      if (header === undefined || records === undefined) throw new Error("what is shipped are whole batches");
      this.shipped.push(...records);
      for (const { seq, extraAt, extraBytes } of records) {
        this.said.set(seq, decodeExtra(buffer.subarray(extraAt, extraAt + extraBytes)));
      }
      at += batchSpanBytes(header);
    }
    return !this.holdsMemory;
  }

  drain(): void {
    this.#owner?.mayShip();
  }

  expectAnswer(): void {}

  askDurable(seq: number): void {
    this.durableAsked.push(seq);
  }

  fetch(_afterSeq: number, take: (batch: Buffer) => void): Promise<void> {
    for (const batch of this.lost) take(batch);
    return Promise.resolve();
  }

  reconnect(): void {}

  stop(): Promise<void> {
    this.isStopped = true;
    this.isUp = false;
    return Promise.resolve();
  }
}
