/** What people and disks do to a site beyond what `Faults` does, and what has to be done about it until it has succeeded. */
import { spoolIsMoving } from "#src/appliance/local/moving-group.ts";
import { isOwnFault } from "#src/core/assert.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { SimFile } from "#test/sim/sim-file.ts";
import type { SimFolder } from "#test/sim/sim-folder.ts";
import { filesOf, nodeAt } from "./file-tree.ts";
import type { GroupOracle } from "./group-oracle.ts";
import { cellBytes, putStamps } from "./stamp.ts";
import type { VolumeHost } from "./volume-host.ts";
import type { World } from "./world.ts";

export const mishapKinds = [
  "long cut",
  "full source",
  "changed source",
  "order to copy",
  "lost spool",
  "lost index",
  "old index",
  "lost folder",
  "new spool",
] as const;
export type MishapKind = (typeof mishapKinds)[number];

export class Mishaps {
  readonly counts = new Map<MishapKind, number>();
  readonly #world: World;
  readonly #random: SeededRandom;
  /** An order to copy them is given again and again until it is taken. */
  readonly #toBeCopied = new Set<VolumeHost>();
  /** As it was at some earlier end of the remote's site. */
  #oldIndex: ReadonlyMap<string, Buffer> | undefined;
  /** Given, in this life of the site, and not answered yet. */
  #ordered = new Map<VolumeHost, unknown>();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.simulation.random.fork("mishaps");
  }

  #count(kind: MishapKind, what: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#world.simulation.trace.add(`mishap: ${kind} ${what}`);
  }

  /** Between two steps of the story. */
  look(): void {
    const { weather, volumes } = this.#world;
    const random = this.#random;
    if (weather.longCuts && random.chance(0.1)) this.#cut();
    if (weather.fullSources && random.chance(0.15)) this.#fill(random.pick(volumes));
    if (weather.changedSources && random.chance(0.08)) this.#change(random.pick(volumes));
    this.orderCopies();
  }

  /** The link is away, and nobody is told. */
  #cut(): void {
    const { network, clock } = this.#world.simulation;
    const { sourceHost, remoteHost } = this.#world;
    this.#count("long cut", "");
    const paths = [network.path(sourceHost.name, remoteHost.name), network.path(remoteHost.name, sourceHost.name)];
    for (const path of paths) path.hold();
    clock.schedule(this.#random.pick([2_000, 15_000, 60_000]), () => {
      for (const path of paths) path.release();
    });
  }

  #fill(volume: VolumeHost): void {
    const { sourceHost, simulation } = this.#world;
    this.#count("full source", volume.name);
    sourceHost.disk.faults.fullFile = sourceHost.disk.fileAt(`/${volume.name}/source`);
    simulation.clock.schedule(this.#random.pick([5, 600, 20_000]), () => this.#makeRoom());
  }

  #makeRoom(): void {
    this.#world.sourceHost.disk.faults.fullFile = undefined;
  }

  #change(volume: VolumeHost): void {
    // Who writes to a source by himself does so where the volume is.
    if (this.#world.resizes.isUnderWay(volume)) return;
    if (this.#random.chance(0.7)) this.#write(volume);
    this.#count("order to copy", volume.name);
    this.#toBeCopied.add(volume);
    this.#ordered.delete(volume);
  }

  #write(volume: VolumeHost): void {
    this.#count("changed source", volume.name);
    const file = this.#world.sourceHost.disk.fileAt(`/${volume.name}/source`);
    volume.changeSource((firstCell, cellCount, number) => {
      const position = firstCell * cellBytes;
      const lengthBytes = cellCount * cellBytes;
      const bytes = Buffer.alloc(lengthBytes);
      if (number > 0) putStamps(bytes, 0, volume.model.volume, firstCell, cellCount, number);
      const isHole = number === 0 && this.#random.chance(0.7);
      if (isHole) file.apply({ kind: "zero", position, lengthBytes, keepSpace: false });
      else file.apply({ kind: "write", position, lengthBytes, bytes });
      file.makeDurable(file.changeCount);
    });
  }

  /** Each that nobody has taken yet, and that somebody can take now. */
  orderCopies(): void {
    const { source } = this.#world;
    for (const volume of this.#toBeCopied) {
      const opened = source?.volumes().get(volume.name);
      if (opened === undefined || this.#ordered.get(volume) === opened) continue;
      this.#ordered.set(volume, opened);
      const isLast = (): boolean => this.#ordered.get(volume) === opened && source === this.#world.source;
      opened.resync().then(
        () => {
          if (!isLast()) return;
          this.#toBeCopied.delete(volume);
          this.#ordered.delete(volume);
        },
        () => {
          if (isLast()) this.#ordered.delete(volume);
        },
      );
    }
  }

  isToBeCopied(volume: VolumeHost): boolean {
    return this.#toBeCopied.has(volume);
  }

  /**
   * As the source's site goes down: whose spool goes with it. Not while a source is being brought up to date from it, since
   * then nobody has what that source had.
   */
  spoolToLose(): GroupOracle | undefined {
    const { weather, groups, volumes, source } = this.#world;
    if (!weather.lostSpools || !this.#random.chance(0.4)) return undefined;
    const group = this.#random.pick(groups);
    const isInUse = ({ name }: VolumeHost): boolean => {
      const state = source?.volumes().get(name)?.status().state;
      return state !== undefined && !["redoing", "fenced", "stopped"].includes(state);
    };
    const mustBe = volumes.filter((volume) => volume.group === group && !this.#world.removals.isGone(volume.name));
    return mustBe.every(isInUse) ? group : undefined;
  }

  loseSpool(group: GroupOracle): void {
    const { disk } = this.#world.sourceHost;
    const isOfSpool = (path: string): boolean => path.includes(`/${group.id}/`) && path.endsWith(".segment");
    const paths = [...filesOf(disk.root).keys()].filter(isOfSpool);
    if (paths.length === 0) return;
    this.#count("lost spool", group.id);
    for (const path of paths) {
      const { folder, name } = disk.parentOf(path);
      folder.apply([[name, null]]);
      folder.makeDurable(folder.changeCount);
    }
    this.#world.guard(() => group.spoolLost());
  }

  /** The remote has lost what this one has let go of: so what there is goes, and the sources are copied. */
  moveSpool(group: GroupOracle, name: string): void {
    const { source, volumes } = this.#world;
    // Refused, where it is being opened, or a source still needs what is in it: it is looked again.
    source?.moveSpool(name).catch((error: Error) => {
      if (isOwnFault(error)) this.#world.fail(error);
    });
    if (source?.groups().some(({ id, why }) => id === group.id && why === spoolIsMoving) !== true) return;
    this.#count("new spool", name);
    this.#world.guard(() => group.spoolLost());
    for (const volume of volumes) {
      if (volume.group !== group) continue;
      this.#toBeCopied.add(volume);
      this.#ordered.delete(volume);
    }
  }

  lostFolder(): void {
    this.#count("lost folder", "");
  }

  /** As the remote's site goes down, what its store's index was goes too; an old one may be put back in its place. */
  loseIndexPerhaps(): void {
    const { weather, remoteHost } = this.#world;
    if (weather.sealing?.lostIndexes !== true || !this.#random.chance(0.4)) return;
    const folder = nodeAt(remoteHost.disk.root, "/remote/index");
    if (folder?.kind !== "folder" || folder.names.size === 0) return;
    const old = this.#oldIndex;
    if (this.#random.chance(0.5)) this.#oldIndex = contentsIn(folder);
    this.#count(old === undefined ? "lost index" : "old index", "");
    folder.apply([...folder.names.keys()].map((name) => [name, null] as const));
    for (const [name, bytes] of old ?? []) {
      const file = new SimFile();
      file.apply({ kind: "write", position: 0, lengthBytes: bytes.length, bytes });
      file.makeDurable(file.changeCount);
      folder.apply([[name, file]]);
    }
    folder.makeDurable(folder.changeCount);
  }

  heal(): void {
    this.#makeRoom();
  }
}

function contentsIn(folder: SimFolder): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (const [name, node] of folder.names) {
    if (node.kind === "folder") continue;
    const bytes = Buffer.alloc(node.current.sizeBytes);
    node.current.read(bytes, 0, bytes.length, 0);
    contents.set(name, bytes);
  }
  return contents;
}
