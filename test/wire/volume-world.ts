/** An interceptor's and an appliance's ends of a volume link in a simulated world, with an appliance that keeps all. */

import { expect } from "vitest";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type {
  Attachment,
  BatchMemory,
  FlushDone,
  ForgetsVolumes,
  RedoRecord,
  VolumeIdentity,
  VolumeLink,
  VolumeLinks,
  VolumeReceiver,
} from "#src/wire/volume-link.ts";
import { VolumeLinkClient } from "#src/wire/volume-link-client.ts";
import { VolumeLinkServer } from "#src/wire/volume-link-server.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { portsOf, token } from "./group-world.ts";

export const socketAddress = { kind: "unix", path: "/run/tidemark/local" } as const;

export const someVolume: VolumeIdentity = {
  id: "ffeeddccbbaa99887766554433221100",
  name: "disk",
  group: "books",
  sizeBytes: 64 * 1024 * 1024,
};

export interface KeptRecord {
  readonly type: number | "write";
  readonly ordinal: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly payload: Buffer | undefined;
}

/** The appliance's own end: takes records, and acknowledges when it is told to. */
export class KeepingLink implements VolumeLink {
  readonly memory: BatchMemory = { buffer: Buffer.alloc(0), hold: () => {}, release: () => {} };
  readonly appliance: KeepingAppliance;
  readonly receiver: VolumeReceiver;
  pressure = 0;
  remoteOrdinal = 0;
  readonly flushes: FlushDone[] = [];
  readonly durableOrdinals: number[] = [];
  commitCount = 0;
  isDetached = false;
  /** Blocks that may still be added until the next commit. */
  roomBlocks = Number.MAX_SAFE_INTEGER;
  acknowledgesAtOnce = true;

  constructor(appliance: KeepingAppliance, receiver: VolumeReceiver) {
    this.appliance = appliance;
    this.receiver = receiver;
  }

  get lastOrdinal(): number {
    return this.appliance.records.length;
  }

  hasRoomFor(payloadBlocks: number): boolean {
    return payloadBlocks + 1 <= this.roomBlocks;
  }

  addWrite(startBlock: number, blockCount: number, bytes: Buffer, from: number): number {
    const payload = Buffer.from(bytes.subarray(from, from + blockCount * blockBytes));
    this.#keep({ type: "write", ordinal: this.lastOrdinal + 1, startBlock, blockCount, payload });
    return 0;
  }

  addRange(type: number, startBlock: number, blockCount: number): void {
    this.#keep({ type, ordinal: this.lastOrdinal + 1, startBlock, blockCount, payload: undefined });
  }

  #keep(record: KeptRecord): void {
    this.roomBlocks -= 1 + (record.payload === undefined ? 0 : record.blockCount);
    this.appliance.records.push(record);
  }

  commit(): void {
    this.commitCount++;
    if (this.acknowledgesAtOnce && !this.isDetached) this.receiver.acknowledged(this.lastOrdinal);
  }

  flush(done: FlushDone): void {
    this.flushes.push(done);
  }

  reportDurable(ordinal: number): void {
    this.durableOrdinals.push(ordinal);
  }

  detach(): void {
    this.isDetached = true;
    this.appliance.isClaimed = false;
  }
}

export class KeepingAppliance implements VolumeLinks, ForgetsVolumes {
  readonly forgotten: string[] = [];
  readonly records: KeptRecord[] = [];
  readonly links: KeepingLink[] = [];
  readonly attachments: { readonly identity: VolumeIdentity; readonly durableOrdinal: number }[] = [];
  isClaimed = false;
  inDoubt = false;
  isAllInDoubt = false;
  refuseWith: Error | undefined;
  toRedo: readonly RedoRecord[] = [];
  onAttached: (link: KeepingLink) => void = () => {};

