import { expect, test } from "vitest";
import { RetryError, StopError } from "#src/core/errors.ts";
import { recordExtraBytesMax } from "#src/core/limits.ts";
import { sealedPiecePagesMax } from "#src/core/store-limits.ts";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import type { FoundUnit } from "#src/journals/metadata-unit.ts";
import { PieceSealer, type UnitWalk } from "#src/journals/piece-sealer.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { anyFaults, FaultyObjects, type ObjectFault } from "#test/store/faulty-objects.ts";
import { plainRecords, type Unit } from "./random-units.ts";
import { listOf, MemoryObjects, pieceGroup, sealedAtMicros } from "./sealed-pieces.ts";
import { journalIdentity, SealingWorld } from "./sealing-world.ts";

test("what an open journal holds is the same when it is sealed", async () => {
  const world = new SealingWorld();
  world.write(150);
  expect(world.folder.pieces(world.host.files).length).toBeGreaterThan(1);
  const sealer = await world.sealer();
  const piece = await sealer.sealNext(world.lastSeq, sealedAtMicros);
  expect(piece?.numbers.lastSeq).toBe(world.lastSeq);
  expect(await sealer.sealNext(world.lastSeq, sealedAtMicros)).toBeUndefined();
  expect(await world.sealed()).toEqual(plainRecords(world.units));
});

