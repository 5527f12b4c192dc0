/**
 * Asks of pairs of points what differs between them, as `diff` and as the metadata context of a view: each block that differs by the
 * host's own log must be told by both, and neither may tell of one that nothing was written to in between. What is said to be zeros
 * must be.
 */
import { expect } from "vitest";
import type { DifferenceReport } from "#src/control/difference.ts";
import { succeed } from "#test/clients/command.ts";
import { blockBytes } from "#test/oracle/log-records.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { WitnessedVolume } from "./witnessed-volume.ts";

const contextName = "then";
/** Half of the pairs are no farther from each other than so many records. */
const nearRecords = 400;
const drawsPerPair = 20;
const complaintsMax = 20;
const dirty = 1;

interface ToldRange {
  readonly offset: number;
  readonly length: number;
}

/** Of each block: 1 if it is so. */
interface Between {
  readonly written: Uint8Array;
  readonly different: Uint8Array;
  /** The volume at the later point. */
  readonly after: Buffer;
}

export class DifferenceJudge {
  readonly #volume: WitnessedVolume;
  readonly #random: SeededRandom;
  readonly #after: Buffer;
  readonly #zeros: Buffer;
  readonly complaints: string[] = [];
  /** How many pairs were compared, of points that are not the same. */
  count = 0;
  /** Blocks that differed, in all of them, and blocks that were told of. */
  differentBlocks = 0;
  toldBlocks = 0;

  constructor(volume: WitnessedVolume, random: SeededRandom) {
    this.#volume = volume;
    this.#random = random;
    this.#after = Buffer.alloc(volume.sizeBytes);
    this.#zeros = Buffer.alloc(volume.sizeBytes);
  }

  async check(count: number): Promise<void> {
    const wanted = this.count + count;
    for (let draw = 0; this.count < wanted; draw++) {
      expect(draw, "draws without two points").toBeLessThan(count * drawsPerPair);
      const { first, last } = await this.#volume.pointSpan();
      const from = this.#random.between(first, last);
      const isNear = draw % 2 === 0;
      const to = isNear
        ? Math.min(last, from + this.#random.between(1, nearRecords))
        : this.#random.between(first, last);
      // Either may be the later one.
      await (this.#random.integerBelow(2) === 0 ? this.#checkPair(from, to) : this.#checkPair(to, from));
    }
  }

  async #checkPair(fromSeq: number, toSeq: number): Promise<void> {
    const from = await this.#volume.openView(`seq:${fromSeq}`);
    // The first one holds its point, so that the second one can be asked what has changed since there.
    const to = await this.#volume.openView(`seq:${toSeq}`, false, [`${contextName}=seq:${from.seq}`]);
    if (from.seq !== to.seq) {
      const line = ["diff", `disk@seq:${from.seq}..seq:${to.seq}`];
      const { ranges } = (await this.#volume.up.asked(...line)) as DifferenceReport;
      const between = this.#between(Math.min(from.seq, to.seq), Math.max(from.seq, to.seq));
      const words = `from ${from.seq} to ${to.seq}`;
      this.#judge(`diff ${words}`, ranges, between);
      this.#judge(`the context ${words}`, await dirtyRanges(to.uri), between);
      for (const { offset, length, kind } of ranges) {
        const isTrue = kind !== "zeros" || between.after.compare(this.#zeros, 0, length, offset, offset + length) === 0;
        if (!isTrue) this.#complain(`diff ${words}: at ${offset} there are no zeros`);
      }
      this.count++;
    }
    await this.#volume.closeView(to);
    await this.#volume.closeView(from);
  }

  /** The host's log alone says it: what the volume held at the earlier one, and what was made of it up to the later one. */
  #between(earlierSeq: number, laterSeq: number): Between {
    const { order, log, sizeBytes } = this.#volume;
    const before = this.#volume.expectedAt(earlierSeq);
    const after = this.#after;
    before.copy(after);
    const written = new Uint8Array(sizeBytes / blockBytes);
    const different = new Uint8Array(sizeBytes / blockBytes);
    for (const piece of order.pieces.slice(order.countUpTo(earlierSeq), order.countUpTo(laterSeq))) {
      log.apply(piece, after);
      written.fill(1, piece.startBlock, piece.startBlock + piece.blockCount);
    }
    for (const block of written.keys()) {
      const [at, end] = [block * blockBytes, (block + 1) * blockBytes];
      different[block] = before.compare(after, at, end, at, end) === 0 ? 0 : 1;
    }
    return { written, different, after };
  }

  #judge(what: string, ranges: readonly ToldRange[], { written, different }: Between): void {
    const told = new Uint8Array(written.length);
    for (const { offset, length } of ranges) {
      told.fill(1, Math.floor(offset / blockBytes), Math.ceil((offset + length) / blockBytes));
    }
    const missed: number[] = [];
    const unwritten: number[] = [];
    for (const block of told.keys()) {
      if (told[block] === 0 && different[block] === 1) missed.push(block);
      if (told[block] === 1 && written[block] === 0) unwritten.push(block);
    }
    this.differentBlocks += sumOf(different);
    this.toldBlocks += sumOf(told);
    if (missed.length > 0) this.#complain(`${what} does not tell of ${inWords(missed)}, which differ`);
    if (unwritten.length > 0) this.#complain(`${what} tells of ${inWords(unwritten)}, which nobody has written to`);
  }

  #complain(words: string): void {
    if (this.complaints.length < complaintsMax) this.complaints.push(words);
  }
}

/** As a tool for backup reads them. */
async function dirtyRanges(uri: string): Promise<readonly ToldRange[]> {
  const { stdout } = await succeed("nbdinfo", ["--json", `--map=qemu:dirty-bitmap:${contextName}`, uri]);
  const extents = JSON.parse(stdout) as readonly (ToldRange & { readonly type: number })[];
  return extents.filter(({ type }) => type === dirty);
}

function sumOf(flags: Uint8Array): number {
  return flags.reduce((sum, flag) => sum + flag, 0);
}

function inWords(blocks: readonly number[]): string {
  return `${blocks.length} blocks (${blocks.slice(0, 8).join(", ")})`;
}
