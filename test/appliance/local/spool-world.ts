/**
 * A spool on a simulated machine, one who writes to it, and what that one was promised. Each record's content follows from
 * its seq and its epoch, so that a record that was swapped for another one is seen.
 */
import { expect } from "vitest";
import { Spool } from "#src/appliance/local/spool.ts";
import type { SpoolOptions } from "#src/appliance/local/spool-options.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { RetryError } from "#src/core/errors.ts";
import { batchBytesMax, blockBytes, KiB } from "#src/core/limits.ts";
import type { BatchRecord } from "#src/records/batch.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { encodeExtra, recordType, wholeGroup } from "#src/records/record.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

export const spoolFolder = "/spool";

export const smallSpool: SpoolOptions = {
  group: "00112233445566778899aabbccddeeff",
  incarnation: 0x5eed,
  segmentBytes: 32 * KiB,
  limitBytes: 8 * 32 * KiB,
  knownDurableSeq: 0,
  isNew: true,
};

interface Origin {
  readonly epoch: number;
  readonly generation: number;
}

export class SpoolWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly options: SpoolOptions;
  readonly random: SeededRandom;
  epoch = 1;
  /** Up to here a sync has said that it is durable. */
  promisedSeq = 0;
  /** Part of each record's content. */
  generation = 1;
  /** Of every record that was appended: the epoch and the generation it was appended in. */
  readonly #origins = new Map<number, Origin>();
  readonly #builder = new BatchBuilder();
  readonly #buffer = Buffer.alloc(2 * batchBytesMax);
  #spool: Spool | undefined;
  #hasBeenOpen = false;

  constructor(seed = 1, options: Partial<SpoolOptions> = {}) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("a");
    this.random = this.simulation.random.fork("writer");
    this.options = { ...smallSpool, ...options };
  }

  get spool(): Spool {
    if (this.#spool === undefined) throw new Error("the spool is not open");
    return this.#spool;
  }

  /** Writes to a spool that was opened elsewhere. */
  use(spool: Spool): void {
    this.#spool = spool;
  }

  async open(options: Partial<SpoolOptions> = {}): Promise<Spool> {
    const merged = { ...this.options, isNew: !this.#hasBeenOpen, ...options };
    this.#spool = undefined;
    this.#spool = await this.finish(Spool.open(this.host, spoolFolder, merged));
    this.#hasBeenOpen = true;
    return this.#spool;
  }

  /** Begins to open the spool and stops after so many events; answers whether it was open by then. */
  async openFor(eventCount: number, options: Partial<SpoolOptions> = {}): Promise<boolean> {
    let isOpen = false;
    Spool.open(this.host, spoolFolder, { ...this.options, isNew: false, ...options }).then(
      () => {
        isOpen = true;
      },
      // Whatever becomes of it when its machine is gone.
      () => {},
    );
    for (let count = 0; count < eventCount; count++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.simulation.clock.step();
    }
    return isOpen;
  }

  /** Runs the world until the promise is settled. */
  async finish<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    while (!isSettled) {
      // Promises are settled between events; as long as there is nothing else to do, they are all there is.
      if (!this.simulation.clock.step()) await new Promise((resolve) => setImmediate(resolve));
      await Promise.resolve();
    }
    return promise;
  }

  /** Appends one batch of writes, and answers the last seq. Throws what the spool throws. */
  append(blockCounts: readonly number[] = [1]): number {
    this.#builder.begin(this.#buffer, 0);
    const firstSeq = this.spool.lastSeq + 1;
    for (const [index, blockCount] of blockCounts.entries()) {
      const seq = firstSeq + index;
      const bytes = contentOf(seq, this.generation, blockCount);
      const record = { volume: 1, startBlock: seq, blockCount, ordinal: seq };
      if (blockCount === 0) this.#builder.add({ ...record, blockCount: 7, type: recordType.trim });
      else this.#builder.addWrite({ ...record, type: recordType.write }, bytes, 0);
    }
    return this.#finish(firstSeq);
  }

  /** The record that makes a jump of the seq legal. */
  beginEpoch(firstSeq: number): number {
    const previous = { previousEpoch: this.spool.lastEpoch, previousLastSeq: this.spool.lastSeq };
    this.#builder.begin(this.#buffer, 0);
    const record = { type: recordType.epoch, volume: wholeGroup, startBlock: 0, blockCount: 0, ordinal: 0 };
    this.#builder.add(record, encodeExtra(previous));
    const lastSeq = this.#finish(firstSeq, this.epoch + 1);
    this.epoch++;
    return lastSeq;
  }

  #finish(firstSeq: number, epoch = this.epoch): number {
    const { spool } = this;
    const spanBytes = Math.ceil(this.#builder.byteLength / 512) * 512;
    const position = spool.nextPosition(spanBytes);
    const timeMicros = firstSeq * 1000;
    const { incarnation, durableSeq } = spool;
    this.#builder.finish({ epoch, firstSeq, timeMicros, incarnation, position, durableSeq });
    const lastSeq = firstSeq + this.#builder.recordCount - 1;
    spool.append(this.#buffer, 0, spanBytes, { firstSeq, lastSeq, timeMicros });
    const origin = { epoch, generation: this.generation };
    for (let seq = firstSeq; seq <= lastSeq; seq++) this.#origins.set(seq, origin);
    return lastSeq;
  }

  /** Appends batches of random size; answers whether the spool had room for all. */
  appendSome(count: number): boolean {
    try {
      for (let index = 0; index < count; index++) {
        this.append(Array.from({ length: this.random.between(1, 3) }, () => this.random.integerBelow(3)));
      }
      return true;
    } catch (error) {
      if (error instanceof RetryError) return false;
      throw error;
    }
  }

  /** Begins a sync; what it covers is promised when it is done. */
  startSync(): void {
    const covered = this.spool.lastSeq;
    const { spool } = this;
    spool.sync((error) => {
      if (error === null) this.promisedSeq = Math.max(this.promisedSeq, covered);
    });
  }

  sync(): Promise<void> {
    const { spool } = this;
    const covered = spool.lastSeq;
    return this.finish(
      new Promise((resolve, reject) => {
        spool.sync((error) => {
          if (error !== null) return reject(error);
          this.promisedSeq = Math.max(this.promisedSeq, covered);
          resolve();
        });
      }),
    );
  }

  /** Releases, and lets the spool do what that takes. */
  release(seq: number): void {
    this.spool.release(seq);
    this.simulation.clock.runUntilIdle();
  }

  /** The seqs that the spool holds after `afterSeq`, each record compared with what was appended. */
  async read(afterSeq = 0): Promise<number[]> {
    const seqs: number[] = [];
    await this.finish(
      this.spool.scan(afterSeq, (record, buffer) => {
        this.#compare(record, buffer);
        seqs.push(record.seq);
      }),
    );
    return seqs;
  }

  #compare(record: BatchRecord, buffer: Buffer): void {
    const origin = this.#origins.get(record.seq);
    if (record.epoch !== origin?.epoch) return expect.unreachable(`record ${record.seq} is of another epoch`);
    const payload = buffer.subarray(record.payloadAt, record.payloadAt + record.payloadBytes);
    const expected = contentOf(record.seq, origin.generation, divFloor(record.payloadBytes, blockBytes));
    if (!payload.equals(expected)) expect.unreachable(`record ${record.seq} has another content`);
  }

  /** What would be lost, or might be, if the power went now. */
  get unsyncedBytes(): number {
    return this.host.disk.unsyncedBytes;
  }

  /** Paths of the segments, in the order of their names. */
  get paths(): string[] {
    return this.host.files.list(spoolFolder).map((name) => `${spoolFolder}/${name}`);
  }

  /** The file and the offset of the batch that begins at a position. */
  placeOf(position: number): { readonly path: string; readonly offset: number } {
    const base = position - (position % this.options.segmentBytes);
    for (const path of this.paths) {
      const bytes = Buffer.alloc(40);
      const handle = this.host.files.open(path, "read");
      handle.readNow(bytes, 0, 40, 0);
      handle.close();
      if (bytes[0] !== 0 && Number(bytes.readBigUInt64LE(32)) === base) return { path, offset: position - base };
    }
    throw new Error(`no segment holds position ${position}`);
  }
}

function contentOf(seq: number, generation: number, blockCount: number): Buffer {
  const bytes = Buffer.alloc(blockCount * blockBytes, seq % 251);
  for (let at = 0; at < bytes.length; at += blockBytes) bytes.write(`${seq} of generation ${generation}, ${at}`, at);
  return bytes;
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
