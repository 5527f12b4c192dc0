import { expect, test } from "vitest";
import { addressOf } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import { directories, keptBlocks, segmentOfBlocks } from "./index-blocks.ts";
import { IndexModel } from "./index-model.ts";
import { type SimIndexWorld, simIndexWorld, tight } from "./index-world.ts";

const blockCount = 1500;
const roundCount = 30;

/** An index, what is known of it, and what is done to both. */
class Story {
  readonly #random: SeededRandom;
  readonly #world: SimIndexWorld;
  readonly #model = new IndexModel(blockCount);
  readonly #bounds: object;
  #index!: FingerprintIndex;
  #nextSegment = 1;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#world = simIndexWorld(seed);
    this.#bounds = this.#random.chance(0.7) ? tight : {};
  }

  async run(): Promise<void> {
    this.#index = await this.#world.open(this.#bounds);
    for (let round = 0; round < roundCount; round++) {
      await this.#act();
      this.#model.expectSame(this.#index);
    }
    expect(this.#world.warnings).toEqual([]);
  }

  async #act(): Promise<void> {
    const choice = this.#random.integerBelow(100);
    if (choice < 40) await this.#world.drive(this.#add());
    else if (choice < 60) await this.#world.drive(this.#forget());
    else if (choice < 75) await this.#flush();
    else if (choice < 85) await this.#reopen();
    else await this.#crash();
  }

  #add(): Promise<void> {
    const segment = this.#nextSegment++;
    const blocks = [...new Set(Array.from({ length: this.#random.between(1, 400) }, () => this.#anyBlock()))];
    this.#model.added(segment, blocks);
    return this.#index.add({ segment, generation: 0 }, segmentOfBlocks(segment, blocks));
  }

  /** Mostly what is there, sometimes what is elsewhere or nowhere. */
  #forget(): Promise<void> {
    const blocks = [...new Set(Array.from({ length: this.#random.between(1, 300) }, () => this.#anyBlock()))];
    const pairs = blocks.map((block): [number, number] => {
      const address = this.#model.addressOf(block);
      return [block, address === 0 || this.#random.chance(0.2) ? addressOf(999_999, block) : address];
    });
    this.#model.forgotten(pairs);
    return this.#index.forget(keptBlocks(pairs));
  }

  async #flush(): Promise<void> {
    await this.#world.drive(this.#index.flush());
    this.#model.flushed();
  }

  async #reopen(): Promise<void> {
    await this.#world.drive(this.#index.close());
    this.#model.flushed();
    this.#index = await this.#world.open(this.#bounds);
    expect(await this.#world.drive(this.#index.missing(this.#model.names))).toEqual([]);
  }

  /** Somewhere in the middle of something. */
  async #crash(): Promise<void> {
    const work = [() => this.#add(), () => this.#forget(), () => this.#index.flush()];
    void this.#random
      .pick(work)()
      .catch(() => {});
    await promisesSettled();
    for (let step = this.#random.integerBelow(12); step > 0; step--) {
      this.#world.simulation.clock.step();
      await promisesSettled();
    }
    if (this.#random.chance(0.5)) this.#world.host.kill();
    else this.#world.host.cutPower();
    this.#index = await this.#world.open(this.#bounds);
    const missing = await this.#world.drive(this.#index.missing(this.#model.names));
    this.#model.expectPossible(this.#index, missing);
    await this.#world.drive(this.#index.rebuild(directories(this.#model.segments, missing), () => {}));
    for (const { segment } of missing) this.#model.addedAgain(segment);
    expect(await this.#world.drive(this.#index.missing(this.#model.names))).toEqual([]);
    this.#model.flushed();
  }

  #anyBlock(): number {
    return this.#random.integerBelow(blockCount);
  }
}

test.each(Array.from({ length: 8 }, (_, seed) => seed))(
  "fault 10: an index that crashes knows what was durable, and which segments to read again (seed %d)",
  async (seed) => {
    await new Story(seed).run();
  },
);
