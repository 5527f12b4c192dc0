/** Pieces that are sound as objects, and say of themselves what is not so. */
import { expect, test } from "vitest";
import { sealedPageExtentsMax } from "#src/core/store-limits.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import {
  decodePieceNumbers,
  encodePieceNumbers,
  objectOfPiece,
  type SealedPieceNumbers,
  sealedPieceName,
} from "#src/journals/sealed-piece-format.ts";
import { decodePieceTable, encodePieceTable, type SealedPieceTable } from "#src/journals/sealed-piece-table.ts";
import { ObjectBuilder } from "#src/store/object-builder.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { partType } from "#src/store/part.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { plainRecords, RandomUnits } from "./random-units.ts";
import { listOf, PieceMaker, sealedAtMicros, volumesScanned } from "./sealed-pieces.ts";

interface Forgery {
  readonly table?: (table: SealedPieceTable) => SealedPieceTable;
  readonly firstSeq?: number;
  readonly numbers?: (numbers: SealedPieceNumbers) => SealedPieceNumbers;
  /** Of which part of the type the content is taken. */
  readonly part?: (type: number, number: number) => number;
}

const units = new RandomUnits(new SeededRandom(14), 5).take(600);

/** The same piece once more, but for what was forged. */
async function forged(forgery: Forgery): Promise<SealedPiece> {
  const maker = new PieceMaker();
  const { identity, name } = await maker.seal(units);
  const file = await ObjectFile.open(maker.objects, name, objectOfPiece(identity), undefined);
  const contents = new Map<string, Buffer>();
  for await (const part of file.parts()) {
    if (part instanceof ObjectDamageError) throw part;
    contents.set(`${part.type} ${part.number}`, Buffer.from(part.content));
  }
  const randomness = new SeededRandom(8);
  const told = { ...identity, firstSeq: forgery.firstSeq ?? identity.firstSeq };
  const facts = { ...objectOfPiece(told), level: 0 };
  const again = new PieceMaker();
  const builder = new ObjectBuilder(again.objects.create(sealedPieceName(told)), { facts, randomness, key: undefined });
  const storedBytes: number[] = [];
  for (const key of contents.keys()) {
    const [type = 0, number = 0] = key.split(" ").map(Number);
    if (type === partType.table) continue;
    const content = contents.get(`${type} ${forgery.part?.(type, number) ?? number}`) as Buffer;
    const kind = type === partType.records ? partType.records : partType.extents;
    storedBytes.push(builder.addPart(kind, number, content, 0, content.length).storedBytes);
  }
  const table = placed(decodePieceTable(file.table) as SealedPieceTable, storedBytes);
  const numbers = decodePieceNumbers(file.footer.kindNumbers) as SealedPieceNumbers;
  await builder.finish({
    table: encodePieceTable(forgery.table?.(table) ?? table),
    kindNumbers: encodePieceNumbers(forgery.numbers?.(numbers) ?? numbers),
    timeMicros: sealedAtMicros,
  });
  return SealedPiece.open(again.objects, told, undefined);
}

function placed(table: SealedPieceTable, storedBytes: readonly number[]): SealedPieceTable {
  const count = table.recordPages.length;
  return {
    ...table,
    recordPages: table.recordPages.map((page, index) => ({ ...page, storedBytes: storedBytes[index] ?? 0 })),
    extentPages: table.extentPages.map((page, index) => ({ ...page, storedBytes: storedBytes[count + index] ?? 0 })),
  };
}

const withoutLastPage: Forgery = {
  table: (table) => ({ ...table, extentPages: table.extentPages.slice(0, -1) }),
  numbers: (numbers) => ({
    ...numbers,
    extentCount: numbers.extentCount - (numbers.extentCount % sealedPageExtentsMax),
  }),
};

const endingEarlier: Forgery = {
  table: (table) => ({
    ...table,
    recordPages: table.recordPages.map((page, index, { length }) =>
      index === length - 1 ? { ...page, lastSeq: page.lastSeq - 1 } : page,
    ),
  }),
  numbers: (numbers) => ({ ...numbers, lastSeq: numbers.lastSeq - 1 }),
};

test("a piece that was made as it should be is believed", async () => {
  const piece = await forged({});
  expect(await listOf(piece.records())).toEqual(plainRecords(units));
  await piece.verify();
});

test.each<[string, Forgery]>([
  ["another last seq", { numbers: (numbers) => ({ ...numbers, lastSeq: numbers.lastSeq + 1 }) }],
  ["more records than its pages", { numbers: (numbers) => ({ ...numbers, recordCount: numbers.recordCount + 1 }) }],
  ["more extents than its pages", { numbers: (numbers) => ({ ...numbers, extentCount: numbers.extentCount + 1 }) }],
  ["a page too few", { table: (table) => ({ ...table, extentPages: table.extentPages.slice(1) }) }],
  ["a page too few, and no more than these hold", withoutLastPage],
  [
    "that a later one was before it",
    {
      table: (table) => ({ ...table, previous: { hash: Buffer.alloc(32, 1), firstSeq: 1, lastSeq: 5, lastEpoch: 1 } }),
    },
  ],
])("a piece that says %s is damaged", async (_, forgery) => {
  await expect(forged(forgery)).rejects.toThrow(/damaged in its part table 0 .*: it says what cannot be/);
});

test.each<[string, Forgery]>([
  [
    "has the records of another page",
    { part: (type, number) => (type === partType.records ? Math.max(1, number) : number) },
  ],
  ["has other seqs than the table says", { table: (table) => moved(table, 1, 0) }],
  ["ends with another seq than table and footer say", endingEarlier],
  ["begins with another seq than the piece", { firstSeq: 4 }],
  ["has other extents than the table says", { table: (table) => moved(table, 0, 1) }],
])("a piece of which a page %s is damaged", async (_, forgery) => {
  const piece = await forged(forgery);
  await expect(Promise.all([listOf(piece.records()), volumesScanned(piece)])).rejects.toThrow(ObjectDamageError);
});

test("a piece whose pages were made again, and are sound, is not what it vouches for", async () => {
  const piece = await forged({ table: (table) => ({ ...table, digest: Buffer.alloc(32, 9) }) });
  await expect(piece.verify()).rejects.toThrow("the parts are not those that it was made for");
});

function moved(table: SealedPieceTable, seqs: number, blocks: number): SealedPieceTable {
  const [first, ...others] = table.recordPages;
  const [extents, ...more] = table.extentPages;
  if (first === undefined || extents === undefined) return table;
  return {
    ...table,
    recordPages: [{ ...first, lastSeq: first.lastSeq - seqs }, ...others],
    extentPages: [{ ...extents, startBlock: extents.startBlock + blocks }, ...more],
  };
}
