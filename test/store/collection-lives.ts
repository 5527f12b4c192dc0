/**
 * A store on a simulated machine over several lives of the process that keeps it: segments are sealed, points come and go, what
 * nobody needs is collected, and a life may end at any call. What was promised is remembered beside it.
 */
import { equal } from "node:assert/strict";
import { assert } from "#src/core/assert.ts";
import type { Files } from "#src/host/files.ts";
import { plainFingerprints } from "#src/host/fingerprint.ts";
import { addressOf, segmentOf, slotOf } from "#src/records/address.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { Collection } from "#src/store/collection.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { FolderReserve } from "#src/store/folder-reserve.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { driven } from "#test/contract/driver.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ClosedBlocks, sound } from "./closed-blocks.ts";
import { FaultyObjects, type ObjectFaults } from "./faulty-objects.ts";
import { KeptPoints } from "./kept-points.ts";
import { contentsOf, freely, origin } from "./memory-store.ts";

export type End = "killed" | "powerCut";

/** A process that keeps the store. */
export interface Life {
  readonly objects: Objects;
  readonly store: SegmentStore;
  readonly collection: Collection;
  close(): Promise<void>;
}

export class CollectionLives {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly points = new KeptPoints();
  readonly reserveBytes: number;
  /** Memory for what is needed, where it is less than usual. */
  readonly marksBytes: number | undefined;
  /** What was sealed, or may have been by one who died of it. */
  readonly sealed = new Map<number, ClosedBlocks>();
  /** Of the service that the objects lie on; undefined: they lie in a folder. */
  faults: ObjectFaults | undefined;
  #pointCount = 0;
  #openedCount = 0;

