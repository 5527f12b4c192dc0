/**
 * Hands the records that a source may lack to the interceptor, gathered in batches: one is made while there is room, and
 * the next when the interceptor says that it has redone the last.
 */
import { assert } from "#src/core/assert.ts";
import { batchBytesMax } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { hasPayload } from "#src/records/record.ts";
import { frameType } from "./frame.ts";
import type { FrameChannel } from "./frame-channel.ts";
import type { RedoRecord } from "./volume-link.ts";
import { noOrder } from "./volume-messages.ts";

const volumeNumber = 1;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class VolumeRedo {
  readonly #channel: FrameChannel;
  readonly #builder = new BatchBuilder();
  #buffer: Buffer | undefined;
  /** Somebody waits until the batch that was sent is redone, and its memory free. */
  #waiter: Waiter | undefined;
  #isRedone = false;
  #failure: Error | undefined;

  constructor(channel: FrameChannel) {
    this.#channel = channel;
  }

  /** The record's payload is copied. */
  async add(record: RedoRecord): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const { type, startBlock, blockCount, ordinal } = record;
    const blocks = hasPayload(type) ? blockCount : 0;
    if (this.#buffer === undefined) this.#begin();
    if (!this.#builder.hasRoomFor(blocks)) await this.send();
    const head = { type, volume: volumeNumber, startBlock, blockCount, ordinal };
    if (blocks > 0) this.#builder.addWrite(head, record.buffer, record.payloadAt);
    else this.#builder.add(head);
  }

  #begin(): void {
    this.#buffer ??= Buffer.allocUnsafeSlow(batchBytesMax);
    this.#builder.begin(this.#buffer, 0);
  }

  /** Resolves when all that was added is redone. */
  async send(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#buffer === undefined || this.#builder.recordCount === 0) return;
    assert(this.#waiter === undefined, "one batch is redone at a time");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiter = { resolve, reject };
    this.#isRedone = false;
    this.#channel.sendBulk(frameType.redo, [this.#buffer.subarray(0, this.#builder.finish(noOrder))]);
    await promise;
    this.#begin();
  }

  get isWaiting(): boolean {
    return this.#waiter !== undefined && !this.#isRedone;
  }

  redone(): void {
    this.#isRedone = true;
    this.goOn();
  }

  /** The answer may be here before the socket says that it has taken all. */
  goOn(): void {
    if (!this.#isRedone || this.#channel.holdsBulk) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.resolve();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }
}
