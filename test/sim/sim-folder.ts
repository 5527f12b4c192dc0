/**
 * The names in one simulated folder. A name that was given, changed or removed is on the disk only when the folder was
 * synced; at a power cut each such change may be lost or kept, but a later change of a name is never kept without the
 * earlier ones, and a rename is always kept or lost as a whole.
 */
import type { SeededRandom } from "./seeded-random.ts";
import type { SimFile } from "./sim-file.ts";

export type SimNode = SimFile | SimFolder;

/** One operation: names with what they mean from now on; `null` for nothing. */
export type NameChange = readonly (readonly [name: string, node: SimNode | null])[];

export class SimFolder {
  readonly kind = "folder";
  #current = new Map<string, SimNode>();
  #durable = new Map<string, SimNode>();
  #unsynced: NameChange[] = [];
  #changeCount = 0;
  #settledCount = 0;

  get names(): ReadonlyMap<string, SimNode> {
    return this.#current;
  }

  /** What a power cut cannot take. */
  get durableNames(): ReadonlyMap<string, SimNode> {
    return this.#durable;
  }

  get changeCount(): number {
    return this.#changeCount;
  }

  apply(change: NameChange): void {
    rename(this.#current, change);
    this.#unsynced.push(change);
    this.#changeCount++;
  }

  /** The first `changeCount` changes that were ever made reach the disk. */
  makeDurable(changeCount: number): void {
    const reached = this.#unsynced.splice(0, Math.max(0, changeCount - this.#settledCount));
    for (const change of reached) rename(this.#durable, change);
    this.#settledCount += reached.length;
  }

  cutPower(random: SeededRandom): void {
    this.settle(random);
    this.#current = new Map(this.#durable);
    for (const node of this.#current.values()) node.cutPower(random);
  }

  /** What was not synced is on the disk or lost, and counts as written from now on: some file systems do so after a failed sync. */
  settle(random: SeededRandom): void {
    const chanceToKeep = random.pick([0, 0.5, 0.9, 1]);
    const lostNames = new Set<string>();
    for (const change of this.#unsynced) {
      const isKept = random.chance(chanceToKeep) && change.every(([name]) => !lostNames.has(name));
      if (isKept) rename(this.#durable, change);
      else for (const [name] of change) lostNames.add(name);
    }
    this.#unsynced = [];
    this.#settledCount = this.#changeCount;
  }
}

function rename(names: Map<string, SimNode>, change: NameChange): void {
  for (const [name, node] of change) {
    if (node === null) names.delete(name);
    else names.set(name, node);
  }
}
