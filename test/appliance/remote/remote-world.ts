/** A remote appliance on a simulated host, and local appliances that speak to it without a wire between. */

import { expect } from "vitest";
import type { Sealer } from "#src/appliance/remote/group-sealing.ts";
import { openRemoteAppliance, type RemoteAppliance } from "#src/appliance/remote/remote-appliance.ts";
import type { RemoteOptions } from "#src/appliance/remote/remote-options.ts";
import { readDocument } from "#src/host/document.ts";
import type { FaultHook } from "#src/host/faults.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { JournalReader, type JournalRecord } from "#src/journals/journal-reader.ts";
import { type JournalStart, wholeJournal } from "#src/journals/journal-start.ts";
import { metadataBatchBytesMax } from "#src/journals/metadata-batch.ts";
import { SegmentReader } from "#src/journals/segment-reader.ts";
import type { Objects } from "#src/store/objects.ts";
import type {
  GroupHello,
  GroupSession,
  GroupSessionOwner,
  GroupWelcome,
  RecalledBlocks,
  WantedBlock,
  Watermarks,
} from "#src/wire/group-link.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { SimStore, StaleIndex } from "./sim-store.ts";

export const groupA = "a".repeat(32);
export const groupB = "b".repeat(32);

export function hello(change: Partial<GroupHello> = {}): GroupHello {
  return {
    group: groupA,
    groupName: "disks",
    writer: "writer-1",
    life: 1,
    bootId: "source boot 1",
    epoch: 1,
    firstSeq: 0,
    lastSeq: 0,
    ...change,
  };
}

/** The wire's end of a session, as the local appliance would see it. */
export class LocalPeer implements GroupSession {
  readonly peer = "a test";
  readonly marks: Watermarks[] = [];
  readonly fetched: Buffer[] = [];
  creditBytes = 0;
  hasFetched = false;
  closedWhy: string | undefined;
  /** What it answers to who asks for what was lost. */
  recalls: (wanted: readonly WantedBlock[]) => Promise<RecalledBlocks> = async () => [];
  /** Batches that are taken before the peer is slow; then `drained` is needed. */
  fetchRoom = Number.POSITIVE_INFINITY;
  welcome!: GroupWelcome;
  owner!: GroupSessionOwner;

  sendWatermarks(marks: Watermarks): void {
    expect(marks.durable <= marks.received && marks.stored <= marks.durable).toBe(true);
    this.marks.push(marks);
  }

  giveCredit(byteLength: number): void {
    this.creditBytes += byteLength;
  }

  sendBatch(buffer: Buffer, start: number, end: number): boolean {
    this.fetched.push(Buffer.from(buffer.subarray(start, end)));
    return --this.fetchRoom > 0;
  }

  endFetch(): void {
    this.hasFetched = true;
  }

  recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks> {
    return this.recalls(wanted);
  }

  close(why: string): void {
    this.closedWhy = why;
  }

  /** One read from the socket that brought these batches. */
  send(...batches: readonly Buffer[]): void {
    for (const batch of batches) this.owner.batches(Buffer.from(batch), 0, batch.length);
    this.owner.endOfRead();
  }

  /** The newest that was said. */
  get last(): Watermarks {
    return this.marks.at(-1) ?? this.welcome;
  }
}

export interface FoundRecord {
  readonly record: JournalRecord;
  readonly payload: Buffer;
}

export class RemoteWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly driver: Driver;
  readonly options: Partial<RemoteOptions>;
  hook: FaultHook | undefined;
  /** Makes another sealer of the store's. */
  sealerOf: (store: SimStore) => Sealer = (store) => store;
  /** Puts something between the store and its folder. */
  objectsOf: (inner: Objects) => Objects = (inner) => inner;
  /** What is closed is sealed into it. Undefined: it stays where it is. */
  store: SimStore | undefined;
  readonly index = new StaleIndex();
  readonly #hasStore: boolean;
  appliance!: RemoteAppliance;

  constructor(seed: number, options: Partial<RemoteOptions> = {}, { hasStore = false } = {}) {
    this.#hasStore = hasStore;
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("remote");
    this.driver = simDriver(this.simulation.clock);
    this.options = { pieceBytes: 512 + metadataBatchBytesMax, ...options };
  }

  async start(): Promise<void> {
    const { host: machine, options, hook } = this;
    this.store = this.#hasStore
      ? await driven(this.driver, SimStore.open(machine, "/store", this.index, this.objectsOf))
      : undefined;
    const sealer = this.store === undefined ? {} : { sealer: this.sealerOf(this.store) };
    const parts = { machine, folder: "/data", options, ...sealer, ...(hook === undefined ? {} : { hook }) };
    this.appliance = await driven(this.driver, openRemoteAppliance(parts));
  }

  async connect(greeting: GroupHello = hello()): Promise<LocalPeer> {
    const peer = new LocalPeer();
    Object.assign(peer, await driven(this.driver, this.appliance.open(greeting, peer)));
    return peer;
  }

  async durable(peer: LocalPeer, seq: number): Promise<void> {
    peer.owner.askDurable(seq);
    await this.driver.until(() => peer.last.durable >= seq);
  }

  async stop(): Promise<void> {
    await driven(this.driver, this.appliance.stop());
    await this.store?.objects.close();
  }

  folder(group: string = groupA): JournalFolder {
    return new JournalFolder(`/data/groups/${group}`);
  }

  /** What the journals themselves hold, read back with every block checked. */
  content(lastSeq: number, group: string = groupA): FoundRecord[] {
    const reader = this.#reader(group);
    const segments = new SegmentReader(this.host.files, this.folder(group), group);
    const found = [...reader.ownRecords(0, lastSeq)].map((record) => {
      const payload = payloadFor(record);
      if (payload.length > 0) segments.read(record, payload, 0);
      return { record, payload };
    });
    segments.close();
    reader.close();
    return found;
  }

  /** The same, also where it is sealed. */
  async history(lastSeq: number, group: string = groupA): Promise<FoundRecord[]> {
    const reader = this.#reader(group);
    const found: FoundRecord[] = [];
    for await (const record of reader.records(0, lastSeq)) {
      const payload = payloadFor(record);
      await reader.readPayload(record, payload, 0);
      found.push({ record, payload });
    }
    reader.close();
    return found;
  }

  #reader(group: string): JournalReader {
    const state = readDocument(this.host.files, `/data/groups/${group}/group.json`, {
      format: "tidemark-remote-group",
      version: 1,
    });
    const incarnation = state?.incarnation as number;
    const start = (state?.journalStart as JournalStart | undefined) ?? wholeJournal;
    const sealed = this.store;
    return new JournalReader({
      files: this.host.files,
      folder: this.folder(group),
      identity: { group, incarnation },
      sealed,
      start,
    });
  }
}

function payloadFor({ address, blockCount }: JournalRecord): Buffer {
  return Buffer.alloc(address === 0 ? 0 : blockCount * 4096);
}
