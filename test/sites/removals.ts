/**
 * Volumes are removed from their groups, as those do it who look after them: hosts are cut off, the volume ends in whatever state
 * it is, that is noted where it outlives every crash, and the local appliance is told until it has taken note. The group must go
 * on without it. What its source lacks then nobody owes it any more.
 */
import { isOwnFault } from "#src/core/assert.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { GroupOracle } from "./group-oracle.ts";
import { demand } from "./violation.ts";
import type { VolumeHost } from "./volume-host.ts";
import type { World } from "./world.ts";

export const removal = "removed volume" as const;

const stopGraceMs = 5_000;
const markMs = 60_000;
/** Those of a volume that comes up only to go again are not stopped by anybody who removes it. */
const removable: ReadonlySet<string> = new Set(["open", "fenced", "stalled", "tracking", "full"]);

export class Removals {
  count = 0;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #isDrawn: boolean;
  /** In this life of the site. */
  readonly #ending = new Set<VolumeHost>();
  readonly #gone = new Set<VolumeHost>();
  readonly #untold = new Set<VolumeHost>();
  /** The site that is being told. */
  readonly #asked = new Map<VolumeHost, unknown>();
  /** Those that show that groups go on. */
  readonly #marks = new Map<GroupOracle, "asked" | "set">();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.simulation.random.fork("removals");
    this.#isDrawn = this.#random.chance(0.5);
  }

  /** Nobody opens it any more. */
  isGone(name: string): boolean {
    return [...this.#gone].some((volume) => volume.name === name);
  }

  /** From the order to remove it on nobody judges what becomes of its source. */
  isLeft(name: string): boolean {
    return this.isGone(name) || [...this.#ending].some((volume) => volume.name === name);
  }

  /** Those that are protected. */
  get others(): readonly VolumeHost[] {
    return this.#world.volumes.filter(({ name }) => !this.isLeft(name));
  }

  look(): void {
    if (this.#isDrawn && this.#random.chance(0.08)) this.#removeSome();
    this.goOn();
  }

  /** Never the last one of its group. */
  #removeSome(): void {
    const { source, resizes } = this.#world;
    const group = this.#random.pick(this.#world.groups);
    const volumes = this.others.filter((volume) => volume.group === group);
    if (volumes.length < 2) return;
    const volume = this.#random.pick(volumes);
    const opened = source?.volumes().get(volume.name);
    if (opened === undefined || !removable.has(opened.status().state) || resizes.isUnderWay(volume)) return;
    this.#world.simulation.trace.add(`removal: ${volume.name}, which is ${opened.status().state}`);
    this.#ending.add(volume);
    volume.crash();
    opened.stop(stopGraceMs).then(
      () => {
        if (source !== this.#world.source) return;
        this.#ending.delete(volume);
        this.#gone.add(volume);
        this.#untold.add(volume);
        this.count++;
      },
      (error: Error) => this.#world.fail(error),
    );
  }

  /** Tells what the appliance does not know yet. */
  goOn(): void {
    const { source } = this.#world;
    if (source === undefined) return;
    for (const volume of this.#untold) {
      if (this.#asked.get(volume) === source) continue;
      this.#asked.set(volume, source);
      source.forget(volume.name).then(
        () => {
          if (source === this.#world.source) this.#untold.delete(volume);
        },
        (error: Error) => {
          if (isOwnFault(error)) this.#world.fail(error);
          if (this.#asked.get(volume) === source) this.#asked.delete(volume);
        },
      );
    }
  }

  get isDone(): boolean {
    return this.#ending.size === 0 && this.#untold.size === 0;
  }

  /** When all is well again a point of a whole group is one, without those that are gone: that is to be shown. */
  wantMarks(): void {
    this.#marks.clear();
  }

  /** Answers whether it was. Where a volume goes away once more, as from a spool that is full, it is asked for again. */
  areMarksSet(isOpen: (volume: VolumeHost) => boolean): boolean {
    const concerned = this.#world.groups.filter((group) => [...this.#gone].some((volume) => volume.group === group));
    for (const group of concerned) if (!this.#marks.has(group)) this.#mark(group, isOpen);
    return concerned.every((group) => this.#marks.get(group) === "set");
  }

  #mark(group: GroupOracle, isOpen: (volume: VolumeHost) => boolean): void {
    const { source, weather, groups } = this.#world;
    const name = weather.groups[groups.indexOf(group)]?.name ?? "";
    this.#marks.set(group, "asked");
    source?.mark(name, markMs).then(
      ({ seq }) =>
        this.#world.guard(() => {
          group.markPlaced(seq, (one) => this.isNumberLeft(one));
          this.#marks.set(group, "set");
        }),
      (error: Error) =>
        this.#world.guard(() => {
          this.#marks.delete(group);
          const isWell = this.others.every((volume) => volume.group !== group || isOpen(volume));
          demand("liveness", !isWell, () => error.message);
        }),
    );
  }

  /** By the number that its host gives it. */
  isNumberLeft(hostVolume: number): boolean {
    return this.#world.volumes.some(({ name, model }) => model.volume === hostVolume && this.isLeft(name));
  }

  sourceCrashed(): void {
    this.#ending.clear();
    this.#asked.clear();
    this.#marks.clear();
  }
}
