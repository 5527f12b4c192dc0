import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { addressOf } from "#src/records/address.ts";
import { rewriteSegment } from "#src/store/segment-rewrite.ts";
import { CancelledError, type WorkControl } from "#src/store/work-control.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { ClosedBlocks, contentOf, sound } from "./closed-blocks.ts";
import { CollectionWorld } from "./collection-world.ts";
import { contentsOf, freely, MemoryStore } from "./memory-store.ts";
import { SpoiledObjects } from "./spoiled-objects.ts";

const slotCount = 24;
const lifeCount = 6;

class SpoiledLives {
  readonly #random: SeededRandom;
  readonly #objects = new SpoiledObjects();
  readonly #sealed: ClosedBlocks[] = [];
  #world: CollectionWorld | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** The next process. */
  async #opened(): Promise<CollectionWorld> {
    this.#world = await CollectionWorld.open(await MemoryStore.open(this.#objects), this.#world?.points);
    return this.#world;
  }

  async live(): Promise<void> {
    const world = await this.#opened();
    this.#objects.spoilCount = 0;
    await this.#seal(world);
    this.#objects.spoilCount = this.#random.integerBelow(5);
    this.#objects.spoilAt = this.#random.pick([200, 5000, -900, -64]);
    await collect(world, endedAt(1 + this.#random.integerBelow(40)));
    if (this.#random.integerBelow(2) === 0) await this.#repair(await this.#opened());
  }

  /** A point reaches some of what the one before did, and some of the new segment, as the older one expires. */
  async #seal(world: CollectionWorld): Promise<void> {
    const slots = Array.from({ length: slotCount }, () => sound(1 + this.#random.integerBelow(3 * slotCount)));
    const closed = new ClosedBlocks(this.#sealed.length + 1, slots);
    await world.it.seal(closed);
    this.#sealed.push(closed);
    const before = [...world.points.points.values()].flatMap((addresses) => [...addresses]);
    const reached = [...before, ...closed.slots.keys().map((slot) => addressOf(closed.segment, slot))];
    const left = reached.filter(() => this.#random.integerBelow(4) > 0);
    world.points.points.set("a", new Set(left));
  }

  /** It has a copy of one slot in three, and dies before it removes what was there before. */
  async #repair(world: CollectionWorld): Promise<void> {
    const identities = [...world.it.store.segments.identities()];
    const identity = this.#random.pick(identities);
    const closed = this.#sealed[identity.segment - 1];
    const phase = this.#random.integerBelow(3);
    const replacement = async (slot: number) =>
      slot % 3 === phase ? contentOf(closed?.slots[slot]?.content ?? 0) : undefined;
    const change = { isDropped: () => false, replacement, ifUnreadable: "markDamaged" as const };
    await rewriteSegment(world.it.parts, identity, identity.generation + 1, change, freely).catch(unlessStopped);
  }

  /** Afterwards all writes are well. */
  async check(): Promise<void> {
    this.#objects.spoilCount = 0;
    for (let run = 0; run < 2; run++) await collect(await this.#opened(), freely);
    const world = await this.#opened();
    for (const closed of this.#sealed) {
      const found = await contentsOf(world.it.store.reader, closed);
      for (const [slot, { content }] of closed.slots.entries()) {
        if (!world.points.has(addressOf(closed.segment, slot))) continue;
        expect(found[slot], `slot ${slot} of segment ${closed.segment} is needed`).toBe(content);
      }
    }
    const segments = (await world.names()).map((name) => name.split(".")[0]);
    expect(segments).toEqual([...new Set(segments)]);
  }
}

async function collect(world: CollectionWorld, control: WorkControl): Promise<void> {
  const work = async (): Promise<void> => {
    await world.collection.run(control);
    await world.collection.plan({ neededBytes: Number.MAX_SAFE_INTEGER }, control);
    await world.collection.run(control);
  };
  await work().catch(unlessStopped);
}

function unlessStopped(error: unknown): void {
  if (!(error instanceof StopError || error instanceof CancelledError)) throw error;
}

function endedAt(turn: number): WorkControl {
  let turns = 0;
  const throwIfCancelled = (): void => {
    if (++turns >= turn) throw new CancelledError();
  };
  return { ...freely, throwIfCancelled };
}

test("fault 18: over many lives with bad writes and repairs that end anywhere, what is needed stays", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const lives = new SpoiledLives(seed);
    for (let life = 0; life < lifeCount; life++) await lives.live();
    await lives.check().catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
  }
});