  constructor(seed: number, reserveBytes = 0, marksBytes?: number) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("a");
    this.reserveBytes = reserveBytes;
    this.marksBytes = marksBytes;
    this.host.files.makeFolder("/index");
  }

  #served(folder: FolderObjects): Objects {
    if (this.faults === undefined) return folder;
    const random = this.simulation.random.fork(`service ${this.#openedCount++}`);
    const objects = new FaultyObjects({ inner: folder, clock: this.host.clock, random });
    objects.faults = this.faults;
    return objects;
  }

  run<Result>(promise: Promise<Result>): Promise<Result> {
    return driven(simDriver(this.simulation.clock), promise);
  }

  async open(files: Files = this.host.files): Promise<Life> {
    const { clock, randomness, log, bootId } = this.host;
    const folder = await FolderObjects.open({ files, clock }, "/store");
    const maps = new SimSortedMaps(files);
    const about = { folder: "/index", store: Buffer.alloc(16, 7), filterBytesMax: 4096, gatherBytesMax: 65536 };
    const index = await openFingerprintIndex({ files, clock, randomness, log, bootId, maps, ...about });
    const close = async (): Promise<void> => {
      await index.close();
      await folder.close();
    };
    try {
      return await this.#openedOver(this.#served(folder), index, files, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  async #openedOver(
    objects: Objects,
    index: FingerprintIndex,
    files: Files,
    close: () => Promise<void>,
  ): Promise<Life> {
    const { clock, randomness, log } = this.host;
    const parts = { objects, index, fingerprints: plainFingerprints, key: undefined, clock, randomness, log };
    const store = await SegmentStore.open(parts);
    const byteLength = () => this.reserveBytes;
    const reserve = new FolderReserve({ files, randomness, log, folder: "/store", byteLength });
    const folders = { files, indexFolder: "/index", reserve, graceMs: 500 };
    const marks = this.marksBytes === undefined ? {} : { marksBytes: this.marksBytes };
    const collection = await Collection.open({ ...parts, ...folders, ...marks, store, live: this.points });
    await reserve.refill();
    await store.catchUp();
    return { objects, store, collection, close };
  }

  /** The next segment: some of its contents may be there already. */
  nextSegment(random: SeededRandom, slotCount: number): ClosedBlocks {
    const segment = this.sealed.size + 1;
    const slots = Array.from({ length: slotCount }, () => sound(random.integerBelow(3 * slotCount)));
    const closed = new ClosedBlocks(segment, slots);
    this.sealed.set(segment, closed);
    this.points.unsettled.add(segment);
    return closed;
  }

  /** A point that reaches some of what an earlier one reaches, and some of the segment, of which all is known then. */
  addPoint(random: SeededRandom, closed: ClosedBlocks): void {
    const earlier = [...this.points.points.values()].at(-1) ?? new Set();
    const reached = [...earlier, ...closed.slots.keys().map((slot) => addressOf(closed.segment, slot))];
    this.points.points.set(`${this.#pointCount++}`, new Set(reached.filter(() => random.integerBelow(3) > 0)));
    this.points.unsettled.delete(closed.segment);
  }

  expireOldest(): void {
    for (const name of this.points.points.keys()) {
      this.points.points.delete(name);
      return;
    }
  }

  /** Lives until it has done its work, or so many calls were made. */
  async lived(pointsBefore: number, end: End, work: (life: Life) => Promise<void>): Promise<DoomedFiles> {
    const doom = () => (end === "killed" ? this.host.kill() : this.host.cutPower());
    const files = new DoomedFiles(this.host.files, pointsBefore, doom);
    let failure: unknown;
    const life = async (): Promise<void> => {
      const opened = await this.open(files);
      await work(opened);
      await opened.close();
    };
    void life().catch((error) => {
      failure = error;
    });
    await this.simulation.clock.settle();
    if (!files.isDead && failure !== undefined) throw failure;
    return files;
  }

  /** Somebody in another process who only reads. */
  async openReader(): Promise<BlockReader> {
    const objects = FolderObjects.openToRead(this.host, "/store");
    return new BlockReader(
      await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined)),
    );
  }

  /** Every block that is needed can be read, and none is given that is another one. */
  async check({ store }: Life): Promise<void> {
    for (const segment of this.sealed.keys()) {
      const isThere = store.segments.has(segment) || !this.#isNeeded(segment);
      assert(isThere, `segment ${segment} is gone, and something of it is needed`);
    }
    await this.checkRead(store.reader);
  }

  async checkRead(reader: BlockReader): Promise<void> {
    for (const [segment, closed] of this.sealed) {
      if (!reader.has(segment)) continue;
      const contents = await contentsOf(reader, closed);
      for (const [slot, { content }] of closed.slots.entries()) {
        const address = addressOf(segment, slot);
        if (this.points.has(address)) equal(contents[slot], content, `segment ${segment}, slot ${slot} is needed`);
      }
    }
  }

  #isNeeded(segment: number): boolean {
    return this.points.points
      .values()
      .some((reached) => reached.values().some((address) => segmentOf(address) === segment));
  }

  /** Of what nobody needs nothing is left that a collection could free, but the newest segment. */
  async checkCollected({ store, objects }: Life): Promise<void> {
    const names: string[] = [];
    for await (const { name } of objects.list("segments/")) names.push(name);
    equal(names.length, store.segments.count, `one generation of each: ${names.join(", ")}`);
    for (const { segment } of store.segments.identities()) {
      const isSpared = segment === store.segments.newest || this.points.unsettled.has(segment);
      assert(isSpared || this.#isReached(segment, store), `nothing of segment ${segment} is needed`);
    }
  }

  #isReached(segment: number, store: SegmentStore): boolean {
    if (this.#isNeeded(segment)) return true;
    const closed = this.sealed.get(segment) as ClosedBlocks;
    const contents = new Set(closed.slots.map(({ content }) => content));
    const others = [...this.sealed].filter(([other]) => other !== segment && store.segments.has(other));
    return others.some(([other, { slots }]) =>
      slots.some(({ content }, slot) => contents.has(content) && this.points.has(addressOf(other, slotOf(slot)))),
    );
  }

  async seal({ store }: Life, closed: ClosedBlocks): Promise<void> {
    await store.seal(closed, origin);
  }

  async collect({ collection }: Life): Promise<void> {
    await collection.run(freely);
    await collection.plan({ neededBytes: Number.MAX_SAFE_INTEGER }, freely);
    await collection.run(freely);
  }
}