test("a journal that grows is sealed piece after piece, by one or by another after a start", async () => {
  const world = new SealingWorld();
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

test("a piece that came to lie there with other bytes gets back those that it should have", async () => {
  const world = new SealingWorld();
  world.write(150);
  const objects = world.objects as MemoryObjects;
  const create = objects.create.bind(objects);
  let published: Buffer | undefined;
  objects.create = (name) => {
    const writer = create(name);
    const finish = writer.finish.bind(writer);
    return Object.assign(writer, {
      finish: async () => {
        await finish();
        published ??= Buffer.from(objects.bytes.get(name) as Buffer);
        (objects.bytes.get(name) as Buffer).fill(0x55, 200, 230);
      },
    });
  };
  objects.restore = create;
  const sealer = await world.sealer();
  const piece = await sealer.sealNext(world.lastSeq, sealedAtMicros);
  expect(objects.bytes.get(piece?.name ?? "")).toEqual(published);
  expect(await world.sealed()).toEqual(plainRecords(world.units));
});

test("where it does not get them back nobody hears that its records are sealed", async () => {
  const world = new SealingWorld();
  world.write(150);
  const objects = world.objects as MemoryObjects;
  const create = objects.create.bind(objects);
  objects.create = (name) => {
    const writer = create(name);
    const write = writer.write.bind(writer);
    return Object.assign(writer, { write: (bytes: Buffer) => write(Buffer.from(bytes).fill(0x55, 200, 230)) });
  };
  const sealer = await world.sealer();
  await expect(sealer.sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow("is damaged");
  expect(sealer.sealedSeq).toBe(0);
});

test("nothing behind the record that was said is sealed, nor a part of an aggregate", async () => {
  const world = new SealingWorld();
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
  const world = new SealingWorld();
  world.write(30);
  const handle = world.host.files.open(world.folder.piecePath(0), "readWrite");
  handle.writeNow(Buffer.alloc(4096, 0x55), 0, 4096, handle.sizeBytesNow() - 4096);
  const sealer = await world.sealer();
  await expect(sealer.sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow(StopError);
  expect(await world.pieces()).toEqual([]);
  expect((world.objects as MemoryObjects).openCount).toBe(0);
});

test.each([
  ["within a batch", (seq: number) => seq + 1],
  ["before records that the open journal has not any more", (seq: number) => seq - 1],
])("a journal is not sealed behind pieces that end %s", async (_, moved) => {
  const world = new SealingWorld();
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
    const cursor = new MetadataCursor(world.host.files, world.folder, journalIdentity, seq);
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
    saw: () => {},
    assertWhole: async () => {},
  };
  await expect(new PieceSealer(parts).sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow(
    "the sealed pieces end with",
  );
  expect(await world.pieces()).toEqual([]);
});

test("a journal goes on behind the sealed pieces with an epoch that jumps, if what it follows is sealed", async () => {
  const world = new SealingWorld();
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
  const world = new SealingWorld();
  world.write(200);
  const epoch = world.units.find((unit, at) => at > 0 && unit.records[0]?.type === recordType.epoch) as Unit;
  const [first] = epoch.records;
  const link = { hash: Buffer.alloc(32, 1), firstSeq: 1, lastSeq: 1, lastEpoch: 1 };
  const walkFrom = () => {
    const cursor = new MetadataCursor(world.host.files, world.folder, journalIdentity, 1);
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
    saw: () => {},
    assertWhole: async () => {},
  };
  await expect(new PieceSealer(parts).sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow(
    "the sealed pieces end with",
  );
});

function previousLastSeqOf({ bytes }: Unit): number {
  return (JSON.parse(bytes.toString("utf8").replace(/\0+$/, "")) as { previousLastSeq: number }).previousLastSeq;
}

test("a piece that is there, and was sealed behind another one, stops the sealing", async () => {
  const world = new SealingWorld();
  world.write(20);
  const [sealer, other] = [await world.sealer(), await world.sealer()];
  await sealer.sealNext(world.lastSeq, sealedAtMicros);
  const [first] = await world.pieces();
  const bytes = (world.objects as MemoryObjects).bytes;
  const kept = bytes.get(first?.name ?? "") as Buffer;
  bytes.clear();
  await other.sealNext(world.lastSeq, sealedAtMicros);
  world.write(5);
  await other.sealNext(world.lastSeq, sealedAtMicros);
  bytes.set(first?.name ?? "", kept);
  await expect(sealer.sealNext(world.lastSeq, sealedAtMicros)).rejects.toThrow(
    "is there, and does not follow: it was sealed behind another one of the same records",
  );
});

/** Marks with the longest names there are, without end. */
class EndlessMarks implements UnitWalk {
  expectedSeq: number;
  readonly #extra = encodeExtra({ name: "x".repeat(recordExtraBytesMax - 16) });

  constructor(seq: number) {
    this.expectedSeq = seq;
  }

  next(): FoundUnit {
    const firstSeq = this.expectedSeq;
    const place = {
      volume: 0,
      timeMicros: 5,
      epoch: 1,
      startBlock: 0,
      blockCount: 0,
      address: 0,
      ordinal: 0,
      level: 0,
    };
    const extra = { extraBytes: this.#extra.length, extraAt: 0 };
    const records = Array.from({ length: 14 }, () => ({
      type: recordType.mark,
      ...place,
      ...extra,
      seq: this.expectedSeq++,
    }));
    const seqs = { epoch: 1, firstSeq, lastSeq: this.expectedSeq - 1, durableSeq: 0 };
    return { finding: "sound", ...seqs, isAggregate: false, records, bytes: this.#extra, offset: 0, nextOffset: 0 };
  }

  close(): void {}
}

test("a piece that is full is left for a new one, and can be read", async () => {
  const objects = new MemoryObjects();
  const walkFrom = (seq: number) => new EndlessMarks(seq);
  const parts = {
    objects,
    randomness: new SeededRandom(6),
    key: undefined,
    group: pieceGroup,
    previous: undefined,
    walkFrom,
    saw: () => {},
    assertWhole: async () => {},
  };
  const sealer = new PieceSealer(parts);
  const first = await sealer.sealNext(Number.MAX_SAFE_INTEGER - 1, sealedAtMicros);
  if (first === undefined) return expect.unreachable("there is enough for it");
  expect(first.recordPageCount).toBeGreaterThan(sealedPiecePagesMax - 64);
  expect(first.recordPageCount).toBeLessThanOrEqual(sealedPiecePagesMax);
  const { lastSeq } = first.numbers;
  const second = await sealer.sealNext(lastSeq + 28, sealedAtMicros);
  expect(second?.identity.firstSeq).toBe(lastSeq + 1);
  expect(await listOf(first.records(lastSeq - 1))).toMatchObject([{ seq: lastSeq }]);
});

/** With a store that fails. */
async function faulty(seed: number) {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  const driver = simDriver(simulation.clock);
  const inner = await driven(driver, FolderObjects.open(host, "/store"));
  const objects = new FaultyObjects({ inner, clock: host.clock, random: new SeededRandom(seed) });
  const world = new SealingWorld(simulation, objects);
  return { world, objects, simulation, run: <Result>(work: Promise<Result>) => driven(driver, work) };
}

test.each<ObjectFault>(["after", "late"])(
  "fault 21: a piece that is there, though its writer was told otherwise (%s), is taken as it is",
  async (fault) => {
    const { world, objects, simulation, run } = await faulty(1);
    world.write(20);
    const sealer = await run(world.sealer());
    const lastSeq = world.lastSeq;
    objects.order("finish", fault as "after");
    await expect(run(sealer.sealNext(lastSeq, sealedAtMicros))).rejects.toThrow(RetryError);
    await simulation.clock.settle();
    world.write(20);
    await run(sealer.sealNext(world.lastSeq, sealedAtMicros));
    expect(sealer.sealedSeq).toBe(lastSeq);
    await run(sealer.sealNext(world.lastSeq, sealedAtMicros));
    expect(await run(world.sealed())).toEqual(plainRecords(world.units));
  },
);

test("fault 21: whatever a service does while pieces are sealed, all records come to be there once", async () => {
  let faultCount = 0;
  for (let seed = 0; seed < 10; seed++) {
    const { world, objects, simulation, run } = await faulty(seed);
    let sealer = await run(world.sealer());
    objects.faults = anyFaults(0.05);
    for (let round = 0; round < 10; round++) {
      world.write(10);
      for (let tries = 0; sealer.sealedSeq < world.lastSeq; tries++) {
        expect(tries, `seed ${seed}`).toBeLessThan(100);
        try {
          if (tries % 5 === 4) sealer = await run(world.sealer());
          await run(sealer.sealNext(world.lastSeq, sealedAtMicros));
        } catch (error) {
          expect((error as Error).name, (error as Error).stack).toMatch(/^(RetryError|ObjectDamageError|StopError)$/);
        }
      }
    }
    faultCount += objects.faultCount;
    objects.faults = { chances: {}, delayMsMax: 0, lateMsMax: 0 };
    await simulation.clock.settle();
    expect(await run(world.sealed()), `seed ${seed}`).toEqual(plainRecords(world.units));
  }
  expect(faultCount).toBeGreaterThan(50);
});

test("fault 21: a piece of which something else came back is read again", async () => {
  const { world, objects, run } = await faulty(3);
  world.write(30);
  const sealer = await run(world.sealer());
  await run(sealer.sealNext(world.lastSeq, sealedAtMicros));
  for (const fault of ["cut", "wrong"] as const) {
    for (let readsBefore = 0; readsBefore < 4; readsBefore++) {
      for (let count = 0; count < readsBefore; count++) objects.order("read", "none");
      objects.order("read", fault);
      expect(await run(world.sealed())).toEqual(plainRecords(world.units));
    }
  }
});
