/**
 * The remote appliance loses all that it has but its store, and is made anew of that: as a person does it who follows
 * docs/recovery.md. Who has let go of what the store lacks begins another spool, and copies his sources.
 */
import { readNotedStore } from "#src/control/store-binding.ts";
import { rebuildFromStore } from "#src/control/store-rebuild.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { remoteFolder } from "./remote-site.ts";
import { storeFolder } from "./store-process.ts";
import { demand } from "./violation.ts";
import type { World } from "./world.ts";

export class LostFolder {
  readonly #world: World;
  readonly #random: SeededRandom;
  #hasHappened = false;
  #isLost = false;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.simulation.random.fork("lost folder");
  }

  /** As the remote's site is about to go down. Answers whether its folder is to go too. */
  isDoomed(): boolean {
    const { remoteDisks, journal, isHealed } = this.#world;
    const isStoreThere =
      remoteDisks
        .durable()
        ?.paths()
        .some((path) => /\/pieces\//.test(path)) === true;
    if (this.#hasHappened || isHealed || !isStoreThere || !this.#random.chance(0.5)) return false;
    this.#hasHappened = true;
    this.#isLost = true;
    journal.folderLost();
    return true;
  }

  lose(): void {
    this.#world.mishaps.lostFolder();
    const { root } = this.#world.remoteHost.disk;
    root.apply([[remoteFolder.slice(1), null]]);
    root.makeDurable(root.changeCount);
  }

  /** Before the appliance is started. What ends it is done again. */
  async mend(wrappingKey: WrappingKey | undefined): Promise<void> {
    const { remoteHost: machine, groups, journal, store } = this.#world;
    if (!this.#isLost) return;
    machine.files.makeFolder(remoteFolder);
    const objects = await FolderObjects.open(machine, storeFolder);
    try {
      const nothing = { isInPlace: false, confirmed: [], cut: [], progress: () => {} };
      const place = { machine, folder: remoteFolder, objects, place: storeFolder, wrappingKey };
      // One that was ended at its very end has noted that it is through.
      const isThrough = readNotedStore(machine.files, remoteFolder)?.isRebuilding === false;
      const { broken } = isThrough ? { broken: [] } : await rebuildFromStore({ ...place, ...nothing });
      demand("promise", broken.length === 0, () => `not made anew: ${JSON.stringify(broken)}`);
    } finally {
      await objects.close();
    }
    this.#isLost = false;
    for (const { id } of groups) {
      const seq = journal.rebuilt(id);
      const claimedSeq = store.claimedSeq(id);
      demand("promise", seq >= claimedSeq, () => `seq ${claimedSeq} was stored, and ${seq} came back of the objects`);
    }
  }

  /** At the source: what the remote will never have is given up, and what the sources have is copied. */
  look(): void {
    const { source, mishaps, groups } = this.#world;
    if (!this.#hasHappened || source === undefined) return;
    for (const { id, name, refusal } of source.groups()) {
      const group = groups.find((one) => one.id === id);
      if (group !== undefined && refusal?.includes("move-spool") === true) mishaps.moveSpool(group, name);
    }
  }
}
