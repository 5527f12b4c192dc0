import { expect, test } from "vitest";
import { foundPieces } from "#src/journals/pieces-in-force.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { ageingPlan } from "#src/synth/ageing-plan.ts";
import { wholeHistory } from "#src/synth/history-document.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { agedHistory, always, checkPoints, foldedUntilEnded, opened, policy, recordsLeft } from "./ageing-world.ts";
import { differentAddresses, pointsOf } from "./folded-points.ts";
import type { HistoryWorld } from "./history-world.ts";
import { idleControl } from "./snapshot-world.ts";

test("history that is folded, again and again, beside snapshots, pins and retention, keeps each point that it offers", async () => {
  await agedHistory(1);
});

test("what is folded takes the place of many pieces, and these go with the next run", async () => {
  const world = await opened(7, 6);
  const before = await world.run(world.pieces());
  const names = async () => {
    const found = await world.run(foundPieces(world.objects, pieceGroup));
    return { inForce: found.inForce.map(sealedPieceName), replaced: found.replaced.map(sealedPieceName) };
  };
  const outcome = await world.run(world.history.age(policy([[0, 3600]]), idleControl));
  expect(outcome).toMatchObject({ foldedPieces: 5, madePieces: 1, removedPieces: 0, findings: [] });
  const after = await names();
  expect(after.inForce).toHaveLength(2);
  expect(after.replaced).toEqual(before.slice(0, 5).map(({ name }) => name));
  const [folded, newest] = await world.run(world.pieces());
  expect(folded?.folding?.replaced.map(({ hash }) => hash)).toEqual(before.slice(0, 5).map(({ hash }) => hash));
  expect(folded?.level).toBe(3600);
  expect(newest?.previous).toEqual(folded?.link);
  expect(await world.run(world.history.age(policy([[0, 3600]]), idleControl))).toMatchObject({ removedPieces: 5 });
  expect(await names()).toEqual({ inForce: after.inForce, replaced: [] });
});

test("what is measured of a level has the pauses between its pieces", async () => {
  const world = await opened(7, 6);
  const spanOf = (pieces: readonly SealedPiece[]) =>
    (pieces.at(-1)?.numbers.latestMicros ?? 0) - (pieces[0]?.numbers.earliestMicros ?? 0);
  const whole = await world.run(world.pieces());
  const recordCount = whole.reduce((sum, { numbers }) => sum + numbers.recordCount, 0);
  const measured = () => world.run(world.history.levelMeasures());
  expect(await measured()).toEqual([{ level: 0, recordCount, spanMicros: spanOf(whole) }]);
  await world.run(world.history.age(policy([[0, 3600]]), idleControl));
  const [folded, newest] = await world.run(world.pieces());
  // No pause between two levels counts for either.
  expect((await measured()).map(({ level, spanMicros }) => [level, spanMicros])).toEqual([
    [3600, folded && spanOf([folded])],
    [0, newest && spanOf([newest])],
  ]);
});

test("a snapshot that nobody asked for is no point once what it lies in is folded, and points are made of it still", async () => {
  const twin = await opened(21, 6);
  await twin.run(twin.history.age(policy([[0, 3600]]), idleControl));
  const left = pointsOf(await recordsLeft(twin));
  const world = await opened(21, 6);
  const gone = pointsOf(world.records).filter((seq) => !left.includes(seq));
  const [own, asked, other] = [gone[4], gone[20], gone[24]] as [number, number, number];
  const { history } = world;
  for (const seq of [own, other]) await world.run(history.makeSnapshot(seq, idleControl));
  await world.run(history.makeSnapshot(asked, idleControl, true));
  expect(await world.run(history.snapshotsWithoutPoint())).toEqual(new Set());
  await world.run(history.age(policy([[0, 3600]]), idleControl));
  expect(pointsOf(await recordsLeft(world))).toEqual([...left, asked].sort((a, b) => a - b));
  await checkPoints(world, new SeededRandom(1));
  // One for each folded piece is enough.
  expect(await world.run(history.snapshotSeqs())).toEqual([asked, other]);
  expect(await world.run(history.snapshotsWithoutPoint())).toEqual(new Set([other]));
  const pin = { id: "a", seq: other, keeps: "snapshot", reason: "asked for" } as const;
  await expect(world.run(history.pin(pin))).rejects.toThrow("no point");
  await expect(world.run(history.makeSnapshot(other, idleControl, true))).rejects.toThrow("no point any more");
  const newest = await world.run(history.makeSnapshot(left.at(-1) as number, idleControl));
  expect(newest.baseSeq).toBe(other);
  expect(await world.run(differentAddresses(newest, world.records))).toEqual([]);
});

