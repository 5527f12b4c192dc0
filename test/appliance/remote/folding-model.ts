/**
 * A local appliance that sends its records as batches or folded into aggregates, cut anew after each connection, and knows
 * what the volume is after each of them: the oracle for what a remote may hold. Its spool loses nothing.
 */
import { expect } from "vitest";
import { recordType } from "#src/records/record.ts";
import { type SentRange, type SentRun, wireAggregate } from "#test/journals/wire-aggregate.ts";
import { blockOf, wireBatch } from "#test/journals/wire-batch.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { hello, type LocalPeer, type RemoteWorld } from "./remote-world.ts";
import { applyTo, stateOf, type VolumeState } from "./volume-state.ts";

interface Spooled {
  readonly type: number;
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
}

export class FoldingModel {
  readonly #random: SeededRandom;
  readonly #group: string;
  /** The record of seq n is at n - 1; a write's content is its seq. */
  readonly #spool: Spooled[] = [];
  /** Where the remote may stop. */
  readonly #points = new Set<number>([0]);
  #life = 0;
  #sentSeq = 0;
  /** Parts of the aggregate under way. */
  #parts: Buffer[] = [];
  #promisedSeq = 0;
  peer: LocalPeer | undefined;

  constructor(random: SeededRandom, group: string) {
    this.#random = random;
    this.#group = group;
  }

  async connect(world: RemoteWorld): Promise<void> {
    this.#life++;
    const { length: lastSeq } = this.#spool;
    const writer = `writer-${this.#life}`;
    const greeting = { group: this.#group, life: this.#life, writer, firstSeq: Math.min(1, lastSeq), lastSeq };
    this.peer = await world.connect(hello(greeting));
    const { received } = this.peer.welcome;
    expect(received).toBeGreaterThanOrEqual(this.#promisedSeq);
    expect(this.#points.has(received), `${received} is a point`).toBe(true);
    expect(stateOf(await world.history(received, this.#group))).toEqual(this.#stateAt(received));
    this.#sentSeq = received;
    this.#parts = [];
    // What lies behind was never there, and may be cut otherwise.
    for (const point of this.#points) if (point > received) this.#points.delete(point);
  }

  #stateAt(seq: number): VolumeState {
    const state: VolumeState = new Map();
    for (const [index, record] of this.#spool.slice(0, seq).entries()) {
      applyTo(state, record, (block) => `${index + 1}.${block}`);
    }
    return state;
  }

  write(): void {
    for (let count = this.#random.between(1, 12); count > 0; count--) {
      const type = this.#random.pick([
        recordType.write,
        recordType.write,
        recordType.write,
        recordType.trim,
        recordType.zero,
      ]);
      const volume = this.#random.between(1, 2);
      const startBlock = this.#random.integerBelow(40);
      this.#spool.push({ type, volume, startBlock, blockCount: this.#random.between(1, 6) });
    }
  }

  /** Sends the next part, or a batch, or begins an aggregate. Now and then something of before. */
  send(): void {
    const { peer } = this;
    if (peer === undefined || peer.closedWhy !== undefined) return;
    const next = this.#parts.shift() ?? this.#next();
    if (next === undefined) return;
    peer.send(...(this.#random.chance(0.1) && this.#parts.length === 0 ? [next, next] : [next]));
  }

  #next(): Buffer | undefined {
    const waiting = this.#spool.length - this.#sentSeq;
    if (waiting === 0) return undefined;
    const firstSeq = this.#sentSeq + 1;
    const lastSeq = this.#sentSeq + this.#random.between(1, Math.min(waiting, 40));
    this.#sentSeq = lastSeq;
    if (this.#random.chance(0.4)) return this.#plain(firstSeq, Math.min(lastSeq, firstSeq + 5));
    this.#points.add(lastSeq);
    const recordsPerPart = this.#random.pick([1, 2, 3, 5, 1000]);
    this.#parts = wireAggregate({ firstSeq, lastSeq, ...this.#fold(firstSeq, lastSeq), recordsPerPart });
    return this.#parts.shift();
  }

  #plain(firstSeq: number, lastSeq: number): Buffer {
    this.#sentSeq = lastSeq;
    for (let seq = firstSeq; seq <= lastSeq; seq++) this.#points.add(seq);
    const records = this.#spool.slice(firstSeq - 1, lastSeq);
    return wireBatch(
      { firstSeq },
      records.map((record, index) => ({ ...record, content: firstSeq + index, ordinal: 1 })),
    );
  }

  #fold(firstSeq: number, lastSeq: number): { ranges: SentRange[]; runs: SentRun[] } {
    const ranges: SentRange[] = [];
    const blocks = new Map<number, Buffer>();
    for (let seq = firstSeq; seq <= lastSeq; seq++) {
      const { type, volume, startBlock, blockCount } = this.#spool[seq - 1] as Spooled;
      if (type === recordType.trim || type === recordType.zero) ranges.push({ type, volume, startBlock, blockCount });
      for (let index = 0; index < blockCount; index++) {
        const key = volume * 1000 + startBlock + index;
        if (type === recordType.write) blocks.set(key, blockOf(seq, index));
        else blocks.delete(key);
      }
    }
    return { ranges, runs: this.#runsOf(blocks) };
  }

  /** Blocks behind each other may be one run, or several. */
  #runsOf(blocks: ReadonlyMap<number, Buffer>): SentRun[] {
    const runs: { key: number; volume: number; startBlock: number; payload: Buffer }[] = [];
    for (const [key, block] of [...blocks].sort(([a], [b]) => a - b)) {
      const run = runs.at(-1);
      const isNext = run !== undefined && key === run.key + run.payload.length / block.length;
      if (isNext && this.#random.chance(0.8)) run.payload = Buffer.concat([run.payload, block]);
      else runs.push({ key, volume: Math.floor(key / 1000), startBlock: key % 1000, payload: block });
    }
    return runs;
  }

  ask(): void {
    const { peer } = this;
    if (peer !== undefined && peer.closedWhy === undefined) peer.owner.askDurable(peer.last.received);
  }

  hear(): void {
    this.#promisedSeq = Math.max(this.#promisedSeq, this.peer?.last.durable ?? 0);
  }
}