  async attach(identity: VolumeIdentity, durableOrdinal: number, receiver: VolumeReceiver): Promise<Attachment> {
    if (this.refuseWith !== undefined) throw this.refuseWith;
    if (this.isClaimed) throw new RefuseError("another interceptor has the volume");
    this.isClaimed = true;
    this.attachments.push({ identity, durableOrdinal });
    try {
      for (const record of this.toRedo) await receiver.redo(record);
    } catch (error) {
      this.isClaimed = false;
      throw error;
    }
    const link = new KeepingLink(this, receiver);
    this.links.push(link);
    this.onAttached(link);
    const { inDoubt, isAllInDoubt } = this;
    return { link, lastOrdinal: link.lastOrdinal, inDoubt, isAllInDoubt };
  }

  async forgetVolume(id: string): Promise<void> {
    if (this.isClaimed) throw new RetryError("the volume is attached");
    this.forgotten.push(id);
  }

  get link(): KeepingLink {
    return this.links.at(-1) as KeepingLink;
  }
}

/** The interceptor, as far as the link sees one. */
export class RecordingReceiver implements VolumeReceiver {
  readonly redone: { readonly ordinal: number; readonly payload: Buffer | undefined }[] = [];
  acknowledgedOrdinal = 0;
  roomAgainCount = 0;
  readonly losses: Error[] = [];
  onRedo: (record: RedoRecord) => Promise<void> = async () => {};
  onRoomAgain: () => void = () => {};
  remoteDurableCount = 0;

  async redo(record: RedoRecord): Promise<void> {
    await this.onRedo(record);
    const { type, ordinal, payloadAt, blockCount } = record;
    const end = payloadAt + blockCount * blockBytes;
    this.redone.push({
      ordinal,
      payload: type === 1 ? Buffer.from(record.buffer.subarray(payloadAt, end)) : undefined,
    });
  }

  acknowledged(ordinal: number): void {
    this.acknowledgedOrdinal = ordinal;
  }

  roomAgain(): void {
    this.roomAgainCount++;
    this.onRoomAgain();
  }

  remoteDurable(): void {
    this.remoteDurableCount++;
  }

  lost(error: Error): void {
    this.losses.push(error);
  }
}

export async function volumeWorld(seed = 1) {
  const simulation = new Simulation(seed);
  const host = simulation.host("local");
  const driver = simDriver(simulation.clock);
  const appliance = new KeepingAppliance();
  const server = new VolumeLinkServer({ ...portsOf(host), token }, appliance);
  await server.listen(socketAddress);
  const client = new VolumeLinkClient({ ...portsOf(host), token, address: socketAddress });
  const receiver = new RecordingReceiver();
  const { clock, network, trace } = simulation;
  return { simulation, clock, network, trace, host, driver, appliance, server, client, receiver };
}

export type VolumeWorld = Awaited<ReturnType<typeof volumeWorld>>;

export function blocksOf(seed: number, blockCount: number): Buffer {
  return Buffer.alloc(blockCount * blockBytes, `${seed} `);
}

export function redoWrite(ordinal: number, startBlock: number, blockCount: number): RedoRecord {
  const buffer = Buffer.concat([Buffer.alloc(100), blocksOf(ordinal, blockCount)]);
  return { type: 1, ordinal, startBlock, blockCount, buffer, payloadAt: 100 };
}

export async function attach(world: VolumeWorld, durableOrdinal = 0) {
  return driven(world.driver, world.client.attach(someVolume, durableOrdinal, world.receiver));
}

export async function attachedWorld(seed = 1) {
  const world = await volumeWorld(seed);
  const { link } = await attach(world);
  await world.driver.until(() => link.hasRoomFor(1));
  return { ...world, link };
}

export function write(link: VolumeLink, seed: number, startBlock: number, blockCount: number): void {
  expect(link.hasRoomFor(blockCount)).toBe(true);
  link.addWrite(startBlock, blockCount, blocksOf(seed, blockCount), 0);
}
