import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import { type SealedPieceIdentity, sealedPieceName, sealedPieceOfName } from "#src/journals/sealed-piece-format.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { objectKind } from "#src/store/object-format.ts";
import { partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { plainRecords, RandomUnits, type Unit } from "./random-units.ts";
import { listOf, PieceMaker, pieceGroup } from "./sealed-pieces.ts";

/** Several pieces of one order. */
class Chain {
  readonly maker = new PieceMaker(3);
  readonly units: Unit[][] = [];
  readonly pieces: SealedPiece[] = [];

  static async make(): Promise<Chain> {
    const chain = new Chain();
    const random = new RandomUnits(new SeededRandom(21));
    for (let count = 0; count < 4; count++) {
      const units = random.take(30);
      chain.units.push(units);
      chain.pieces.push(await chain.maker.seal(units, chain.pieces.at(-1)?.link));
    }
    return chain;
  }

  name(index: number): string {
    return (this.pieces[index] as SealedPiece).name;
  }

  bytes(index: number): Buffer {
    return this.maker.objects.bytes.get(this.name(index)) as Buffer;
  }

  read(): Promise<SealedPiece[]> {
    return listOf(sealedPieces(this.maker.objects, pieceGroup, undefined));
  }
}

test("pieces that follow each other are read in their order, with all records", async () => {
  const chain = await Chain.make();
  const pieces = await chain.read();
  expect(pieces.map((piece) => piece.identity.firstSeq)).toEqual(chain.units.map((units) => units[0]?.firstSeq));
  const records = await Promise.all(pieces.map((piece) => listOf(piece.records())));
  expect(records.flat()).toEqual(plainRecords(chain.units.flat()));
});

test("fault 19: a piece that is missing is found", async () => {
  const chain = await Chain.make();
  await chain.maker.objects.remove(chain.name(1));
  const [first, second] = chain.pieces.map((piece) => [piece.identity.firstSeq, piece.numbers.lastSeq]);
  await expect(chain.read()).rejects.toThrow(`it was sealed behind the one of the records ${second?.join(" to ")}`);
  expect(first).not.toEqual(second);
});

test("fault 19: a piece that was sealed a second time is found, though its records are the same", async () => {
  const chain = await Chain.make();
  const again = new PieceMaker(4);
  const other = await again.seal(chain.units[1] as Unit[], chain.pieces[0]?.link);
  expect(await listOf(other.records())).toEqual(await listOf((chain.pieces[1] as SealedPiece).records()));
  chain.maker.objects.bytes.set(chain.name(1), again.objects.bytes.get(other.name) as Buffer);
  await expect(chain.read()).rejects.toThrow("it was sealed behind another one of the same records");
});

test("fault 19: pieces that were swapped are found", async () => {
  const chain = await Chain.make();
  const [one, two] = [chain.bytes(1), chain.bytes(2)];
  chain.maker.objects.bytes.set(chain.name(1), two);
  chain.maker.objects.bytes.set(chain.name(2), one);
  await expect(chain.read()).rejects.toThrow("is damaged");
});

test("a piece that was sealed as the first one may not have another before it", async () => {
  const chain = await Chain.make();
  await chain.maker.seal(chain.units[1] as Unit[]);
  await expect(chain.read()).rejects.toThrow("it was sealed as the first one");
});

test("a piece that leaves out records is found", async () => {
  const chain = await Chain.make();
  const units = (chain.units[1] as Unit[]).filter((unit) => !unit.isAggregate);
  const later = units.findIndex((unit, index) => index > 0 && unit.records[0]?.epoch === units[0]?.records[0]?.epoch);
  expect(later).toBeGreaterThan(0);
  for (const index of [1, 2, 3]) await chain.maker.objects.remove(chain.name(index));
  await chain.maker.seal([units[later] as Unit], chain.pieces[0]?.link);
  await expect(chain.read()).rejects.toThrow(`it begins with record ${units[later]?.firstSeq} of epoch`);
});

test("the oldest pieces may be gone, and the first one says what was before it", async () => {
  const chain = await Chain.make();
  for (const index of [0, 1]) await chain.maker.objects.remove(chain.name(index));
  const [first] = await chain.read();
  expect(first?.previous).toEqual(chain.pieces[1]?.link);
});

test("names are those of one group's pieces, in the order of their seqs", () => {
  const identities: SealedPieceIdentity[] = [1, 99, 2 ** 40, Number.MAX_SAFE_INTEGER].map((firstSeq) => ({
    group: pieceGroup,
    firstSeq,
  }));
  const names = identities.map(sealedPieceName);
  expect([...names].sort()).toEqual(names);
  expect(names.map(sealedPieceOfName)).toEqual(identities);
  for (const name of [
    "segments/000000000001.0000",
    `pieces/${pieceGroup}/1`,
    `pieces/${pieceGroup}/9007199254740992`,
    "pieces/a/0000000000000001",
  ]) {
    expect(sealedPieceOfName(name)).toBeUndefined();
  }
});

test("the hash of a piece is that of its header, what its table holds, and its footer", async () => {
  const chain = await Chain.make();
  const [piece] = chain.pieces;
  const bytes = chain.bytes(0);
  const footer = bytes.subarray(-128);
  const place = {
    type: partType.table,
    number: 0,
    offset: footer.readUInt32LE(16),
    storedBytes: footer.readUInt32LE(24),
  };
  const identity = { kind: objectKind.piece, group: pieceGroup, number: 1, generation: 0 };
  const file = await ObjectFile.open(chain.maker.objects, chain.name(0), identity, undefined);
  const table = await file.readNewPart(place);
  const expected = createHash("sha256").update(bytes.subarray(0, 128)).update(table).update(footer).digest();
  expect(piece?.link.hash.toString("hex")).toBe(expected.toString("hex"));
});

test("the digest in a piece's table is that of its parts, each with what it is", async () => {
  const chain = await Chain.make();
  const identity = { kind: objectKind.piece, group: pieceGroup, number: 1, generation: 0 };
  const file = await ObjectFile.open(chain.maker.objects, chain.name(0), identity, undefined);
  const hash = createHash("sha256");
  for await (const part of file.parts()) {
    if (part instanceof ObjectDamageError || part.type === partType.table) continue;
    const head = Buffer.alloc(9);
    head[0] = part.type;
    head.writeUInt32LE(part.number, 1);
    head.writeUInt32LE(part.content.length, 5);
    hash.update(head).update(part.content);
  }
  expect(file.table.toString("hex", 32, 64)).toBe(hash.digest("hex"));
});
