import { expect, test } from "vitest";
import { foldPieces } from "#src/journals/piece-fold.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { segmentOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import { encodeObjectHeader, objectKind } from "#src/store/object-format.ts";
import { LiveHistory } from "#src/synth/live-history.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { HistoryWorld, historyRoot } from "./history-world.ts";
import { idleControl, SnapshotWorld } from "./snapshot-world.ts";

class Marked {
  readonly addresses = new Set<number>();

  mark(address: number, blockCount: number): void {
    for (let index = 0; index < blockCount; index++) this.addresses.add(address + index);
  }
}

/** Just as much of a sealed segment as says whose it is. */
function segmentHeader(segment: number, group = pieceGroup): [string, Buffer] {
  const facts = { kind: objectKind.segment, group, number: segment, generation: 0, level: 0 };
  const bytes = encodeObjectHeader({ ...facts, isEncrypted: false, salt: Buffer.alloc(16, 1) });
  return [`segments/${String(segment).padStart(12, "0")}.0000`, bytes];
}

const live = (world: SnapshotWorld, files: number[] = []) =>
  new LiveHistory({ objects: world.maker.objects, key: undefined, segmentsWithFiles: async () => new Set(files) });

test("all that any record of the pieces points to is marked, also what was overwritten", async () => {
  const world = new SnapshotWorld(3);
  await world.seal(20);
  await world.seal(20);
  const marks = new Marked();
  await live(world).markLive(marks, idleControl);
  const wanted = world.records.filter(({ type }) => type === recordType.write);
  expect(marks.addresses).toEqual(
    new Set(wanted.flatMap(({ address, blockCount }) => Array.from({ length: blockCount }, (_, at) => address + at))),
  );
});

test("of a history that begins later, what its base holds is marked, and what came before is not", async () => {
  const world = await HistoryWorld.make(8);
  await world.run(world.open());
  for (let count = 0; count < 4; count++) await world.run(world.seal(8));
  const [first, second] = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as [number, number];
  await world.run(world.history.makeSnapshot(first, idleControl));
  await world.run(world.history.retain({ fromSeq: second }, idleControl));
  const marks = new Marked();
  const parts = { objects: world.objects, key: undefined, segmentsWithFiles: async () => new Set<number>() };
  await world.run(new LiveHistory(parts).markLive(marks, idleControl));
  const wanted = new Set<number>();
  for (const { address, blockCount, type, seq } of world.records) {
    if (type === recordType.write && seq > second) for (let at = 0; at < blockCount; at++) wanted.add(address + at);
  }
  for (const address of world.contentAt(second)) wanted.add(address);
  expect(marks.addresses).toEqual(wanted);
});

test("what was folded needs its blocks until the folded piece was compared with it", async () => {
  const world = await HistoryWorld.make(12, 1000);
  await world.run(world.open());
  for (let count = 0; count < 5; count++) await world.run(world.seal(8));
  const marked = async () => {
    const marks = new Marked();
    const parts = { objects: world.objects, key: undefined, segmentsWithFiles: async () => new Set<number>() };
    await world.run(new LiveHistory(parts).markLive(marks, idleControl));
    return marks.addresses;
  };
  const all = await marked();
  const marks = { quiescedMicros: Number.POSITIVE_INFINITY, otherMicros: Number.POSITIVE_INFINITY };
  const policy = { steps: [{ afterMicros: 0, level: 3600 }], marks };
  expect(await world.run(world.history.age(policy, idleControl))).toMatchObject({ madePieces: 1 });
  expect(await marked()).toEqual(all);
  expect(await world.run(world.history.age(policy, idleControl))).toMatchObject({ removedPieces: 4, findings: [] });
  const left = await marked();
  expect(left.size).toBeLessThan(all.size);
  expect([...left].filter((address) => !all.has(address))).toEqual([]);
});

test("a segment is settled when a later one of its journal is pointed to, and its files are gone", async () => {
  const world = new SnapshotWorld(4);
  for (let count = 0; count < 3; count++) await world.seal(60);
  const segments = world.records.filter(({ address }) => address > 0).map(({ address }) => segmentOf(address));
  const newest = Math.max(...segments);
  expect(newest).toBeGreaterThan(12);
  for (let segment = 1; segment <= newest + 2; segment++) world.maker.objects.bytes.set(...segmentHeader(segment));
  world.maker.objects.bytes.set(...segmentHeader(3, "f".repeat(32)));
  const settled = await live(world, [5]).markLive(new Marked(), idleControl);
  const found = Array.from({ length: newest + 2 }, (_, at) => at + 1).filter((segment) => settled.has(segment));
  expect(found).toEqual(Array.from({ length: newest - 1 }, (_, at) => at + 1).filter((one) => one !== 3 && one !== 5));
});

