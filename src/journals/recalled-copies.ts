/**
 * Blocks that the store has lost, and the spool of a local appliance may still have: asked for by the records that wrote
 * them, the newest first, and held while segments are repaired.
 *
 * Invariant: what came is found by the checksum of its own bytes, so that it never passes for another block; whoever takes it
 * compares it with what the slot says besides, its fingerprint where that is known.
 */

import { blockBytes } from "#src/core/limits.ts";
import { recallBlocksMax, scrubRecallMax } from "#src/core/recall-limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { LostBlock, SecondCopies } from "#src/store/second-copies.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { RecalledBlocks, WantedBlock } from "#src/wire/group-link.ts";

/** Asks a group's local appliance. Nothing comes where it is not there, or does not know the question. */
export type Recall = (group: string, wanted: readonly WantedBlock[]) => Promise<RecalledBlocks>;

/** Which record wrote a block that is lost. */
export interface LostWrite extends WantedBlock {
  readonly group: string;
}

/** Of each group the last ones that were told, which are its newest; where they are many each group has its share. */
export class LostWrites {
  readonly #groups = new Map<string, LostWrite[]>();

  /** Those of a group in their order. */
  readonly add = (write: LostWrite): void => {
    const writes = this.#groups.get(write.group) ?? [];
    writes.push(write);
    const share = Math.max(1, Math.floor(scrubRecallMax / Math.max(1, this.#groups.size)));
    this.#groups.set(write.group, writes.length < 2 * share ? writes : writes.slice(-share));
  };

  /** What groups with few of them leave is for the others. */
  get list(): LostWrite[] {
    const groups = [...this.#groups.values()].sort((a, b) => a.length - b.length);
    const list: LostWrite[] = [];
    for (const [index, writes] of groups.entries()) {
      const share = Math.floor((scrubRecallMax - list.length) / (groups.length - index));
      list.push(...writes.slice(Math.max(0, writes.length - share)));
    }
    return list;
  }
}

export class RecalledCopies implements SecondCopies {
  readonly #recall: Recall | undefined;
  /** By their checksums, in hexadecimal digits. */
  readonly #blocks = new Map<string, Buffer>();
  readonly #used = new Set<string>();

  /** Undefined: there is nobody to ask. */
  constructor(recall: Recall | undefined) {
    this.#recall = recall;
  }

  /** How many of them were taken since this was asked last. */
  takeUsed(): number {
    const { size } = this.#used;
    this.#used.clear();
    return size;
  }

  /** Answers whether anything came. */
  async gather(writes: readonly LostWrite[], control: WorkControl): Promise<boolean> {
    this.forget();
    if (this.#recall === undefined) return false;
    for (const [group, wanted] of questionsOf(writes)) {
      for (let first = 0; first < wanted.length; first += recallBlocksMax) {
        const blocks = await this.#recall(group, wanted.slice(first, first + recallBlocksMax));
        // A spool has the newest records: where none of these is there, those before them are not either.
        if (!this.#keep(blocks)) break;
        await control.pace(blocks.length * blockBytes);
      }
    }
    return this.#blocks.size > 0;
  }

  #keep(blocks: RecalledBlocks): boolean {
    const there = blocks.filter((block) => block?.length === blockBytes) as Buffer[];
    for (const block of there) this.#blocks.set(checksumOf(block), block);
    return there.length > 0;
  }

  async read({ checksum }: LostBlock, target: Buffer): Promise<boolean> {
    const block = this.#blocks.get(checksum.toString("hex", 0, checksumBytes));
    if (block === undefined) return false;
    block.copy(target);
    this.#used.add(checksum.toString("hex", 0, checksumBytes));
    return true;
  }

  forget(): void {
    this.#blocks.clear();
    this.#used.clear();
  }
}

/** By group, what is to be asked, the newest first and nothing twice. Pure. */
export function questionsOf(writes: readonly LostWrite[]): Map<string, WantedBlock[]> {
  const questions = new Map<string, WantedBlock[]>();
  const asked = new Set<string>();
  for (const { group, seq, volume, block } of writes.toSorted((a, b) => b.seq - a.seq)) {
    const name = `${group} ${seq} ${volume} ${block}`;
    if (asked.has(name)) continue;
    asked.add(name);
    const wanted = questions.get(group) ?? [];
    wanted.push({ seq, volume, block });
    questions.set(group, wanted);
  }
  return questions;
}

function checksumOf(block: Buffer): string {
  const checksum = Buffer.alloc(checksumBytes);
  putChecksum(block, 0, blockBytes, checksum, 0);
  return checksum.toString("hex");
}
