/** A group's history on a simulated machine: pieces are sealed, snapshots made, and what is old goes. */

import type { Files } from "#src/host/files.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder } from "#src/journals/sealed-piece-builder.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { Objects } from "#src/store/objects.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import {
  contentOf,
  type PlainRecord,
  plainRecords,
  RandomUnits,
  volumeBlocks,
  volumeCount,
} from "#test/journals/random-units.ts";
import { listOf, pieceGroup } from "#test/journals/sealed-pieces.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { differencesOf } from "./snapshot-world.ts";

export const historyRoot = "/data/store";

export class HistoryWorld {
  readonly host: SimHost;
  readonly driver: Driver;
  readonly simulation: Simulation;
  readonly records: PlainRecord[] = [];
  readonly #units: RandomUnits;
  readonly #random: SeededRandom;
  objects!: Objects;
  history!: GroupHistory;

  private constructor(seed: number, spread: number) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("store");
    this.driver = simDriver(this.simulation.clock);
    this.#random = new SeededRandom(seed);
    this.#units = new RandomUnits(this.#random, 1, spread);
  }

  /** Nothing is opened yet. */
  static async make(seed: number, spread = 1): Promise<HistoryWorld> {
    const world = new HistoryWorld(seed, spread);
    world.host.files.makeFolder("/data");
    await driven(world.driver, new Promise((resolve) => world.host.files.syncFolder("/", resolve)));
    return world;
  }

  run<Result>(work: Promise<Result>): Promise<Result> {
    return driven(this.driver, work);
  }

  async open(files: Files = this.host.files): Promise<void> {
    const { clock } = this.host;
    this.objects = await FolderObjects.open({ files, clock }, historyRoot);
    const randomness = this.#random;
    this.history = new GroupHistory({ objects: this.objects, randomness, key: undefined, group: pieceGroup, clock });
  }

  async pieces(): Promise<SealedPiece[]> {
    return await listOf(sealedPieces(this.objects, pieceGroup, undefined));
  }

  /** Behind the newest one. */
  async seal(unitCount: number): Promise<SealedPiece> {
    const previous = (await this.pieces()).at(-1)?.link;
    const units = this.#units.take(unitCount);
    const parts = { objects: this.objects, randomness: this.#random, key: undefined, group: pieceGroup, previous };
    const builder = new SealedPieceBuilder(parts, units[0] as (typeof units)[0]);
    for (const unit of units) await builder.add(unit);
    this.records.push(...plainRecords(units));
    return await SealedPiece.open(this.objects, await builder.finish(1), undefined);
  }

  /** The addresses of all that the volumes hold after this record. */
  *contentAt(seq: number): Generator<number> {
    for (let volume = 1; volume <= volumeCount; volume++) {
      for (let block = 0; block < volumeBlocks; block++) {
        const address = contentOf(this.records, volume, block, seq)?.address ?? 0;
        if (address !== 0) yield address;
      }
    }
  }

  differences(snapshot: Snapshot): Promise<string[]> {
    return differencesOf(snapshot, this.records);
  }
}
