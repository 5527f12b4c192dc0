import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { MetadataAggregate } from "#src/journals/metadata-aggregate.ts";
import { metadataBatchBytesMax } from "#src/journals/metadata-batch.ts";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import { PieceSealer } from "#src/journals/piece-sealer.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import { recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { plainRecords, RandomUnits, type Unit } from "./random-units.ts";
import { listOf, MemoryObjects, pieceGroup, sealedAtMicros } from "./sealed-pieces.ts";

const identity = { group: pieceGroup, incarnation: 7 };
const pieceBytes = logFileHeaderBytes + metadataBatchBytesMax;

/** An open journal over several files, which grows, and what of it is sealed. */
class World {
  readonly host: SimHost = new Simulation(1).host("a");
  readonly folder = new JournalFolder("/g");
  readonly objects = new MemoryObjects();
  readonly units: Unit[] = [];
  readonly #random = new RandomUnits(new SeededRandom(31));
  readonly #journal: MetadataJournal;

  constructor() {
    const { host, folder } = this;
    folder.makeNow(host.files);
    const parts = { files: host.files, folder, ...identity, pieceBytes, dirty: new DirtyFiles(host.files) };
    this.#journal = new MetadataJournal({ ...parts, durableSeq: () => 0 }, 0, 1);
  }

  get lastSeq(): number {
    return this.units.at(-1)?.records.at(-1)?.seq ?? 0;
  }

  write(count: number): void {
    for (const unit of this.#random.take(count)) {
      if (unit.isAggregate) this.#addAggregate(unit);
      else for (const record of unit.records) this.#journal.add(record, unit.bytes, record.extraAt);
      this.#journal.write();
      this.units.push(unit);
    }
  }

  #addAggregate({ records, bytes, firstSeq }: Unit): void {
    const last = records.at(-1);
    if (last === undefined) return;
    const aggregate = new MetadataAggregate(last.epoch, firstSeq, last.seq);
    for (const record of records) aggregate.add(record, bytes, record.extraAt);
    this.#journal.addAggregate(aggregate);
  }

  /** As after a start: it goes on behind the newest piece that is there. */
  async sealer(): Promise<PieceSealer> {
    const previous = (await this.pieces()).at(-1)?.link;
    const { objects, host, folder } = this;
    const walkFrom = (seq: number) => new MetadataCursor(host.files, folder, identity, seq);
    const randomness = new SeededRandom(5);
    return new PieceSealer({ objects, randomness, key: undefined, group: pieceGroup, previous, walkFrom });
  }

  pieces(): Promise<SealedPiece[]> {
    return listOf(sealedPieces(this.objects, pieceGroup, undefined));
  }

  async sealed(): Promise<unknown[]> {
    const records = await Promise.all((await this.pieces()).map((piece) => listOf(piece.records())));
    return records.flat();
  }
}

test("what an open journal holds is the same when it is sealed", async () => {
  const world = new World();
  world.write(150);
  expect(world.folder.pieces(world.host.files).length).toBeGreaterThan(1);
  const sealer = await world.sealer();
  const piece = await sealer.sealNext(world.lastSeq, sealedAtMicros);
  expect(piece?.numbers.lastSeq).toBe(world.lastSeq);
  expect(await sealer.sealNext(world.lastSeq, sealedAtMicros)).toBeUndefined();
  expect(await world.sealed()).toEqual(plainRecords(world.units));
});

test("a journal that grows is sealed piece after piece, by one or by another after a start", async () => {
  const world = new World();
  let sealer = await world.sealer();
  for (let round = 0; round < 12; round++) {
    world.write(1 + round * 3);
    if (round % 3 === 2) sealer = await world.sealer();
    await sealer.sealNext(world.lastSeq, sealedAtMicros);
    expect(sealer.sealedSeq).toBe(world.lastSeq);
  }
  expect((await world.pieces()).length).toBe(12);
  expect(await world.sealed()).toEqual(plainRecords(world.units));
});

