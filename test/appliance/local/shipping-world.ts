/**
 * A spool, its group's shipping, and a remote that checks what comes: the row of batches and parts, their blocks, and that
 * the state at each point that there is equals what the records up to there make.
 */
import { expect } from "vitest";
import { Crowd } from "#src/appliance/crowd.ts";
import type { AggregatePolicy } from "#src/appliance/local/aggregate-gatherer.ts";
import { GroupShipping } from "#src/appliance/local/group-shipping.ts";
import { ModeHistory } from "#src/appliance/local/mode-history.ts";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import { Spool } from "#src/appliance/local/spool.ts";
import type { SpoolOptions } from "#src/appliance/local/spool-options.ts";
import { aggregateBytesDefault, batchBytesMax, blockBytes, MiB } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { BatchSlab } from "#src/records/batch-slab.ts";
import { recordType, wholeGroup } from "#src/records/record.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { CheckingRemote } from "./checking-remote.ts";
import { smallSpool } from "./spool-world.ts";

export type Change =
  | { readonly kind: "write"; readonly volume: number; readonly block: number; readonly values: readonly number[] }
  | { readonly kind: "clear"; readonly volume: number; readonly block: number; readonly count: number };

export interface ShippingOptions {
  readonly seed?: number;
  readonly mode?: Mode;
  readonly policy?: Partial<AggregatePolicy>;
  readonly spool?: Partial<SpoolOptions>;
}

export class ShippingWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly modes: ModeHistory;
  readonly policy: AggregatePolicy;
  readonly failures: Error[] = [];
  readonly remote = new CheckingRemote((seq) => this.stateAt(seq));
  isHurried = false;
  readonly crowd = new Crowd();
  spool!: Spool;
  shipping!: GroupShipping;
  /** What each record changed, by its seq. */
  readonly #changes: (Change | undefined)[] = [undefined];
  readonly #builder = new BatchBuilder();
  readonly #open: (Change | undefined)[] = [];
  #slab: BatchSlab | undefined;

  private constructor({ seed = 1, mode = "aggregated", policy = {} }: ShippingOptions) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("local");
    this.modes = new ModeHistory(mode);
    this.policy = { everyMs: 1000, bytesMax: aggregateBytesDefault, ...policy };
  }

  static async make(options: ShippingOptions = {}): Promise<ShippingWorld> {
    const world = new ShippingWorld(options);
    const opening = Spool.open(world.host, "/spool", {
      ...smallSpool,
      segmentBytes: 4 * MiB,
      limitBytes: 512 * MiB,
      ...options.spool,
    });
    opening.then(
      (spool) => {
        world.spool = spool;
      },
      () => {},
    );
    await world.simulation.clock.pass(10_000, () => world.spool !== undefined);
    await opening;
    const { spool, remote, modes, policy, crowd } = world;
    const { clock, log } = world.host;
    world.shipping = new GroupShipping({
      ...{ spool, link: remote, clock, log, crowd, modes, aggregate: policy },
      mayKeep: () => true,
      isHurried: () => world.isHurried,
      failed: (error) => world.failures.push(error),
    });
    remote.mayGoOn = () => world.shipping.mayShip();
    return world;
  }

  // What a host does

  write(block: number, values: readonly number[], volume = 1): this {
    const bytes = Buffer.concat(values.map((value) => blockOf(value)));
    const record = { type: recordType.write, volume, startBlock: block, blockCount: values.length, ordinal: 1 };
    this.#making.addWrite(record, bytes, 0);
    this.#open.push({ kind: "write", volume, block, values });
    return this;
  }

  clear(type: 2 | 3, block: number, count: number, volume = 1): this {
    this.#making.add({ type, volume, startBlock: block, blockCount: count, ordinal: 1 });
    this.#open.push({ kind: "clear", volume, block, count });
    return this;
  }

  /** A record that changes no block. */
  note(type: number): this {
    this.#making.add({ type, volume: wholeGroup, startBlock: 0, blockCount: 0, ordinal: 0 });
    this.#open.push(undefined);
    return this;
  }

  hasRoomFor(blocks: number): boolean {
    return this.#slab === undefined || this.#builder.hasRoomFor(blocks);
  }

  get #making(): BatchBuilder {
    if (this.#slab === undefined) {
      this.#slab = new BatchSlab(batchBytesMax, () => {});
      this.#slab.hold();
      this.#builder.begin(this.#slab.buffer, 0);
    }
    return this.#builder;
  }

  /** What was added becomes a batch, whose answer somebody may wait for; answers its last seq. */
  commit(isAwaited = false): number {
    const slab = this.#slab;
    if (slab === undefined) throw new Error("there is nothing to be committed");
    this.#slab = undefined;
    const { spool } = this;
    const spanBytes = Math.ceil(this.#builder.byteLength / 512) * 512;
    const position = spool.nextPosition(spanBytes);
    const [firstSeq, lastSeq] = [spool.lastSeq + 1, spool.lastSeq + this.#open.length];
    const timeMicros = lastSeq * 1000;
    const { incarnation, durableSeq } = spool;
    this.#builder.finish({ epoch: 1, firstSeq, timeMicros, incarnation, position, durableSeq });
    spool.append(slab.buffer, 0, spanBytes, { firstSeq, lastSeq, timeMicros });
    this.#changes.push(...this.#open.splice(0));
    this.shipping.appended({ memory: slab, start: 0, spanBytes, position, firstSeq, lastSeq }, isAwaited);
    slab.release();
    return lastSeq;
  }

  /** Puts the switch into the order, as a group does. */
  switchTo(to: Mode): number {
    const seq = this.note(recordType.mode).commit();
    this.modes.changed({ seq, to });
    return seq;
  }

  // The link

  connect(): void {
    this.remote.connected();
    this.shipping.begin(this.remote.received);
  }

  cut(): void {
    this.remote.lost();
    this.shipping.end();
  }

  pass(durationMs: number): Promise<void> {
    return this.simulation.clock.pass(durationMs, () => false).then(() => {});
  }

  /** Lets time pass until the remote has everything. */
  async arrive(patienceMs = 60_000): Promise<void> {
    await this.simulation.clock.pass(patienceMs, () => this.remote.received === this.spool.lastSeq);
    expect([this.remote.received, this.failures]).toEqual([this.spool.lastSeq, []]);
  }

  /** Blocks by volume and number, as all records up to this one leave them. */
  stateAt(seq: number): Map<string, number> {
    const state = new Map<string, number>();
    for (const change of this.#changes.slice(1, seq + 1)) if (change !== undefined) applyChange(state, change);
    return state;
  }
}

export async function connected(options: ShippingOptions = {}): Promise<ShippingWorld> {
  const world = await ShippingWorld.make(options);
  world.connect();
  await world.pass(10);
  return world;
}

export function writeOneByOne(world: ShippingWorld, blocks: readonly number[]): void {
  for (const block of blocks) world.write(block, [block * 1000 + world.spool.lastSeq]).commit();
}

export function applyChange(state: Map<string, number>, change: Change): void {
  if (change.kind === "write") {
    for (const [index, value] of change.values.entries()) state.set(`${change.volume}:${change.block + index}`, value);
  } else {
    for (let index = 0; index < change.count; index++) state.delete(`${change.volume}:${change.block + index}`);
  }
}

/** A block that holds a number. */
export function blockOf(value: number): Buffer {
  const bytes = Buffer.alloc(blockBytes, value % 251);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}
