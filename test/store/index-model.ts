/**
 * What an index may know, beside a simulated one that crashes: for each block the addresses that it may point to, of which
 * there is more than one only where a crash has left it open what was durable.
 */
import { expect } from "vitest";
import { addressOf, holeAddress } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import type { SegmentName } from "#src/store/segment-fingerprints.ts";
import { found, numbers } from "./index-blocks.ts";

export class IndexModel {
  readonly blocks: readonly number[];
  /** What the store has: blocks by segment. */
  readonly segments = new Map<number, readonly number[]>();
  /** Newest last; all since the last time that everything was durable. */
  readonly #since: Map<number, number[]>;
  readonly #forgottenAfter = new Map<number, Set<number>>();

  constructor(blockCount: number) {
    this.blocks = numbers(0, blockCount);
    this.#since = new Map(this.blocks.map((block) => [block, [holeAddress]]));
  }

  get names(): SegmentName[] {
    return [...this.segments.keys()].map((segment) => ({ segment, generation: 0 }));
  }

  addressOf(block: number): number {
    return this.#addresses(block).at(-1) as number;
  }

  added(segment: number, blocks: readonly number[]): void {
    this.segments.set(segment, blocks);
    this.#forgottenAfter.set(segment, new Set());
    blocks.forEach((block, slot) => {
      this.#addresses(block).push(addressOf(segment, slot));
    });
  }

  /** A directory that was read once more. */
  addedAgain(segment: number): void {
    this.added(segment, this.segments.get(segment) ?? []);
  }

  forgotten(pairs: Iterable<readonly [block: number, address: number]>): void {
    for (const [block, address] of pairs) {
      if (this.addressOf(block) !== address) continue;
      this.#addresses(block).push(holeAddress);
      for (const forgotten of this.#forgottenAfter.values()) forgotten.add(block);
    }
  }

  flushed(): void {
    for (const block of this.blocks) this.#since.set(block, [this.addressOf(block)]);
  }

  expectSame(index: FingerprintIndex): void {
    expect(found(index, this.blocks)).toEqual(this.blocks.map((block) => this.addressOf(block)));
  }

  /** After a crash: something of what there was since the last flush; it is what counts from now on. */
  expectPossible(index: FingerprintIndex, missing: readonly SegmentName[]): void {
    const isMissing = new Set(missing.map(({ segment }) => segment));
    const addresses = found(index, this.blocks);
    const impossible = this.blocks.filter((block) => !this.#addresses(block).includes(addresses[block] as number));
    expect(impossible).toEqual([]);
    for (const block of this.blocks) this.#since.set(block, [addresses[block] as number]);
    for (const [segment, blocks] of this.segments) {
      if (isMissing.has(segment)) continue;
      const lost = blocks.filter(
        (block) => addresses[block] === holeAddress && !this.#forgottenAfter.get(segment)?.has(block),
      );
      expect(lost, `of segment ${segment}, which is known`).toEqual([]);
    }
  }

  #addresses(block: number): number[] {
    return this.#since.get(block) as number[];
  }
}