test("nothing behind the record that was said is sealed, nor a part of an aggregate", async () => {
  const world = new World();
  world.write(60);
  const sealer = await world.sealer();
  const seqs = world.units.map((unit) => unit.records.at(-1)?.seq ?? 0);
  const aggregate = world.units.findIndex(
    (unit, index) => index > 10 && unit.isAggregate && unit.firstSeq < (seqs[index] ?? 0),
  );
  expect(aggregate).toBeGreaterThan(0);
  await sealer.sealNext((seqs[aggregate] as number) - 1, sealedAtMicros);
  expect(sealer.sealedSeq).toBe(seqs[aggregate - 1]);
  await sealer.sealNext(world.lastSeq, sealedAtMicros);
  expect(await world.sealed()).toEqual(plainRecords(world.units));
});

test("fault 12: a journal that is damaged within what is to be sealed is not sealed beyond it", async () => {
  const world = new World();
  world.write(30);
  const handle = world.host.files.open(world.folder.piecePath(0), "readWrite");
  handle.writeNow(Buffer.alloc(4096, 0x55), 0, 4096, handle.sizeBytesNow() - 4096);
  const sealer = await world.sealer();
  await expect(sealer.sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow(StopError);
  expect(await world.pieces()).toEqual([]);
});

test.each([
  ["within a batch", (seq: number) => seq + 1],
  ["before records that the open journal has not any more", (seq: number) => seq - 1],
])("a journal is not sealed behind pieces that end %s", async (_, moved) => {
  const world = new World();
  world.write(30);
  const unit = world.units.find((one) => !one.isAggregate && one.records.length > 2 && one.firstSeq > 1);
  const firstSeq = unit?.firstSeq ?? 0;
  const link = {
    hash: Buffer.alloc(32, 1),
    firstSeq: 1,
    lastSeq: moved(firstSeq - 1),
    lastEpoch: unit?.records[0]?.epoch ?? 0,
  };
  // The journal's oldest file is not the first one: what is before the unit is gone.
  const walkFrom = (seq: number) => {
    const cursor = new MetadataCursor(world.host.files, world.folder, identity, seq);
    while (cursor.expectedSeq < firstSeq) cursor.next();
    return cursor;
  };
  const { objects } = world;
  const parts = {
    objects,
    randomness: new SeededRandom(6),
    key: undefined,
    group: pieceGroup,
    previous: link,
    walkFrom,
  };
  await expect(new PieceSealer(parts).sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow(
    "the sealed pieces end with",
  );
  expect(await world.pieces()).toEqual([]);
});

test("a journal goes on behind the sealed pieces with an epoch that jumps, if what it follows is sealed", async () => {
  const world = new World();
  world.write(200);
  const index = world.units.findIndex((unit, at) => at > 0 && unit.records[0]?.type === recordType.epoch);
  const epoch = world.units[index]?.records[0];
  const before = world.units[index - 1]?.records.at(-1);
  const sealer = await world.sealer();
  await sealer.sealNext(before?.seq ?? 0, sealedAtMicros);
  await sealer.sealNext(world.lastSeq, sealedAtMicros);
  const [, second] = await world.pieces();
  expect(second?.numbers.firstEpoch).toBe(epoch?.epoch);
  expect(await world.sealed()).toEqual(plainRecords(world.units));
});

test("an epoch that follows records which are nowhere is not sealed", async () => {
  const world = new World();
  world.write(200);
  const epoch = world.units.find((unit, at) => at > 0 && unit.records[0]?.type === recordType.epoch) as Unit;
  const [first] = epoch.records;
  const link = { hash: Buffer.alloc(32, 1), firstSeq: 1, lastSeq: 1, lastEpoch: 1 };
  const walkFrom = () => {
    const cursor = new MetadataCursor(world.host.files, world.folder, identity, 1);
    while (cursor.epoch < (first?.epoch ?? 0) && cursor.expectedSeq <= previousLastSeqOf(epoch)) cursor.next();
    return cursor;
  };
  const { objects } = world;
  const parts = {
    objects,
    randomness: new SeededRandom(6),
    key: undefined,
    group: pieceGroup,
    previous: link,
    walkFrom,
  };
  await expect(new PieceSealer(parts).sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow(
    "the sealed pieces end with",
  );
});

function previousLastSeqOf({ bytes }: Unit): number {
  return (JSON.parse(bytes.toString("utf8").replace(/\0+$/, "")) as { previousLastSeq: number }).previousLastSeq;
}