test("a snapshot that is pinned while its piece is folded stays a point", async () => {
  const world = await opened(22, 5);
  const seq = pointsOf(world.records)[12] as number;
  await world.run(world.history.makeSnapshot(seq, idleControl));
  let pinned: Promise<void> | undefined;
  const pinning = {
    ...idleControl,
    pace: async () => {
      pinned ??= world.history.pin({ id: "view", seq, keeps: "snapshot", reason: "is open" });
      await pinned;
    },
  };
  await world.run(world.history.age(policy([[0, 3600]]), pinning));
  expect(pointsOf(await recordsLeft(world))).toContain(seq);
  await checkPoints(world, new SeededRandom(1));
});

test("what was folded is compared with what it was made of before a history begins with it", async () => {
  const world = await opened(23, 5);
  const ends = (await world.run(world.pieces())).map(({ numbers }) => numbers.lastSeq);
  await world.run(world.history.age(policy([[0, 60]]), idleControl));
  const [folded] = await world.run(world.pieces());
  spoilByte(world, folded?.name as string);
  const plan = await world.run(world.history.retain({ fromSeq: ends[2] as number }, idleControl));
  expect(plan.base?.seq).toBe(ends[2]);
  const [base] = await world.run(world.history.snapshots());
  if (base === undefined || base instanceof Error) throw new Error("there is a base");
  expect(await world.run(world.differences(base))).toEqual([]);
  const outcome = await world.run(world.history.age(policy([]), idleControl));
  expect(outcome.findings).toHaveLength(1);
});

test("a snapshot of a point anywhere in a folded piece can be read, and others are made of it", async () => {
  const world = await opened(24, 6);
  const { history } = world;
  await world.run(history.age(policy([[0, 20]]), idleControl));
  const [folded] = await world.run(world.pieces());
  const points = pointsOf(await recordsLeft(world)).filter((seq) => seq < (folded?.link.firstSeq ?? 0));
  expect(points.length).toBeGreaterThan(3);
  for (const seq of points) {
    const snapshot = await world.run(history.makeSnapshot(seq, idleControl));
    expect(snapshot.seq).toBe(seq);
    expect(await world.run(differentAddresses(snapshot, world.records))).toEqual([]);
  }
  await world.run(history.age(policy([[0, 3600]]), idleControl));
  await checkPoints(world, new SeededRandom(2));
  await world.run(world.seal(8));
  const newest = await world.run(history.makeSnapshot(world.records.at(-1)?.seq as number, idleControl));
  expect(await world.run(differentAddresses(newest, world.records))).toEqual([]);
});

test("what was written at a coarse level is folded when its interval is over, and joined no further", async () => {
  const history = wholeHistory;
  const micros = (seconds: number) => 1_700_000_000_000_000 + seconds * 1e6;
  const pieceOf = (index: number, coarseLevel: number) => ({
    ...{ firstSeq: 100 * index + 1, lastSeq: 100 * index + 100, level: 0, coarseLevel, recordCount: 100 },
    ...{ earliestMicros: micros(index * 600), latestMicros: micros(index * 600 + 599) },
  });
  const pieces = Array.from({ length: 9 }, (_, index) => pieceOf(index, 3600));
  const time = { micros: micros(9 * 600), alarm: undefined };
  const planned = (some: typeof pieces, isPatient: boolean) => {
    const { folds } = ageingPlan({ time, policy: { steps: [], marks: always, isPatient }, history, pieces: some });
    return folds.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq]);
  };
  // An hour ends 2800 s after the first of them begins: within the fifth.
  expect(planned(pieces, true)).toEqual([[1, 400]]);
  expect(planned(pieces.slice(0, 5), true)).toEqual([[1, 400]]);
  expect(planned(pieces.slice(0, 4), true)).toEqual([]);
  expect(planned(pieces, false)).toEqual([[1, 800]]);
});

function spoilByte(world: HistoryWorld, name: string, at = 300): void {
  const handle = world.host.files.open(`/data/store/${name}`, "readWrite");
  const bytes = Buffer.alloc(1);
  handle.readNow(bytes, 0, 1, at);
  handle.writeNow(Buffer.from([(bytes[0] as number) ^ 1]), 0, 1, at);
  handle.close();
}

for (const end of ["killed", "without power"] as const) {
  test(`fault 7: whoever folds may be ${end} at any call to the disk: the old pieces count or the folded one`, async () => {
    // The long suite tries each call.
    expect(await foldedUntilEnded(end, 19)).toBeGreaterThan(20);
  });
}

test("fault 28: where clocks disagree nothing is folded by its age", async () => {
  const world = await opened(11, 4);
  world.host.clock.jumpWall(-10 * 365 * 86_400_000);
  const outcome = await world.run(world.history.age(policy([[0, 60]]), idleControl));
  expect(outcome.plan.alarm).toBeDefined();
  expect(outcome.madePieces).toBe(0);
});

test("a folded piece that does not say what those said goes, and they count again", async () => {
  const world = await opened(12, 5);
  await world.run(world.history.age(policy([[0, 60]]), idleControl));
  const [folded] = await world.run(world.pieces());
  spoilByte(world, folded?.name as string);
  await world.run(world.objects.close());
  await world.run(world.open());
  const none = policy([]);
  const outcome = await world.run(world.history.age(none, idleControl));
  expect(outcome.findings).toHaveLength(1);
  expect(pointsOf(await recordsLeft(world))).toEqual(pointsOf(world.records));
});

