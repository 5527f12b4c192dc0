/** A group's sealed pieces, the snapshots that are made of them, and what each must say by the records alone. */
import type { BlockExtent } from "#src/journals/block-extent.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { synthesize } from "#src/synth/synthesis.ts";
import {
  contentOf,
  type PlainRecord,
  plainRecords,
  RandomUnits,
  type Unit,
  volumeBlocks,
} from "#test/journals/random-units.ts";
import { listOf, PieceMaker, pieceGroup } from "#test/journals/sealed-pieces.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

export const idleControl: WorkControl = {
  isCancelled: false,
  throwIfCancelled: () => {},
  progress: () => {},
  pace: async () => {},
};

export class SnapshotWorld {
  readonly maker: PieceMaker;
  readonly pieces: SealedPiece[] = [];
  readonly records: PlainRecord[] = [];
  readonly #units: RandomUnits;

  constructor(seed: number) {
    this.maker = new PieceMaker(seed);
    this.#units = new RandomUnits(new SeededRandom(seed));
  }

  get parts() {
    const { objects, randomness } = this.maker;
    return { objects, randomness, key: undefined, group: pieceGroup };
  }

  /** Seals another piece. */
  async seal(unitCount: number): Promise<SealedPiece> {
    return this.sealUnits(this.#units.take(unitCount));
  }

  async sealUnits(units: readonly Unit[]): Promise<SealedPiece> {
    const piece = await this.maker.seal(units, this.pieces.at(-1)?.link);
    this.pieces.push(piece);
    for (const record of plainRecords(units)) this.records.push(record);
    return piece;
  }

  get lastSeq(): number {
    return this.records.at(-1)?.seq ?? 0;
  }

  synthesize(base: Snapshot | undefined, seq: number, isHurried = false): Promise<Snapshot> {
    const pieces = this.pieces.filter(
      (piece) => piece.numbers.lastSeq > (base?.seq ?? 0) && piece.identity.firstSeq <= seq,
    );
    return synthesize(this.parts, { ...this.#step(base), pieces, seq, isHurried });
  }

  /** Of the newest piece alone. */
  synthesizeNext(base: Snapshot | undefined): Promise<Snapshot> {
    return synthesize(this.parts, { ...this.#step(base), pieces: this.pieces.slice(-1), seq: this.lastSeq });
  }

  /** The same for somebody who waits. */
  synthesizeHurried(base: Snapshot | undefined): Promise<Snapshot> {
    const step = { ...this.#step(base), pieces: this.pieces.slice(-1), seq: this.lastSeq, isHurried: true };
    return synthesize(this.parts, step);
  }

  #step(base: Snapshot | undefined) {
    return { base, nowMicros: 1_700_000_200_000_000, control: idleControl };
  }

  open(seq: number): Promise<Snapshot> {
    return Snapshot.open(this.maker.objects, { group: pieceGroup, seq }, undefined);
  }

  differences(snapshot: Snapshot): Promise<string[]> {
    return differencesOf(snapshot, this.records);
  }
}

/** What differs between the snapshot and the records up to its seq. */
export async function differencesOf(snapshot: Snapshot, records: readonly PlainRecord[]): Promise<string[]> {
  const found: string[] = [];
  for (const { number } of snapshot.volumes) {
    const scanned = byBlock(await listOf(snapshot.scan(number)));
    for (let block = 0; block < volumeBlocks + 10; block++) {
      const wanted = inWords(contentOf(records, number, block, snapshot.seq));
      const lookedUp = inWords(await snapshot.lookup(number, block));
      const inScan = scanned.get(block) ?? "zeros";
      if (wanted === inScan && wanted === lookedUp) continue;
      found.push(`volume ${number} block ${block}: ${wanted}, scanned ${inScan}, looked up ${lookedUp}`);
    }
  }
  return found;
}

function inWords(content: Pick<BlockExtent, "address" | "seq"> | undefined): string {
  return content === undefined || content.address === 0 ? "zeros" : `${content.address} by ${content.seq}`;
}

function byBlock(extents: readonly BlockExtent[]): Map<number, string> {
  const blocks = new Map<number, string>();
  for (const { startBlock, blockCount, address, seq } of extents) {
    for (let index = 0; index < blockCount; index++) blocks.set(startBlock + index, `${address + index} by ${seq}`);
  }
  return blocks;
}
