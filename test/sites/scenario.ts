/**
 * One seed's story: hosts write and read while the faults of the seed's weather happen, then all is healed, and what is
 * left must come together: every volume open, every record durable at the remote, source and journal the same.
 */

import { lacksRoomToBegin, spoolIsMoving } from "#src/appliance/local/moving-group.ts";
import { blockBytes, lostEpochCount } from "#src/core/limits.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { demandBounds } from "./bounds.ts";
import type { FaultKind } from "./faults.ts";
import type { GroupOracle } from "./group-oracle.ts";
import { replay } from "./journal-replay.ts";
import type { MishapKind } from "./mishaps.ts";
import { demandReadBack } from "./read-back.ts";
import { removal } from "./removals.ts";
import type { ResizeKind } from "./resizes.ts";
import type { StoreWorkKind } from "./store-side.ts";
import { demand, Violation } from "./violation.ts";
import type { VolumeHost } from "./volume-host.ts";
import { modes } from "./weather.ts";
import { World } from "./world.ts";

export const autoMove = "move of auto" as const;
export type CountedKind = FaultKind | MishapKind | ResizeKind | typeof removal | StoreWorkKind | typeof autoMove;

export interface Outcome {
  readonly seed: number;
  readonly simulatedMs: number;
  readonly requests: number;
  readonly records: number;
  readonly faults: ReadonlyMap<CountedKind, number>;
  /** Ended with a site that had stopped itself, as harmful weather allows. */
  readonly isStopped: boolean;
  /** Two runs of one seed have the same. */
  readonly digest: string;
  readonly trace: readonly string[];
}

/** What a failed run leaves to look at. */
export class FailedRun extends Error {
  override name = "FailedRun";
  readonly seed: number;
  readonly trace: readonly string[];

  constructor(seed: number, cause: Error, trace: readonly string[]) {
    super(`seed ${seed}: ${cause.message}`, { cause });
    this.seed = seed;
    this.trace = trace;
  }
}

/** Long enough for every timeout and every backoff to come round several times. */
const settleMs = 600_000;
/** Where a site may have stopped itself, nothing has to come together, and it is not waited for so long. */
const harmedSettleMs = 60_000;
const lookEveryMs = 500;

/** Promises that nobody waits for belong to the world that runs. */
let running: World | undefined;
process.on("unhandledRejection", (reason) => {
  if (running === undefined) throw reason;
  running.fail(reason instanceof Error ? reason : new Error(String(reason)));
});

export async function runSeed(seed: number): Promise<Outcome> {
  const world = new World(seed);
  running = world;
  try {
    return await play(world, seed);
  } catch (error) {
    throw new FailedRun(seed, error as Error, world.simulation.trace.lines);
  } finally {
    running = undefined;
  }
}

async function play(world: World, seed: number): Promise<Outcome> {
  const random = world.simulation.random.fork("scenario");
  world.startRemote();
  world.startSource();
  await world.pass(random.pick([0, 20, 2_000]));
  for (let step = 0; step < world.weather.steps; step++) await playStep(world, random);
  world.isHealed = true;
  world.faults.heal();
  world.mishaps.heal();
  const isStopped = (await settle(world)) || hasFoundDamage(world, () => demandEqual(world));
  if (!isStopped) {
    await world.store.finish();
    await readAllBack(world);
  }
  return {
    seed,
    simulatedMs: world.simulation.clock.nowMs,
    requests: world.volumes.reduce((sum, volume) => sum + volume.requestCount, 0),
    records: world.groups.reduce((sum, group) => sum + group.history.count, 0),
    faults: new Map<CountedKind, number>([
      [autoMove, world.groups.reduce((sum, group) => sum + group.history.autoMoves, 0)],
      ...world.faults.counts,
      ...world.mishaps.counts,
      ...world.resizes.counts,
      [removal, world.removals.count],
      ...world.store.counts,
    ]),
    isStopped,
    digest: world.simulation.trace.digest(),
    trace: world.simulation.trace.lines,
  };
}

