/**
 * What an index has learned and not written yet: fingerprints with their addresses, or with none where they were forgotten,
 * and the segments that are known together with them. Bounded; what is in it is found here before anywhere else.
 */
import { holeAddress } from "#src/records/address.ts";
import { FingerprintTable } from "./fingerprint-table.ts";

export class GatheredChanges {
  readonly fingerprints = new FingerprintTable();
  /** By segment; undefined: it is not known any more. */
  readonly generations = new Map<number, number | undefined>();
  readonly #countMax: number;

  constructor(bytesMax: number) {
    this.#countMax = FingerprintTable.countFor(bytesMax);
  }

  get isEmpty(): boolean {
    return this.fingerprints.count === 0 && this.generations.size === 0;
  }

  /** Before it has to be written. */
  get roomCount(): number {
    return this.#countMax - this.fingerprints.count;
  }

  clear(): void {
    this.fingerprints.clear();
    this.generations.clear();
  }

  /**
   * Lets go of what was added, which is only known less well then, and keeps what was forgotten: that must not come back.
   * So what has taken an older address's place is forgotten rather than let go.
   */
  letGo(hasOlder: (high: number, low: number) => boolean): void {
    const forgotten: number[] = [];
    this.fingerprints.visitSorted((high, low, address) => {
      if (address === holeAddress || hasOlder(high, low)) forgotten.push(high, low);
    });
    this.fingerprints.clear();
    for (let at = 0; at < forgotten.length; at += 2) {
      this.fingerprints.put(forgotten[at] as number, forgotten[at + 1] as number, holeAddress);
    }
    for (const [segment, generation] of this.generations) {
      if (generation !== undefined) this.generations.set(segment, undefined);
    }
  }
}
