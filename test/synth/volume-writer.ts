/** Writes and trims single ranges of one large volume, each in a record of its own, and knows what the volume holds then. */
import { addressOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import type { Unit } from "#test/journals/random-units.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const volume = 1;
/** 16 TiB. */
export const volumeBlocks = 2 ** 32;

export class VolumeWriter {
  readonly random: SeededRandom;
  /** By block. */
  readonly content = new Map<number, string>();
  #seq = 1;
  #segment = 1;
  #slot = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** Mostly within a few places. */
  start(): number {
    const place = this.random.pick([0, 2 ** 20, 2 ** 31, volumeBlocks - 2 ** 15]);
    const isFar = this.random.chance(0.1);
    return isFar ? this.random.integerBelow(volumeBlocks - 64) : place + this.random.integerBelow(2 ** 15 - 64);
  }

  write(startBlock: number, blockCount: number): Unit {
    if (this.#slot + blockCount > 65_536) {
      this.#segment++;
      this.#slot = 0;
    }
    const address = addressOf(this.#segment, this.#slot);
    this.#slot += blockCount;
    for (let index = 0; index < blockCount; index++) {
      this.content.set(startBlock + index, `${address + index} by ${this.#seq}`);
    }
    return this.#unit(recordType.write, startBlock, blockCount, address);
  }

  trim(startBlock: number, blockCount: number): Unit {
    for (const block of [...this.content.keys()]) {
      if (block >= startBlock && block < startBlock + blockCount) this.content.delete(block);
    }
    return this.#unit(recordType.trim, startBlock, blockCount, 0);
  }

  #unit(type: number, startBlock: number, blockCount: number, address: number): Unit {
    const seq = this.#seq++;
    const place = { volume, seq, timeMicros: 1_700_000_000_000_000 + seq, epoch: 1, ordinal: seq, level: 0 };
    const record = { type, startBlock, blockCount, address, ...place, extraBytes: 0, extraAt: 0 };
    return { firstSeq: seq, isAggregate: false, records: [record], bytes: Buffer.alloc(0) };
  }
}

/** A few of the blocks of which a scan says something else than was written, or that it does not tell in their order. */
export async function wronglyScanned(snapshot: Snapshot, content: ReadonlyMap<number, string>): Promise<string[]> {
  const wrong: string[] = [];
  let blockCountLeft = content.size;
  let end = 0;
  for await (const { startBlock, blockCount, address, seq } of snapshot.scan(volume)) {
    if (startBlock < end) wrong.push(`block ${startBlock} comes too late`);
    end = startBlock + blockCount;
    for (let index = 0; index < blockCount; index++) {
      const wanted = content.get(startBlock + index);
      const found = `${address + index} by ${seq}`;
      if (wanted !== found) wrong.push(`block ${startBlock + index}: ${found} instead of ${wanted}`);
    }
    blockCountLeft -= blockCount;
  }
  if (blockCountLeft !== 0) wrong.push(`${blockCountLeft} blocks are missing`);
  return wrong.slice(0, 5);
}