async function playStep(world: World, random: SeededRandom): Promise<void> {
  for (const volume of world.volumes) if (random.chance(0.7)) volume.submitSome();
  demandBounds(world);
  await world.demandStored();
  if (world.weather.sealing !== undefined) readBack(world);
  world.mishaps.look();
  world.store.look();
  world.resizes.look();
  world.removals.look();
  if (random.chance(0.1)) unfence(world);
  if (random.chance(0.06)) switchMode(world, random);
  if (random.chance(0.06)) setMark(world, random);
  if (random.chance(0.25)) {
    // At any event, so also in the middle of a write, a sync, a recovery.
    await world.pass(random.pick([5, 500]), random.between(1, random.pick([5, 40, 200])));
    world.faults.inject();
  }
  await world.pass(random.pick([0.1, 0.5, 2, 2, 10, 10, 50, 400, 4_000]));
}

/** A reader beside everything else, now and then. */
function readBack(world: World): void {
  const random = world.readBackRandom;
  // What is sealed can be read as soon as the site has opened its store.
  if (!random.chance(0.05) || world.remote?.sealed === undefined) return;
  const group = random.pick(world.groups);
  const reading = random.chance(0.5)
    ? demandReadBack(world, group, random.integerBelow(101) / 100)
    : world.store.images.demandSome(group, random);
  reading.catch((error: Error) => world.fail(error));
}

/** All of it, and up to some places before. */
async function readAllBack(world: World): Promise<void> {
  if (world.weather.sealing === undefined) return;
  for (const group of world.groups) {
    for (const place of [world.readBackRandom.integerBelow(101) / 100, 1]) {
      await world.passUntil(demandReadBack(world, group, place));
    }
    await world.passUntil(world.store.images.demandSome(group, world.readBackRandom));
    await world.passUntil(world.store.images.demandNewest(group));
  }
}

function switchMode(world: World, random: SeededRandom): void {
  const { groups } = world.weather;
  const [{ name }, mode] = [random.pick(groups), random.pick(modes)];
  // Drawn apart: what else a seed has does not depend on it.
  const isAuto = world.weather.auto !== undefined && random.fork(`auto ${world.simulation.clock.nowMs}`).chance(0.5);
  if (isThere(world, name)) world.source?.setMode(name, isAuto ? "auto" : mode);
}

/** And can be asked for something. */
function isThere(world: World, name: string): boolean {
  const found = world.source?.groups().find((one) => one.name === name);
  return found !== undefined && found.why !== spoolIsMoving && found.why !== lacksRoomToBegin;
}

function setMark(world: World, random: SeededRandom): void {
  const group = random.pick(world.groups);
  const plan = world.weather.groups.find(({ id }) => id === group.id);
  const { source } = world;
  const withinMs = random.pick([1, 5_000]);
  if (!isThere(world, plan?.name ?? "")) return;
  const points = world.removals.others
    // One that somebody has written to is not what it was until its copy has begun, and nobody can be told of that.
    .filter((volume) => volume.group === group && !world.mishaps.isToBeCopied(volume))
    .map((volume) => {
      const point = volume.beginPoint();
      return (seq: number | undefined) => volume.endPoint(point, seq);
    });
  source?.mark(plan?.name ?? "", withinMs).then(
    ({ seq }) =>
      world.source === source &&
      world.guard(() => {
        group.markPlaced(seq, (volume) => world.removals.isNumberLeft(volume));
        for (const end of points) end(seq);
      }),
    () => {
      for (const end of points) end(undefined);
    },
  );
}

/** Answers whether a site has stopped itself instead, for a reason that this weather gives. */
async function settle(world: World): Promise<boolean> {
  let hasFlushed = false;
  const isExcused = world.weather.errors || world.weather.flips;
  const patienceMs = isExcused ? harmedSettleMs : settleMs;
  for (let passedMs = 0; passedMs < patienceMs; passedMs += lookEveryMs) {
    await world.pass(lookEveryMs);
    unfence(world);
    world.mishaps.orderCopies();
    world.resizes.goOn();
    world.removals.goOn();
    world.store.mend();
    const { others, isDone } = world.removals;
    if (
      !isDone ||
      !others.every((volume) => isOpen(world, volume)) ||
      others.some((volume) => volume.inFlightCount > 0)
    )
      continue;
    if (!hasFlushed) {
      for (const volume of others) volume.submitFlush();
      world.removals.wantMarks();
      hasFlushed = true;
    } else if (areMarksSet(world) && world.groups.every((group) => hasArrived(world, group))) {
      await world.demandStored();
      return false;
    }
  }
  demand("liveness", isExcused, () => `after all was healed, this stays: ${describe(world)}`);
  return true;
}

