/** Histories that are folded, and what must hold of them. */
import { expect } from "vitest";
import { foundPieces } from "#src/journals/pieces-in-force.ts";
import type { AgeingPolicy } from "#src/synth/ageing-plan.ts";
import { LiveHistory } from "#src/synth/live-history.ts";
import { contentOf, type PlainRecord, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import { listOf, pieceGroup } from "#test/journals/sealed-pieces.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { differentAddresses, pointsOf } from "./folded-points.ts";
import { HistoryWorld } from "./history-world.ts";
import { idleControl } from "./snapshot-world.ts";

export const always = { quiescedMicros: Number.POSITIVE_INFINITY, otherMicros: Number.POSITIVE_INFINITY };
export const never = { quiescedMicros: 0, otherMicros: 0 };

export function policy(
  steps: readonly (readonly [afterSeconds: number, level: number])[],
  marks = always,
): AgeingPolicy {
  return { steps: steps.map(([afterSeconds, level]) => ({ afterMicros: afterSeconds * 1e6, level })), marks };
}

/** Records are up to a second from each other. */
export async function opened(seed: number, pieceCount: number): Promise<HistoryWorld> {
  const world = await HistoryWorld.make(seed, 1000);
  await world.run(world.open());
  for (let count = 0; count < pieceCount; count++) await world.run(world.seal(8));
  return world;
}

export async function recordsLeft(world: HistoryWorld): Promise<PlainRecord[]> {
  const pieces = await world.run(world.pieces());
  return (await world.run(Promise.all(pieces.map((piece) => listOf(piece.records()))))).flat();
}

function stateAt(records: readonly PlainRecord[], seq: number): (number | undefined)[] {
  const state: (number | undefined)[] = [];
  for (let volume = 1; volume <= volumeCount; volume++) {
    for (let block = 0; block < volumeBlocks; block++) state.push(contentOf(records, volume, block, seq)?.address);
  }
  return state;
}

export async function checkPoints(world: HistoryWorld, random: SeededRandom): Promise<number[]> {
  const left = await recordsLeft(world);
  const points = pointsOf(left);
  const original = new Set(pointsOf(world.records));
  expect(points.filter((seq) => !original.has(seq))).toEqual([]);
  const { basedOn } = await world.run(world.history.history());
  for (const seq of points) {
    if (!random.chance(0.2)) continue;
    const expected = stateAt(world.records, seq);
    // What pieces that have expired said is in the base.
    const found = stateAt(left, seq).map((address, index) => (basedOn > 0 ? (address ?? expected[index]) : address));
    expect(found).toEqual(expected);
  }
  const marked = new Set<number>();
  const mark = (address: number, blockCount: number) => {
    for (let index = 0; index < blockCount; index++) marked.add(address + index);
  };
  const parts = { objects: world.objects, key: undefined, segmentsWithFiles: async () => new Set<number>() };
  await world.run(new LiveHistory(parts).markLive({ mark }, idleControl));
  const kept = await world.run(world.history.snapshots());
  const pointless = await world.run(world.history.snapshotsWithoutPoint());
  const { asked } = await world.run(world.history.history());
  expect(asked.filter((seq) => !points.includes(seq) && seq !== basedOn)).toEqual([]);
  for (const snapshot of kept) {
    if (snapshot instanceof Error) throw snapshot;
    expect(await world.run(differentAddresses(snapshot, world.records))).toEqual([]);
    expect(pointless.has(snapshot.seq)).toBe(!points.includes(snapshot.seq) && snapshot.seq !== basedOn);
    if (pointless.has(snapshot.seq)) continue;
    for (const address of world.contentAt(snapshot.seq)) expect(marked.has(address)).toBe(true);
  }
  for (const seq of points) {
    if (random.chance(0.1)) for (const address of world.contentAt(seq)) expect(marked.has(address)).toBe(true);
  }
  return points;
}

/** A life of folding beside snapshots, pins and retention. */
export async function agedHistory(seed: number): Promise<void> {
  const random = new SeededRandom(1000 + seed);
  const world = await opened(seed, 6);
  let points = await checkPoints(world, random);
  for (let step = 0; step < 8; step++) {
    const { history } = world;
    const pinned = random.chance(0.3) ? random.pick(points) : undefined;
    if (pinned !== undefined) {
      await world.run(history.pin({ id: "a", seq: pinned, keeps: "history", reason: "is open" }).catch(() => {}));
    }
    if (random.chance(0.6)) {
      const isAsked = random.chance(0.5);
      await world.run(history.makeSnapshot(random.pick(points), idleControl, isAsked).catch(() => {}));
    }
    const heldFrom = (await world.run(history.history())).pins[0]?.seq;
    const held = points.filter((seq) => heldFrom !== undefined && seq >= heldFrom);
    const [fine, coarse] = [random.pick([1, 2, 5]), random.pick([20, 60])];
    const steps = [[random.integerBelow(30), fine] as const, [30 + random.integerBelow(60), coarse] as const];
    await world.run(history.age(policy(steps, random.pick([always, never])), idleControl));
    const left = await checkPoints(world, random);
    expect(held.filter((seq) => !left.includes(seq))).toEqual([]);
    if (random.chance(0.3)) await world.run(history.retain({ fromSeq: random.pick(left) }, idleControl));
    await world.run(history.unpin("a"));
    await world.run(world.seal(8));
    points = await checkPoints(world, random);
    const wanted = random.pick(points);
    const { basedOn } = await world.run(history.history());
    if (wanted < basedOn) continue;
    const snapshot = await world.run(history.makeSnapshot(wanted, idleControl));
    expect(snapshot.seq).toBe(wanted);
    expect(await world.run(differentAddresses(snapshot, world.records))).toEqual([]);
  }
}

/** Ends whoever folds at each `step`th of its calls to the disk, and looks what is left. Answers how many there were, about. */
export async function foldedUntilEnded(end: "killed" | "without power", step: number): Promise<number> {
  for (let points = 0; ; points += step) {
    const world = await opened(9, 4);
    const all = pointsOf(world.records);
    const [own, other, asked] = [all[6], all[14], all[10]] as [number, number, number];
    for (const seq of [own, other]) await world.run(world.history.makeSnapshot(seq, idleControl));
    await world.run(world.objects.close());
    const { host } = world;
    const files = new DoomedFiles(host.files, points, () => (end === "killed" ? host.kill() : host.cutPower()));
    const wish = policy([[0, 60]]);
    let isAsked = false;
    let isDone = false;
    const story = async () => {
      await world.open(files);
      await world.history.makeSnapshot(asked, idleControl, true);
      isAsked = true;
      await world.history.age(wish, idleControl);
      await world.history.age(wish, idleControl);
      await world.history.retain({}, idleControl);
      isDone = true;
    };
    void story().catch(() => {});
    await world.simulation.clock.settle();
    if (isDone) {
      return points;
    }
    await world.run(world.open());
    const pieces = await world.run(world.pieces());
    expect([2, 4]).toContain(pieces.length);
    if (pieces.length === 4) expect(pointsOf(await recordsLeft(world))).toEqual(all);
    await checkPoints(world, new SeededRandom(points));
    const document = await world.run(world.history.history());
    if (isAsked) expect(document.asked).toEqual([asked]);
    await world.run(world.history.age(wish, idleControl));
    await world.run(world.history.age(wish, idleControl));
    const left = await checkPoints(world, new SeededRandom(points));
    expect(left.includes(asked)).toBe(document.asked.includes(asked));
    expect((await world.run(world.history.snapshotSeqs())).includes(own)).toBe(false);
    expect((await world.run(foundPieces(world.objects, pieceGroup))).replaced).toEqual([]);
    expect(await world.run(world.pieces())).toHaveLength(2);
  }
}
