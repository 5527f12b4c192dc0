/**
 * Volumes get another size, as those do it who look after them: no host has them any more, the volume ends, an order is noted
 * that outlives every crash, and they are opened anew by it. Never larger than they were at first.
 */
import type { NbdExport } from "#src/nbd/export.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { cellBytes, cellsPerBlock } from "./stamp.ts";
import type { VolumeHost } from "./volume-host.ts";
import type { World } from "./world.ts";

export const resizeKinds = ["cut", "growth"] as const;
export type ResizeKind = (typeof resizeKinds)[number];

/** As a catalogue keeps it, on a disk where nothing happens. */
export interface NotedSize {
  readonly sizeBytes: number;
  readonly previousBytes?: number;
  readonly resizeTo?: number;
}

const stopGraceMs = 5_000;
const blockBytes = cellBytes * cellsPerBlock;

export class Resizes {
  readonly counts = new Map<ResizeKind, number>();
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #noted = new Map<string, NotedSize>();
  /** No host begins anything on them any more. */
  readonly #left = new Map<VolumeHost, NbdExport>();
  readonly #ending = new Set<VolumeHost>();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.simulation.random.fork("resizes");
  }

  /** `firstBytes`: what it has when nothing is noted of it. */
  noted(name: string, firstBytes: number): NotedSize {
    return this.#noted.get(name) ?? { sizeBytes: firstBytes };
  }

  isUnderWay(volume: VolumeHost): boolean {
    return this.#left.has(volume) || this.#ending.has(volume) || this.#noted.get(volume.name)?.resizeTo !== undefined;
  }

  look(): void {
    const { weather, volumes } = this.#world;
    if (weather.resizes && this.#random.chance(0.12)) {
      const volume = this.#random.pick(volumes);
      if (this.#mayResize(volume) && !this.isUnderWay(volume)) this.#left.set(volume, volume.leave());
    }
    this.goOn();
  }

  #mayResize(volume: VolumeHost): boolean {
    const status = this.#world.source?.volumes().get(volume.name)?.status();
    const isWhole = status?.state === "open" && status.copy === undefined && !status.baseMissing;
    return isWhole && !this.#world.mishaps.isToBeCopied(volume);
  }

  /** With those whose hosts have nothing under way any more. */
  goOn(): void {
    for (const [volume, target] of this.#left) {
      if (volume.inFlightCount > 0) continue;
      this.#left.delete(volume);
      if (this.#mayResize(volume)) this.#resize(volume);
      else volume.returnTo(target);
    }
  }

  #resize(volume: VolumeHost): void {
    const { source } = this.#world;
    const { name, model } = volume;
    this.#ending.add(volume);
    const opened = source?.volumes().get(name);
    opened?.stop(stopGraceMs).then(
      () => {
        if (source !== this.#world.source) return;
        this.#ending.delete(volume);
        this.#order(volume, opened.sizeBytes, model.cellCount);
        source?.open(name);
        this.#crashSoon();
      },
      (error: Error) => this.#world.fail(error),
    );
  }

  /** It is over within moments, and what ends a site by chance would rarely meet it. */
  #crashSoon(): void {
    const { weather, simulation, source } = this.#world;
    // What notes that a sync has failed has to be synced itself.
    const ends = weather.errors ? [] : [...(weather.kills ? [true] : []), ...(weather.powerCuts ? [false] : [])];
    if (ends.length === 0 || this.#random.chance(0.4)) return;
    const hadPower = this.#random.pick(ends);
    simulation.clock.schedule(this.#random.integerBelow(this.#random.pick([2, 10, 30])), () => {
      if (source !== this.#world.source) return;
      simulation.trace.add(`resize: ${hadPower ? "killed" : "without power"} on the way`);
      this.#world.crashSource(hadPower);
    });
  }

  #order({ name }: VolumeHost, sizeBytes: number, cellCountMax: number): void {
    const blocksMax = Math.floor(cellCountMax / cellsPerBlock);
    const resizeTo = this.#random.pick([1, blocksMax, this.#random.between(1, blocksMax)]) * blockBytes;
    const kind = resizeTo < sizeBytes ? "cut" : "growth";
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#world.simulation.trace.add(`resize: ${kind} of ${name} from ${sizeBytes} to ${resizeTo}`);
    this.#noted.set(name, { ...this.#noted.get(name), sizeBytes, resizeTo });
  }

  /** The order is carried out. */
  opened(name: string, sizeBytes: number): void {
    const noted = this.#noted.get(name);
    if (noted?.resizeTo === undefined) return;
    const isOther = noted.resizeTo !== noted.sizeBytes;
    this.#noted.set(name, { sizeBytes, ...(isOther ? { previousBytes: noted.sizeBytes } : {}) });
  }

  sourceCrashed(): void {
    this.#left.clear();
    this.#ending.clear();
  }
}
