import { expect, test } from "vitest";
import { describeSealedPiece, sealedPieceLine } from "#src/journals/sealed-piece-description.ts";
import { recordTypeName } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { plainRecords, RandomUnits } from "./random-units.ts";
import { listOf, PieceMaker } from "./sealed-pieces.ts";

async function made(count: number, key?: Buffer) {
  const maker = new PieceMaker(2, key);
  const random = new RandomUnits(new SeededRandom(14));
  const before = await maker.seal(random.take(5));
  const units = random.take(count);
  const piece = await maker.seal(units, before.link);
  return { maker, piece, records: plainRecords(units), bytes: maker.objects.bytes.get(piece.name) as Buffer };
}

test("a piece is told with its records, its extents, and the one before it", async () => {
  const { maker, piece, records } = await made(60);
  const items = await listOf(describeSealedPiece(maker.objects, piece.name));
  const { identity, numbers, previous } = piece;
  const hash = piece.link.hash.toString("hex");
  expect(items[0]).toEqual({
    ...{ kind: "sealedPiece", object: piece.name, sizeBytes: piece.sizeBytes, ...identity, ...numbers, hash },
    previous: { ...previous, hash: previous?.hash.toString("hex") },
  });
  const told = items.filter((item) => item.kind === "record");
  expect(told.map(({ seq, type, volume, startBlock }) => [seq, type, volume, startBlock])).toEqual(
    records.map(({ seq, type, volume, startBlock }) => [seq, recordTypeName(type), volume, startBlock]),
  );
  expect(items.filter((item) => item.kind === "extent")).toHaveLength(numbers.extentCount);
  expect(items.filter((item) => item.kind === "flaw")).toEqual([]);
  for (const item of items) expect(sealedPieceLine(item)).not.toMatch(/undefined|NaN|object Object/);
});

test("a page that is damaged is told, and what comes behind it", async () => {
  const { maker, piece, bytes } = await made(600);
  expect(piece.recordPageCount).toBeGreaterThan(2);
  (bytes[200] as number) ^= 1;
  const items = await listOf(describeSealedPiece(maker.objects, piece.name));
  const flaws = items.filter((item) => item.kind === "flaw").map(sealedPieceLine);
  expect(flaws).toEqual([expect.stringMatching(/^ {2}DAMAGED: .* is damaged in its part records 0 .*checksum/)]);
  const page = await piece.recordPage(1);
  expect(items.find((item) => item.kind === "record")).toMatchObject({ seq: page.records[0]?.seq });
  expect(items.filter((item) => item.kind === "extent")).toHaveLength(piece.numbers.extentCount);
});

test("it may lie anywhere, under any name", async () => {
  const { maker, bytes } = await made(3);
  maker.objects.bytes.set("elsewhere", bytes);
  const [first] = await listOf(describeSealedPiece(maker.objects, "elsewhere"));
  expect(first).toMatchObject({ kind: "sealedPiece", object: "elsewhere" });
});

test("what is encrypted is refused in words, and so is what is no piece", async () => {
  const { maker, piece } = await made(3, Buffer.alloc(32, 1));
  await expect(listOf(describeSealedPiece(maker.objects, piece.name))).rejects.toThrow("is encrypted: 'tidemark dump");
  maker.objects.bytes.set("text", Buffer.from("nothing of the sort".repeat(20)));
  await expect(listOf(describeSealedPiece(maker.objects, "text"))).rejects.toThrow("text is damaged in its header");
});