/** Folded by a process that has ended since, and one of the originals is damaged in its index of blocks. */
async function foldedAndDamaged(seed: number, level: number) {
  const world = await opened(seed, 5);
  await world.run(world.history.age(policy([[0, level]]), idleControl));
  const { replaced } = await world.run(foundPieces(world.objects, pieceGroup));
  const [first] = replaced as [SealedPieceIdentity];
  const { storedBytes } = (await world.run(SealedPiece.open(world.objects, first, undefined))).recordPagePlace(0);
  const spoil = () => spoilByte(world, sealedPieceName(first), 128 + storedBytes + 34);
  spoil();
  await world.run(world.objects.close());
  await world.run(world.open());
  const names = async () => (await world.run(foundPieces(world.objects, pieceGroup))).replaced.map(sealedPieceName);
  return { world, spoil, names, replaced: replaced.map(sealedPieceName) };
}

const hidden = expect.stringMatching(/cannot be compared with what it was made of, which stays: .*extents 0/);

test("what was damaged after it was compared goes, and what was not compared yet stays until it can be", async () => {
  const { world, spoil, names, replaced } = await foldedAndDamaged(25, 60);
  const points = pointsOf(await recordsLeft(world));
  const again = () => world.run(world.history.age(policy([]), idleControl));
  expect(await again()).toMatchObject({ removedPieces: 0, findings: [hidden] });
  expect(await names()).toEqual(replaced);
  spoil();
  await world.run(world.history.makeSnapshot(points.at(-1) as number, idleControl));
  spoil();
  expect(await again()).toMatchObject({ removedPieces: replaced.length, findings: [] });
  expect(pointsOf(await recordsLeft(world))).toEqual(points);
  await checkPoints(world, new SeededRandom(1));
});

test("where nobody can compare any more all else goes on, and tells of it each time", async () => {
  const { world, names, replaced } = await foldedAndDamaged(26, 60);
  const { history } = world;
  const points = pointsOf(await recordsLeft(world));
  const snapshot = await world.run(history.makeSnapshot(points.at(-1) as number, idleControl));
  expect(await world.run(differentAddresses(snapshot, world.records))).toEqual([]);
  for (let round = 0; round < 2; round++) {
    await world.run(world.seal(8));
    await world.run(history.retain({}, idleControl));
    expect(await world.run(history.age(policy([]), idleControl))).toMatchObject({
      removedPieces: 0,
      findings: [hidden],
    });
    expect(await names()).toEqual(replaced);
    await checkPoints(world, new SeededRandom(1));
  }
  // It goes with the history that it is of.
  const [, second] = await world.run(world.pieces());
  await world.run(history.retain({ fromSeq: second?.numbers.lastSeq as number }, idleControl));
  expect(await names()).toEqual([]);
  expect(await world.run(history.age(policy([]), idleControl))).toMatchObject({ findings: [hidden] });
  expect(await world.run(history.age(policy([]), idleControl))).toMatchObject({ findings: [] });
});

test("what was folded once more keeps what could not be compared before, too", async () => {
  const { world, spoil, names, replaced } = await foldedAndDamaged(27, 20);
  const { history } = world;
  expect(await world.run(history.age(policy([[0, 3600]]), idleControl))).toMatchObject({
    madePieces: 1,
    findings: [hidden, hidden],
  });
  const both = await names();
  expect(both).toHaveLength(replaced.length + 1);
  expect(both).toEqual(expect.arrayContaining(replaced));
  await world.run(world.objects.close());
  await world.run(world.open());
  const again = () => world.run(world.history.age(policy([]), idleControl));
  expect(await again()).toMatchObject({ removedPieces: 0, findings: [hidden] });
  expect(await names()).toEqual(both);
  spoil();
  expect(await again()).toMatchObject({ removedPieces: both.length, findings: [] });
  await checkPoints(world, new SeededRandom(1));
});

test("a pin that comes while pieces are folded does not wait, and nothing is folded behind it", async () => {
  const world = await opened(13, 5);
  const [first] = await world.run(world.pieces());
  const seq = first?.numbers.lastSeq as number;
  let pinned: Promise<void> | undefined;
  const control = {
    ...idleControl,
    pace: async () => {
      pinned ??= world.history.pin({ id: "view", seq, keeps: "history", reason: "is open" });
      await pinned;
    },
  };
  const outcome = await world.run(world.history.age(policy([[0, 60]]), control));
  expect(outcome.plan.heldBy?.id).toBe("view");
  const pieces = await world.run(world.pieces());
  expect(pieces).toHaveLength(5);
  expect(pieces.slice(1).every(({ folding }) => folding === undefined)).toBe(true);
});
