/**
 * What each volume takes of a store: the blocks that points which are kept need, however often others have the same content.
 * What only forwards lead to counts for nobody. So it says nothing of who pays for a block that two volumes have, and does
 * not change when another one's history expires.
 */
import { volumeUseCountMax } from "#src/core/store-limits.ts";

export interface VolumeUse {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly volume: number;
  readonly blockCount: number;
}

export class VolumeTally {
  readonly #groups = new Map<string, Map<number, number>>();
  #counts = new Map<number, number>();

  /** Whose slots come next. */
  beginGroup(group: string): void {
    const known = this.#groups.get(group);
    this.#counts = known ?? new Map();
    if (known === undefined) this.#groups.set(group, this.#counts);
  }

  add(volume: number, blockCount: number): void {
    this.#counts.set(volume, (this.#counts.get(volume) ?? 0) + blockCount);
  }

  /** Those with most first, and no more than are worth noting. */
  list(): VolumeUse[] {
    const all = [...this.#groups].flatMap(([group, counts]) =>
      [...counts].map(([volume, blockCount]) => ({ group, volume, blockCount })),
    );
    return all.sort((a, b) => b.blockCount - a.blockCount).slice(0, volumeUseCountMax);
  }
}
