/** A record on its way: added to the link, not yet in the source. The objects are used again. */
import type { DoneCallback } from "#src/host/block-device.ts";
import type { WriteTurn } from "#src/nbd/write-order.ts";
import type { BatchMemory } from "#src/wire/volume-link.ts";

/** Whoever waits for a record to be in the source. */
export interface RecordOwner {
  readonly arrivedMs: number;
  recordWritten(): void;
}

/** Who brings records to the source. */
export interface RecordRunner {
  run(record: RecordInFlight): void;
  ran(record: RecordInFlight, error: Error | null): void;
}

const noBytes = Buffer.alloc(0);

export class RecordInFlight implements WriteTurn {
  readonly #runner: RecordRunner;
  readonly done: DoneCallback;
  ordinal = 0;
  type = 0;
  startBlock = 0;
  blockCount = 0;
  /** Where the payload lies. */
  buffer: Buffer = noBytes;
  payloadAt = 0;
  /** What keeps the payload there; a record without payload has none. */
  hold: MemoryHold | undefined;
  owner: RecordOwner | undefined;
  /** What it says is in the source already. */
  isFromSource = false;
  /** It is in the source. */
  isWritten = false;
  /** It is with the source. */
  isRunning = false;

  constructor(runner: RecordRunner) {
    this.#runner = runner;
    this.done = (error) => runner.ran(this, error);
  }

  // As a turn it counts in blocks.

  get offset(): number {
    return this.startBlock;
  }

  get length(): number {
    return this.blockCount;
  }

  start(): void {
    this.#runner.run(this);
  }

  /** The payload is not needed any more. */
  letGo(): void {
    this.hold?.leave();
    this.hold = undefined;
    this.buffer = noBytes;
  }
}

/** Holds the memory of one batch for as long as there are records that need it. */
export class MemoryHold {
  readonly #memory: BatchMemory;
  #users = 0;
  #isComplete = false;

  constructor(memory: BatchMemory) {
    this.#memory = memory;
    memory.hold();
  }

  get buffer(): Buffer {
    return this.#memory.buffer;
  }

  isOf(memory: BatchMemory): boolean {
    return this.#memory === memory;
  }

  enter(): void {
    this.#users++;
  }

  leave(): void {
    this.#users--;
    this.#releaseIfUnused();
  }

  /** No more records will need it. */
  complete(): void {
    this.#isComplete = true;
    this.#releaseIfUnused();
  }

  #releaseIfUnused(): void {
    if (this.#isComplete && this.#users === 0) this.#memory.release();
  }
}
