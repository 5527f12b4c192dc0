/** A store in memory with points that are kept, and a collection of the rest. */
import { addressOf } from "#src/records/address.ts";
import { Collection, type CollectionParts } from "#src/store/collection.ts";
import type { CollectionOutcome } from "#src/store/collection-document.ts";
import { noReserve } from "#src/store/space-reserve.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { KeptPoints } from "./kept-points.ts";
import { freely, MemoryStore } from "./memory-store.ts";

export class CollectionWorld {
  readonly it: MemoryStore;
  readonly points: KeptPoints;
  readonly parts: CollectionParts;
  readonly collection: Collection;

  private constructor(it: MemoryStore, points: KeptPoints, parts: CollectionParts, collection: Collection) {
    this.it = it;
    this.points = points;
    this.parts = parts;
    this.collection = collection;
  }

  static async open(it?: MemoryStore, points = new KeptPoints()): Promise<CollectionWorld> {
    const memory = it ?? (await MemoryStore.open());
    const { files } = new Simulation(1).host("a");
    files.makeFolder("/index");
    const parts: CollectionParts = {
      ...memory.parts,
      objects: memory.objects,
      store: memory.store,
      live: points,
      files,
      indexFolder: "/index",
      reserve: noReserve,
      graceMs: 0,
    };
    return new CollectionWorld(memory, points, parts, await Collection.open(parts));
  }

  /** Slots of one segment. */
  keep(point: string, segment: number, ...slots: readonly number[]): void {
    const addresses = slots.map((slot) => addressOf(segment, slot));
    this.points.points.set(point, new Set([...(this.points.points.get(point) ?? []), ...addresses]));
  }

  async collect(neededBytes = 0): Promise<CollectionOutcome | undefined> {
    await this.collection.plan({ neededBytes }, freely);
    return await this.collection.run(freely);
  }

  async names(): Promise<string[]> {
    const infos = await Array.fromAsync(this.it.objects.list("segments/"));
    return infos.map(({ name }) => name.replace("segments/", "").replace(/^0+/, ""));
  }
}