test("a piece that was folded and cannot be read holds up just the segments that it may point to", async () => {
  const world = new SnapshotWorld(4);
  for (let count = 0; count < 5; count++) await world.seal(40);
  const { objects } = world.maker;
  const rule = { level: 3600, keepsPoint: () => false, keepsMark: () => true };
  const publish = <Done>(finish: () => Promise<Done>): Promise<Done> => finish();
  const order = { pieces: world.pieces.slice(1, 4), rule, nowMicros: 1, publish, control: idleControl };
  expect(await foldPieces(world.parts, order)).toBe("folded");
  const newest = segmentOf(Math.max(...world.records.map(({ address }) => address)));
  for (let segment = 1; segment <= newest; segment++) objects.bytes.set(...segmentHeader(segment));
  const unsettled = async () => {
    const settled = await live(world).markLive(new Marked(), idleControl);
    return Array.from({ length: newest - 1 }, (_, at) => at + 1).filter((segment) => !settled.has(segment));
  };
  expect(await unsettled()).toEqual([]);
  const [, before, lost, behind] = world.pieces as [SealedPiece, SealedPiece, SealedPiece, SealedPiece];
  const segmentsOf = ({ identity: { firstSeq }, numbers: { lastSeq } }: SealedPiece) =>
    world.records
      .filter(({ seq, type }) => seq >= firstSeq && seq <= lastSeq && type === recordType.write)
      .flatMap(({ address, blockCount }) => [segmentOf(address), segmentOf(address + blockCount - 1)]);
  const first = Math.max(...segmentsOf(before));
  const last = Math.min(...segmentsOf(behind));
  expect(segmentsOf(lost).every((segment) => segment >= first && segment <= last)).toBe(true);
  const range = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const whole = objects.bytes.get(lost.name) as Buffer;
  const spoiled = Buffer.from(whole);
  spoiled.fill(0xee, 200, 300);
  for (const bytes of [spoiled, Buffer.alloc(10)]) {
    objects.bytes.set(lost.name, bytes);
    expect(await unsettled()).toEqual(range);
  }
  expect(range.length).toBeLessThan(newest / 2);
  objects.bytes.set(lost.name, whole);
  expect(await unsettled()).toEqual([]);
});

test("the latest segment of a journal is settled when all is sealed that was durable when its files had gone", async () => {
  const world = new SnapshotWorld(4);
  const latest = 10_000;
  world.maker.objects.bytes.set(...segmentHeader(latest));
  const files = new Set([latest]);
  let durableSeq = 0;
  const parts = { objects: world.maker.objects, key: undefined, segmentsWithFiles: async () => files };
  const history = new LiveHistory({ ...parts, checkpoints: () => new Map([[pieceGroup, durableSeq]]) });
  const isSettled = async () => (await history.markLive(new Marked(), idleControl)).has(latest);
  await world.seal(20);
  expect(await isSettled()).toBe(false);
  files.clear();
  durableSeq = world.lastSeq + 5;
  expect(await isSettled()).toBe(false);
  // Whatever comes behind does not point there.
  durableSeq += 1000;
  await world.seal(20);
  expect(await isSettled()).toBe(true);
  expect((await new LiveHistory(parts).markLive(new Marked(), idleControl)).has(latest)).toBe(false);
});

test("a snapshot that the base and the pieces make up anyway need not be readable", async () => {
  const world = await HistoryWorld.make(12);
  await world.run(world.open());
  for (let count = 0; count < 4; count++) await world.run(world.seal(8));
  const [first, second, third] = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as number[];
  await world.run(world.history.makeSnapshot(first as number, idleControl));
  await world.run(world.history.pin({ id: "a", seq: first as number, keeps: "snapshot", reason: "asked for" }));
  await world.run(world.history.retain({ fromSeq: second as number }, idleControl));
  const parts = { objects: world.objects, key: undefined, segmentsWithFiles: async () => new Set<number>() };
  const marked = async () => {
    const marks = new Marked();
    await world.run(new LiveHistory(parts).markLive(marks, idleControl));
    return marks.addresses;
  };
  const before = await marked();
  for (const address of world.contentAt(first as number)) expect(before.has(address)).toBe(true);
  const later = await world.run(world.history.makeSnapshot(third as number, idleControl));
  expect(await marked()).toEqual(before);
  const handle = world.host.files.open(`${historyRoot}/${later.name}`, "readWrite");
  handle.writeNow(Buffer.alloc(300, 7), 0, 300, 0);
  handle.close();
  expect(await marked()).toEqual(before);
});
