/**
 * The file of an index: a sorted map with three tables, read and changed as what they mean. What cannot be so is answered
 * with a `SortedMapError`, as a damage that the map itself has noticed.
 */
import { get64, put32, put64 } from "#src/core/big-endian.ts";
import { getLe32, getLe64, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { fingerprintKeyBytes, indexScanCount } from "#src/core/store-limits.ts";
import { type SortedMap, type SortedMapChanges, SortedMapError, type SortedMaps } from "#src/host/sorted-map.ts";
import { holeAddress, segmentMax, segmentOf } from "#src/records/address.ts";
import type { FingerprintTable } from "./fingerprint-table.ts";
import { decodeIndexAbout, encodeIndexAbout, type IndexAbout } from "./index-about-format.ts";

const fingerprints = "fingerprints";
const segments = "segments";
const about = "about";
const aboutKey = Buffer.from("index");
const addressBytes = 8;
const segmentBytes = 8;
const generationBytes = 4;

/** What becomes of some fingerprints and segments at once. */
export interface IndexChange {
  /** An address of 0 takes the fingerprint out. */
  readonly fingerprints: FingerprintTable;
  /** By their numbers; undefined takes one out. */
  readonly generations: ReadonlyMap<number, number | undefined>;
  readonly about: IndexAbout;
}

export class FingerprintFile {
  readonly #map: SortedMap;
  readonly #key = Buffer.alloc(fingerprintKeyBytes);

  constructor(maps: SortedMaps, path: string) {
    this.#map = maps.open(path, [fingerprints, segments, about]);
  }

  /** Undefined: it is new. */
  about(): IndexAbout | undefined {
    const bytes = this.#map.get(about, aboutKey);
    if (bytes === undefined) return undefined;
    const found = decodeIndexAbout(Buffer.from(bytes));
    if (typeof found === "string") throw new SortedMapError(found);
    return found;
  }

  /** The hole where there is none. */
  addressOf(high: number, low: number): number {
    put32(this.#key, 0, high);
    put32(this.#key, 4, low);
    const value = this.#map.get(fingerprints, this.#key);
    if (value === undefined) return holeAddress;
    const address = value.length === addressBytes ? getLe64(value, 0) : holeAddress;
    if (!isAddress(address)) throw new SortedMapError("it has an address that there cannot be");
    return address;
  }

  get fingerprintCount(): number {
    return this.#map.count(fingerprints);
  }

  get sizeBytes(): number {
    return this.#map.sizeBytes();
  }

  /** Generations by segment numbers. */
  generations(): Map<number, number> {
    const found = new Map<number, number>();
    for (const keys of this.#keys(segments, segmentBytes)) {
      for (const key of keys) {
        const value = this.#map.get(segments, key);
        const segment = get64(key, 0);
        if (value?.length !== generationBytes || segment < 1 || segment > segmentMax) {
          throw new SortedMapError("it has a segment that there cannot be");
        }
        found.set(segment, getLe32(value, 0));
      }
    }
    return found;
  }

  /** All keys in their order, some at a time. What changes meanwhile is told or not. */
  *keyPieces(): Iterable<readonly Buffer[]> {
    yield* this.#keys(fingerprints, fingerprintKeyBytes);
  }

  change({ fingerprints: table, generations, about: next }: IndexChange): Promise<void> {
    return this.#map.change((changes) => {
      putFingerprints(changes, table);
      putGenerations(changes, generations);
      changes.put(about, aboutKey, encodeIndexAbout(next));
    });
  }

  close(): Promise<void> {
    return this.#map.close();
  }

  /** A damaged map may go in circles: its keys have to grow. */
  *#keys(table: string, keyBytes: number): Iterable<readonly Buffer[]> {
    let last: Buffer | undefined;
    for (;;) {
      const keys = this.#map.keys(table, last, indexScanCount);
      for (const key of keys) {
        if (key.length !== keyBytes || (last !== undefined && key.compare(last) <= 0)) {
          throw new SortedMapError("its keys are not in their order");
        }
        last = key;
      }
      if (keys.length === 0) return;
      yield keys;
    }
  }
}

function putFingerprints(changes: SortedMapChanges, table: FingerprintTable): void {
  const key = Buffer.alloc(fingerprintKeyBytes);
  const value = Buffer.alloc(addressBytes);
  table.visitSorted((high, low, address) => {
    put32(key, 0, high);
    put32(key, 4, low);
    if (address === holeAddress) {
      changes.remove(fingerprints, key);
      return;
    }
    putLe64(value, 0, address);
    changes.put(fingerprints, key, value);
  });
}

function putGenerations(changes: SortedMapChanges, generations: ReadonlyMap<number, number | undefined>): void {
  const key = Buffer.alloc(segmentBytes);
  const value = Buffer.alloc(generationBytes);
  for (const segment of [...generations.keys()].sort((a, b) => a - b)) {
    const generation = generations.get(segment);
    put64(key, 0, segment);
    if (generation === undefined) changes.remove(segments, key);
    else {
      putLe32(value, 0, generation);
      changes.put(segments, key, value);
    }
  }
}

function isAddress(address: number): boolean {
  return Number.isSafeInteger(address) && segmentOf(address) >= 1 && segmentOf(address) <= segmentMax;
}
