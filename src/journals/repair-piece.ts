/**
 * Makes a damaged piece again, of its own records where these are sound, or of the open journal where that still has them.
 * The chain of hashes says what it was, byte by byte: so only the very same object can take its place, with the salt and the
 * time of the first one, and one that comes out otherwise is not used.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RetryError } from "#src/core/errors.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import {
  decodeObjectFooter,
  decodeObjectHeader,
  objectFooterBytes,
  objectHeaderBytes,
} from "#src/store/object-format.ts";
import type { ObjectName, Objects, ObjectWriter } from "#src/store/objects.ts";
import type { JournalRecord } from "./journal-reader.ts";
import type { UnitWalk } from "./piece-sealer.ts";
import { isRestored } from "./restored-object.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "./sealed-piece-builder.ts";
import { type PieceLink, type SealedPieceIdentity, sealedPieceName } from "./sealed-piece-format.ts";

export interface PieceRepairParts {
  readonly objects: Objects;
  readonly key: Buffer | undefined;
  /** What the piece behind it says of it, or the notes of the scrub. Undefined: only its own table can. */
  readonly expected: Pick<PieceLink, "hash" | "lastSeq"> | undefined;
  /** The piece before; undefined: there is none, or nobody knows. */
  readonly before: PieceLink | undefined;
  /** A walk over the open journal from this seq on. Undefined: it is not at hand. */
  readonly walkFrom: (seq: number) => UnitWalk | undefined;
}

/** Answers whether it was. What a folded piece was made of is gone, and nobody has its hash. */
export async function isPieceRemade(parts: PieceRepairParts, identity: SealedPieceIdentity): Promise<boolean> {
  if (identity.folded !== undefined) return false;
  const name = sealedPieceName(identity);
  const made = await unlessDamaged(() => madeAt(parts.objects, name));
  const own = await unlessDamaged(() => SealedPiece.open(parts.objects, identity, parts.key));
  const expected = parts.expected ?? own?.link;
  if (made === undefined || expected === undefined) return false;
  const remade = new ObjectInMemory();
  const randomness = { bytes: () => made.salt, integerBelow: () => 0 };
  const previous = own === undefined ? parts.before : own.previous;
  const { key } = parts;
  const building = { objects: remade, randomness, key, group: identity.group, previous };
  const units = (own && (await unlessDamaged(() => ownUnits(own)))) ?? journalUnits(parts, identity, expected.lastSeq);
  if (units === undefined) return false;
  const isBuilt = await unlessDamaged(async () => await isMadeOf(building, units, made.timeMicros));
  const piece = isBuilt === true && (await unlessDamaged(() => SealedPiece.open(remade, identity, key)));
  const isIt = piece !== false && piece?.link.hash.equals(expected.hash) === true;
  if (!isIt) return false;
  return await isPut(parts.objects, name, remade);
}

/** By chance and by the clock, when it was sealed. Undefined: nobody knows any more. */
async function madeAt(
  objects: ObjectSource,
  name: ObjectName,
): Promise<{ salt: Buffer; timeMicros: number } | undefined> {
  const sizeBytes = await objects.sizeBytes(name);
  const footerBytes = Buffer.alloc(objectFooterBytes);
  await objects.read(name, footerBytes, Math.max(0, sizeBytes - objectFooterBytes));
  const footer = await unlessDamaged(async () => decodeObjectFooter(footerBytes, name));
  const headerBytes = Buffer.alloc(objectHeaderBytes);
  await objects.read(name, headerBytes, 0);
  const header = await unlessDamaged(async () => decodeObjectHeader(headerBytes, name));
  return footer === undefined ? undefined : { salt: header?.salt ?? footer.salt, timeMicros: footer.timeMicros };
}

/** Its records one by one: pages fill up with them in the same way. */
async function ownUnits(piece: SealedPiece): Promise<SealedUnit[]> {
  const units: SealedUnit[] = [];
  for await (const record of piece.records()) units.push(unitOf(record, piece.identity.firstSeq));
  return units;
}

function unitOf({ extra, isAggregated, ...entry }: JournalRecord, firstSeq: number): SealedUnit {
  return { firstSeq, isAggregate: isAggregated, records: [{ ...entry, extraAt: 0 }], bytes: extra };
}

function journalUnits(
  { walkFrom }: PieceRepairParts,
  { firstSeq }: SealedPieceIdentity,
  lastSeq: number,
): SealedUnit[] | undefined {
  const walk = walkFrom(firstSeq);
  if (walk === undefined) return undefined;
  const units: SealedUnit[] = [];
  try {
    while (walk.expectedSeq <= lastSeq) {
      const found = walk.next();
      if (found.finding !== "sound") return undefined;
      if (found.lastSeq < firstSeq) continue;
      if (found.lastSeq > lastSeq) return undefined;
      // The walk's memory is used again.
      units.push({ ...found, bytes: Buffer.from(found.bytes) });
    }
  } finally {
    walk.close();
  }
  return units.length === 0 || units[0]?.firstSeq !== firstSeq ? undefined : units;
}

/** Where the records do not fit into one piece it cannot have been made of them. */
async function isMadeOf(
  parts: ConstructorParameters<typeof SealedPieceBuilder>[0],
  units: readonly SealedUnit[],
  timeMicros: number,
): Promise<boolean> {
  const [first] = units;
  if (first === undefined) return false;
  const builder = new SealedPieceBuilder(parts, first);
  for (const unit of units) {
    if (!builder.takes(unit)) return false;
    await builder.add(unit);
  }
  await builder.finish(timeMicros);
  return true;
}

function isPut(objects: Objects, name: ObjectName, { pieces }: ObjectInMemory): Promise<boolean> {
  return isRestored(objects, name, async (writer) => {
    for (const piece of pieces) await writer.write(piece);
    return true;
  });
}

/** A piece is some MiB, and 64 bytes for each of its records at most. */
class ObjectInMemory implements ObjectSource {
  readonly pieces: Buffer[] = [];

  create(): ObjectWriter {
    const { pieces } = this;
    let writtenBytes = 0;
    return {
      get writtenBytes() {
        return writtenBytes;
      },
      write: async (bytes) => {
        pieces.push(Buffer.from(bytes));
        writtenBytes += bytes.length;
      },
      finish: async () => {},
      abandon: async () => {},
    };
  }

  async sizeBytes(): Promise<number> {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  async read(_name: ObjectName, target: Buffer, position: number): Promise<number> {
    let [start, filled] = [0, 0];
    for (const piece of this.pieces) {
      const from = Math.max(0, position + filled - start);
      if (from < piece.length && filled < target.length) filled += piece.copy(target, filled, from);
      start += piece.length;
    }
    return filled;
  }
}

/** Undefined: it is not as it was written. */
async function unlessDamaged<Read>(read: () => Promise<Read>): Promise<Read | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isOwnFault(error) || error instanceof RetryError) throw error;
    return undefined;
  }
}