function areMarksSet(world: World): boolean {
  return world.removals.areMarksSet((volume) => isOpen(world, volume));
}

/** A person has looked. Where nothing was done to the disks, no volume is fenced. */
function unfence(world: World): void {
  const { errors, flips, fullDisks } = world.weather;
  for (const volume of world.source?.volumes().values() ?? []) {
    const { state, why } = volume.status();
    if (state !== "fenced") continue;
    demand("conduct", errors || flips || fullDisks, () => `${volume.name} is fenced: ${why}`);
    world.unfence(volume.name);
  }
}

function isOpen(world: World, volume: VolumeHost): boolean {
  const status = world.source?.volumes().get(volume.name)?.status();
  const isCopied = status?.copy === undefined && !world.mishaps.isToBeCopied(volume);
  return volume.isAttached && !world.resizes.isUnderWay(volume) && status?.state === "open" && isCopied;
}

function hasArrived(world: World, group: GroupOracle): boolean {
  const figures = world.source?.groups().find((one) => one.id === group.id);
  if (figures === undefined || figures.state !== "steady") return false;
  // With nothing left to ship one may come together with a site that is still being started.
  if (world.weather.sealing !== undefined && world.remote?.sealed === undefined) return false;
  const isStored = world.remoteDisks.store === undefined || figures.stored >= figures.lastSeq;
  return figures.lagRecords === 0 && isStored && world.journal.durableSeq(group.id) >= figures.lastSeq;
}

function describe(world: World): string {
  const volumes = world.volumes.map(
    ({ name, isAttached, inFlightCount }) => `${name} ${isAttached ? "open" : "not open"}, ${inFlightCount} in flight`,
  );
  const groups = world.source?.groups().map((figures) => JSON.stringify(figures)) ?? [];
  const failures = [world.sourceFailure, world.remoteFailure].map((error) => error?.stack ?? "");
  const statuses = [...(world.source?.volumes() ?? [])].map(
    ([name, volume]) => `${name} ${JSON.stringify(volume.status())}`,
  );
  return [...volumes, ...statuses, ...groups, ...failures].filter((line) => line !== "").join("; ");
}

/** Where bits were flipped in the remote's data, whoever reads it finds its sums wrong; else nobody may. */
function hasFoundDamage(world: World, compare: () => void): boolean {
  try {
    compare();
    return false;
  } catch (error) {
    const { invariant } = world.weather.flips && error instanceof Violation ? error : { invariant: undefined };
    if (invariant === "truth" || (invariant === "ahead" && hasLostBothEnds(world))) return true;
    throw error;
  }
}

/**
 * A spool is lost, and with it the remote's last records, in the seconds before it noted that they are durable: nobody is left who
 * could tell them from an end that was never promised. It takes two disks and a loss of power.
 */
function hasLostBothEnds(world: World): boolean {
  const groups = world.source?.groups() ?? [];
  return groups.some(({ id, epoch }) => epoch > lostEpochCount && world.journal.hasForgotten(id));
}

function demandEqual(world: World): void {
  world.weather.groups.forEach((plan, index) => {
    const group = world.groups[index] as GroupOracle;
    const { remoteDisks: disks } = world;
    const entries = world.journal.units(group.id);
    for (const { name, blockCount } of plan.volumes) {
      // Its source may lack what was on its way when it was removed.
      if (world.removals.isGone(name)) continue;
      const volume = world.volumes.find((one) => one.name === name) as (typeof world.volumes)[number];
      volume.demandContent();
      const replayed = replay(disks, group.id, group.history, entries, { volume: volume.model.volume, blockCount });
      const source = Buffer.alloc(blockCount * blockBytes);
      world.sourceHost.disk.fileAt(`/${name}/source`).current.read(source, 0, source.length, 0);
      const block = firstDifference(source, replayed);
      demand("ahead", block === undefined, () => `block ${block} of ${name} is not what the journal replays`);
    }
  });
}

function firstDifference(one: Buffer, other: Buffer): number | undefined {
  if (one.equals(other)) return undefined;
  for (let at = 0; ; at += blockBytes) {
    if (!one.subarray(at, at + blockBytes).equals(other.subarray(at, at + blockBytes))) return at / blockBytes;
  }
}
