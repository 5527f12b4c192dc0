/**
 * A sender and a receiver as the appliances are, in the small: batches are counted, whatever was not received is shipped
 * again, each is applied once, and what does not fit or was altered ends the connection.
 */
import { ReconnectError } from "#src/core/errors.ts";
import { batchBytesMax, blockBytes } from "#src/core/limits.ts";
import { batchMagic, batchRecords, getBatchHeader, hasSoundHeads, hasSoundPayload } from "#src/records/batch.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { recordType } from "#src/records/record.ts";
import { type GroupWorld, type RecordingSession, zeroMarks } from "./group-world.ts";

/** One batch of one record. */
export function numberedBatch(seq: number, blockCount = 1 + (seq % 5)): Buffer {
  const builder = new BatchBuilder();
  const buffer = Buffer.alloc(batchBytesMax);
  builder.begin(buffer, 0);
  const payload = Buffer.alloc(blockCount * blockBytes, `batch ${seq} `);
  builder.addWrite({ type: recordType.write, volume: 1, startBlock: seq, blockCount, ordinal: seq }, payload, 0);
  const order = { epoch: 1, firstSeq: seq, timeMicros: seq, incarnation: 1, position: 0, durableSeq: 0 };
  return Buffer.from(buffer.subarray(0, builder.finish(order)));
}

/** Answers its seq; throws if it is not what was made. */
function seqOf(batch: Buffer): number {
  const header = getBatchHeader(batch, 0, batchMagic.records);
  const records = header && hasSoundHeads(batch, 0, header) ? batchRecords(batch, 0, header) : undefined;
  if (header === undefined || records === undefined || !records.every((record) => hasSoundPayload(batch, record))) {
    throw new ReconnectError("a batch was altered");
  }
  return header.firstSeq;
}

export class NumberedExchange {
  readonly #world: GroupWorld;
  readonly #batches: readonly Buffer[];
  #next = 1;
  /** In the order in which they were applied. */
  readonly applied: number[] = [];
  resentCount = 0;

  constructor(world: GroupWorld, count: number) {
    this.#world = world;
    this.#batches = Array.from({ length: count }, (_, index) => numberedBatch(index + 1));
    const { owner, sessions } = world;
    owner.onUp = () => {
      this.#next = (owner.welcomes.at(-1)?.received ?? 0) + 1;
    };
    owner.onMayShip = () => this.#shipOn();
    sessions.onOpen = (session) => this.#receive(session);
  }

  get isComplete(): boolean {
    return this.applied.length === this.#batches.length;
  }

  #shipOn(): void {
    const { client } = this.#world;
    for (let batch = this.#batches[this.#next - 1]; batch !== undefined; batch = this.#batches[this.#next - 1]) {
      if (client.mayShipBytes < batch.length) return;
      this.#next++;
      if (!client.ship([batch])) return;
    }
  }

  #receive(session: RecordingSession): void {
    const { sessions } = this.#world;
    sessions.welcome = { ...zeroMarks, received: this.applied.length, epoch: 1, bootId: "b" };
    session.onBatches = (batch) => {
      const seq = seqOf(batch);
      const expected = this.applied.length + 1;
      if (seq > expected) throw new ReconnectError(`batch ${seq} came where ${expected} should have come`);
      if (seq < expected) this.resentCount++;
      else this.applied.push(seq);
      session.session.giveCredit(batch.length);
      session.session.sendWatermarks({ received: this.applied.length, durable: 0, stored: 0 });
    };
  }
}
