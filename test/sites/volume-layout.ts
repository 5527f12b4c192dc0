/** Which record's block a volume has in each of its places after records in their order: what nobody sees any more is in none. */
import { blockBytes } from "#src/core/limits.ts";
import { isChange, type as recordTypes } from "./record-history.ts";

/** A record as it is replayed: of an open journal, of a sealed one, or a part of one. */
export interface LaidRecord {
  readonly type: number;
  readonly startBlock: number;
  readonly blockCount: number;
  /** 0: it reads as zeros. */
  readonly address: number;
  readonly extra: string;
}

export class VolumeLayout<Laid extends LaidRecord> {
  readonly #owners: (Laid | undefined)[];

  constructor(blockCount: number) {
    this.#owners = new Array<Laid | undefined>(blockCount).fill(undefined);
  }

  apply(record: Laid): void {
    const { type, startBlock, blockCount } = record;
    if (type === recordTypes.volume || type === recordTypes.resize) {
      const { sizeBytes } = JSON.parse(record.extra) as { readonly sizeBytes: number };
      this.#owners.fill(undefined, Math.ceil(sizeBytes / blockBytes));
    }
    if (!isChange(record)) return;
    this.#owners.fill(record.address === 0 ? undefined : record, startBlock, startBlock + blockCount);
  }

  /** What is left of each record, as records of their own. */
  parts(): Laid[] {
    const parts: Laid[] = [];
    for (let block = 0; block < this.#owners.length; ) {
      const owner = this.#owners[block];
      let end = block + 1;
      while (end < this.#owners.length && this.#owners[end] === owner) end++;
      if (owner !== undefined) {
        const address = owner.address + block - owner.startBlock;
        parts.push({ ...owner, startBlock: block, blockCount: end - block, address });
      }
      block = end;
    }
    return parts;
  }
}
