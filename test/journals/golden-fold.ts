/**
 * The folded piece of the golden file, and the two that it takes the place of. They are so small that nothing of them is
 * compressed: what zstd makes of the same bytes may differ from one of its versions to the next.
 */
import { createHash } from "node:crypto";
import type { MetadataEntry } from "#src/journals/metadata-entry.ts";
import { foldPieces } from "#src/journals/piece-fold.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder } from "#src/journals/sealed-piece-builder.ts";
import type { PieceLink, SealedPieceIdentity } from "#src/journals/sealed-piece-format.ts";
import { addressOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { fixedRandomness } from "#test/store/small-object.ts";
import type { Unit } from "./random-units.ts";
import { MemoryObjects, pieceGroup } from "./sealed-pieces.ts";

export const firstSeq = 2 ** 40 + 5;
export const timeMicros = 1_700_000_000_123_456;
export const address = addressOf(2 ** 35 + 7, 65_000);
const sealedMicros = 1_700_000_100_000_000;
export const foldedMicros = 1_700_003_600_000_000;

function hashOf(word: string): Buffer {
  return createHash("sha256").update(word).digest();
}

/** Of the piece before all of these. */
export const before: PieceLink = {
  hash: hashOf("before"),
  firstSeq: 2 ** 39 + 123_456_789,
  lastSeq: firstSeq - 1,
  lastEpoch: 9,
};

/** One write after the other, a second between them, by default. */
function unit(index: number, change: Partial<MetadataEntry> = {}): Unit {
  const seq = firstSeq + index;
  const place = { type: recordType.write, volume: 3, seq, timeMicros: timeMicros + index * 1_000_000, epoch: 9 };
  const blocks = {
    startBlock: 2 ** 33 + index,
    blockCount: 2,
    address: address + 2 * index,
    ordinal: 7 + index,
    level: 0,
  };
  const entry = { ...place, ...blocks, extraAt: 0, extraBytes: 0, ...change };
  return { firstSeq: seq, isAggregate: false, records: [entry], bytes: Buffer.alloc(0) };
}

const nothing = { startBlock: 0, blockCount: 0, address: 0 };

/** Of each piece: a write, half of which the next one goes over; a flush, by which alone a volume is spoken of; and a trim. */
const units: readonly (readonly Unit[])[] = [
  [unit(0), unit(1, { ...nothing, type: recordType.flush, volume: 1 })],
  [unit(2, { startBlock: 2 ** 33 + 1 }), unit(3, { type: recordType.trim, address: 0 })],
];

/** All of them in one store. */
export async function foldGolden(): Promise<MemoryObjects> {
  const objects = new MemoryObjects();
  const parts = { objects, randomness: fixedRandomness, key: undefined, group: pieceGroup };
  const pieces: SealedPiece[] = [];
  for (const added of units) {
    const previous = pieces.at(-1)?.link ?? before;
    const builder = new SealedPieceBuilder({ ...parts, previous }, added[0] as Unit);
    for (const one of added) await builder.add(one);
    pieces.push(await SealedPiece.open(objects, await builder.finish(sealedMicros), undefined));
  }
  const rule = { level: 60, keepsPoint: () => false, keepsMark: () => true };
  const publish = <Done>(finish: () => Promise<Done>): Promise<Done> => finish();
  await foldPieces(parts, { pieces, rule, nowMicros: foldedMicros, publish, control: new FreeWork() });
  return objects;
}

export const identity = { group: pieceGroup, firstSeq, folded: { lastSeq: firstSeq + 3, generation: 1 } };

/** By docs/formats.md. */
export function nameOf({ group, firstSeq: first, folded }: SealedPieceIdentity): string {
  const digits = (number: number, count: number): string => String(number).padStart(count, "0");
  const rest = folded === undefined ? "" : `-${digits(folded.lastSeq, 16)}.${digits(folded.generation, 4)}`;
  return `pieces/${group}/${digits(first, 16)}${rest}`;
}
