/** The bytes of each version of the folded piece, kept for ever: never changed, always read. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { foldFinding } from "#src/journals/piece-fold.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { objectOfPiece } from "#src/journals/sealed-piece-format.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { partType } from "#src/store/part.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { address, before, firstSeq, foldedMicros, foldGolden, identity, nameOf, timeMicros } from "./golden-fold.ts";
import { listOf, MemoryObjects, pieceGroup } from "./sealed-pieces.ts";

const name = nameOf(identity);
const golden = readFileSync(new URL("../golden/folded-piece-v1.bin", import.meta.url));
const sources = [firstSeq, firstSeq + 2].map((seq) => ({ group: pieceGroup, firstSeq: seq }));
const startBlock = 2 ** 33;
const lastMicros = timeMicros + 3_000_000;

async function fileOf(bytes: Buffer): Promise<ObjectFile> {
  const objects = new MemoryObjects();
  objects.bytes.set(name, bytes);
  return ObjectFile.open(objects, name, objectOfPiece(identity), undefined);
}

/** The golden one beside those that it takes the place of, which are made anew. */
async function goldenStore(): Promise<MemoryObjects> {
  const objects = await foldGolden();
  objects.bytes.set(name, golden);
  return objects;
}

test("a folded piece has the bytes that it always had", async () => {
  const made = (await foldGolden()).bytes.get(name) as Buffer;
  const [found, expected] = [await fileOf(made), await fileOf(golden)];
  const { tableAt, kindNumbers, timeMicros: madeMicros } = expected.footer;
  expect(made.subarray(0, tableAt).toString("hex")).toBe(golden.subarray(0, tableAt).toString("hex"));
  // How long the table is, and so what the footer says of it, is up to zstd: it has one hash twice.
  expect(found.table.toString("hex")).toBe(expected.table.toString("hex"));
  expect(found.footer).toMatchObject({ tableAt, kindNumbers, timeMicros: madeMicros });
  expect(madeMicros).toBe(foldedMicros);
});

test("a folded piece of version 1 can be read", async () => {
  const objects = await goldenStore();
  const piece = await SealedPiece.open(objects, identity, undefined);
  const place = { seq: firstSeq + 3, timeMicros: lastMicros, epoch: 9, ordinal: 0, level: 0, isAggregated: true };
  const { write, trim, aggregate } = recordType;
  const none = { startBlock: 0, blockCount: 0, address: 0 };
  expect((await listOf(piece.records())).map(({ extraBytes: _, ...one }) => one)).toEqual([
    { ...place, type: write, volume: 3, startBlock, blockCount: 1, address, extra: Buffer.alloc(0) },
    {
      ...place,
      type: write,
      volume: 3,
      startBlock: startBlock + 1,
      blockCount: 2,
      address: address + 4,
      extra: Buffer.alloc(0),
    },
    { ...place, type: trim, volume: 3, startBlock: startBlock + 3, blockCount: 2, address: 0, extra: Buffer.alloc(0) },
    { ...place, type: trim, volume: 1, ...none, extra: Buffer.alloc(0) },
    { ...place, type: aggregate, volume: 0, ...none, extra: encodeExtra({ records: 4, bytes: 4 * 4096 }) },
  ]);
  expect(await listOf(piece.scan(1))).toEqual([]);
  expect(
    (await listOf(piece.scan(3))).map(({ startBlock: block, blockCount, address: at }) => [block, blockCount, at]),
  ).toEqual([
    [startBlock, 1, address],
    [startBlock + 1, 2, address + 4],
    [startBlock + 3, 2, 0],
  ]);
  expect([piece.level, piece.previous]).toEqual([60, before]);
  const replaced = await Promise.all(sources.map((source) => SealedPiece.open(objects, source, undefined)));
  expect(piece.link).toEqual({ ...replaced[1]?.link });
  expect(await foldFinding(piece, replaced, new FreeWork())).toBeUndefined();
});

function sha256(...parts: readonly Buffer[]): string {
  return createHash("sha256").update(Buffer.concat(parts)).digest("hex");
}

/** Header, content of the table, footer. */
async function hashOf(objects: MemoryObjects, source: (typeof sources)[number]): Promise<string> {
  const bytes = objects.bytes.get(nameOf(source)) as Buffer;
  const { table } = await ObjectFile.open(objects, nameOf(source), objectOfPiece(source), undefined);
  return sha256(bytes.subarray(0, 128), table, bytes.subarray(-128));
}

/** In seven bits each, the lowest first. */
function varint(value: number): string {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
  return Buffer.from(bytes).toString("hex");
}

test("what a folded piece of version 1 says of itself stands where docs/formats.md has it", async () => {
  const objects = await goldenStore();
  const file = await fileOf(golden);
  const { table, footer } = file;
  const contents: Buffer[] = [];
  for await (const part of file.parts()) {
    if (part instanceof ObjectDamageError) throw part;
    if (part.type === partType.table) continue;
    const head = Buffer.alloc(9);
    head.writeUInt8(part.type, 0);
    head.writeUInt32LE(part.number, 1);
    head.writeUInt32LE(part.content.length, 5);
    contents.push(head, Buffer.from(part.content));
  }
  const hashes = await Promise.all(sources.map((source) => hashOf(objects, source)));
  const at = (offset: number) => Number(table.readBigUInt64LE(offset));
  expect([table.toString("hex", 0, 32), table.toString("hex", 32, 64)]).toEqual([
    before.hash.toString("hex"),
    sha256(...contents),
  ]);
  expect([at(64), at(72), table.readUInt32LE(80)]).toEqual([before.firstSeq, before.lastSeq, before.lastEpoch]);
  // Parts records, parts extents, pieces that it takes the place of.
  expect([84, 88, 92].map((offset) => table.readUInt32LE(offset))).toEqual([1, 1, 2]);
  // The hash of each, then of which the one behind speaks.
  expect(table.toString("hex").endsWith(`${hashes.join("")}${varint(firstSeq + 2)}${hashes[1]}`)).toBe(true);
  const numbers = [0, 8, 16].map((offset) => Number(footer.kindNumbers.readBigUInt64LE(offset)));
  expect(numbers).toEqual([firstSeq + 3, lastMicros, lastMicros]);
  // Records, extents, the first epoch, the last one, the coarsest level that is still to be folded.
  expect([24, 28, 32, 36, 40].map((offset) => footer.kindNumbers.readUInt32LE(offset))).toEqual([5, 3, 9, 9, 0]);
  expect([golden.readUInt32LE(32), golden.readUInt32LE(36)]).toEqual([1, 60]);
});
