/**
 * The process that keeps the store dies where a snapshot, or a piece that was folded, is written and has no name yet, where it has
 * one and nobody knows, and between two removals: alone, again and again, or with all of the program. Nothing half is listed then,
 * every point that there was opens and holds what it held, and the work goes on.
 */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import type { MadeSnapshot, SnapshotFacts } from "#src/control/snapshot-facts.ts";
import type { PointsReport } from "#src/control/volume-history.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { OverwrittenVolume, writesPerRound } from "#test/cli/overwritten-volume.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { isWhole, someOf } from "#test/long-share.ts";
import { whenSeen } from "#test/patience.ts";

needPrograms("setpriv");

const rounds = 3;
const seqStep = 23;
/** For as long as the test can take: whoever stands there is killed. */
const standsMs = 600_000;
const kept = ["store.retention.keepSeconds=off", "store.collect.everySeconds=off", "store.snapshots.everySeconds=off"];
const folding = [...kept, "store.retention.levels=1s 1s", "store.snapshots.everyRecords=off"];

type End = "alone" | "with all";

function faultAt(place: string, end: End): string {
  const ordered = end === "alone" ? "kill" : `delay:${standsMs}`;
  return `faults=${place}=${ordered}${place.endsWith("removal") ? "@2" : ""}`;
}

/** Of the store's objects, below their folder; also such as are not published yet. */
function objectsOf({ objectsPath }: OverwrittenVolume): string[] {
  return readdirSync(objectsPath, { recursive: true, encoding: "utf8" });
}

/** What was sealed just then is no part of it. */
const isHalf = (path: string): boolean =>
  path.endsWith(unpublishedEnding) && /^(?:snapshots\/|pieces\/\w+\/\d+-)/.test(path);
const isFolded = (path: string): boolean => /^pieces\/\w+\/\d+-\d+\.\d+$/.test(path);
const isSnapshot = (path: string): boolean => /^snapshots\/\w+\/\d+\.0000$/.test(path);

/** Resolves when the process has died there; `isThere`: it stands there, and is killed with all others. */
async function whenDead(world: OverwrittenVolume, end: End, isThere: (path: string) => boolean): Promise<void> {
  if (end === "alone") {
    const words = "the process that keeps the store has ended";
    await whenSeen(() => expect(world.up.program.stderr).toContain(words));
    return;
  }
  await whenSeen(() => expect(objectsOf(world).some(isThere)).toBe(true));
  const childIds = world.childIds();
  // Whoever stands there has the program's standard error open, and would for long.
  const isOver = world.up.program.kill();
  for (const id of childIds) process.kill(id, "SIGKILL");
  await isOver;
}

async function markedRounds(world: OverwrittenVolume): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    await world.round();
    await world.up.asked("mark", "disk", "--name", `round-${round}`);
  }
}

/** Marks hold what they held, and other points what some of the writes between two marks have made. */
async function checkPoints(world: OverwrittenVolume): Promise<PointsReport> {
  const report = (await world.up.got("/api/v1/volumes/disk/points")).body as PointsReport;
  expect(report.damaged).toEqual([]);
  const marks = report.marks.filter(({ name }) => name.startsWith("round-"));
  expect(marks.map(({ name, point }) => [name, point])).toEqual(
    Array.from({ length: rounds }, (_, index) => [`round-${index + 1}`, true]),
  );
  // Before the first mark there may be no point left that a record stands for.
  let fromSeq = Number.POSITIVE_INFINITY;
  let before = writesPerRound;
  for (const [index, { name, seq: markSeq }] of marks.entries()) {
    const atMark = (index + 1) * writesPerRound;
    expect(await world.checkView(`mark:${name}`)).toBe(atMark);
    for (let seq = fromSeq; seq < markSeq; seq += seqStep) {
      const count = await world.checkView(`seq:${seq}`);
      expect(count).toBeGreaterThanOrEqual(before);
      expect(count).toBeLessThanOrEqual(atMark);
      before = count;
    }
    fromSeq = markSeq + 1;
  }
  return report;
}

async function expectSound({ up }: OverwrittenVolume): Promise<void> {
  for (const line of [["verify", "store"], ["scrub"]]) {
    expect(((await up.asked(...line)) as JobReport).result).toMatchObject({ isSound: true, lines: [] });
  }
}

/** Each is whole: it can be read to its end, and opened. */
async function listedSnapshots(world: OverwrittenVolume): Promise<readonly SnapshotFacts[]> {
  const { up } = world;
  const { snapshots } = (await up.asked("snapshot", "ls", "disk")) as { readonly snapshots: readonly SnapshotFacts[] };
  for (const { seq, damage } of snapshots) {
    expect(damage).toBeUndefined();
    await up.asked("snapshot", "inspect", "disk", String(seq));
    await world.checkView(`snap:${seq}`);
  }
  return snapshots;
}

test.each(
  someOf([
    ["before", "alone"],
    ["after", "alone"],
    ["before", "with all"],
    ["after", "with all"],
  ] as const),
)(
  "faults 7 and 9: a snapshot, killed %s it has its name (%s), is there whole or not at all, and made when asked for again",
  async (moment, end) => {
    const world = new OverwrittenVolume();
    const place = `store.${moment}-snapshot`;
    await world.start(...kept, "store.snapshots.everyRecords=off", faultAt(place, end));
    await markedRounds(world);
    const line = ["snapshot", "create", "disk@mark:round-2"];
    const asked = world.up.typed(...line);
    await whenDead(world, end, moment === "before" ? isHalf : isSnapshot);
    expect((await asked).exitCode).not.toBe(0);
    const listed = moment === "before" ? 0 : 1;
    if (end === "alone") {
      expect(await listedSnapshots(world)).toHaveLength(listed);
      expect(objectsOf(world).filter(isHalf)).toEqual([]);
      await checkPoints(world);
      await world.up.program.kill();
    }
    await world.start(...kept, "store.snapshots.everyRecords=off");
    expect(await listedSnapshots(world)).toHaveLength(listed);
    expect(objectsOf(world).filter(isHalf)).toEqual([]);
    const made = (await world.up.asked(...line)) as MadeSnapshot;
    expect(made).toMatchObject({ isNew: moment === "before", isAsked: true, point: true });
    expect(await world.checkView(`snap:${made.seq}`)).toBe(2 * writesPerRound);
    await checkPoints(world);
    await expectSound(world);
    await world.up.program.stop();
  },
);

test.each(isWhole ? ["before", "after"] : [])(
  "faults 7 and 9: while each snapshot that is due is killed %s it has its name, sealing goes on, and later they are made",
  async (moment) => {
    const world = new OverwrittenVolume();
    const settings = [...kept, `store.snapshots.everyRecords=${writesPerRound}`];
    await world.start(...settings, faultAt(`store.${moment}-snapshot`, "alone"));
    await markedRounds(world);
    await whenDead(world, "alone", isSnapshot);
    await world.up.program.kill();
    const before = objectsOf(world).filter(isSnapshot);
    if (moment === "before") expect(before).toEqual([]);
    else expect(before).not.toEqual([]);
    await world.start(...settings);
    await world.round();
    await whenSeen(() => expect(objectsOf(world).filter(isSnapshot).length).toBeGreaterThan(before.length));
    expect((await listedSnapshots(world)).length).toBeGreaterThan(before.length);
    await checkPoints(world);
    await expectSound(world);
    await world.up.program.stop();
  },
);

/** What a folded piece took the place of, and is still there. */
function replacedIn(paths: readonly string[]): string[] {
  const seqs = (path: string): number[] => [...path.slice(path.lastIndexOf("/")).matchAll(/\d{16}/g)].map(Number);
  const folded = paths.filter(isFolded).map(seqs);
  const plain = paths.filter((path) => /^pieces\/\w+\/\d+$/.test(path));
  return plain.filter((path) => folded.some(([first = 0, last = 0]) => between(seqs(path)[0] ?? 0, first, last)));
}

const between = (seq: number, first: number, last: number): boolean => first <= seq && seq <= last;

test.each(
  someOf([
    ["before-fold", "alone"],
    ["after-fold", "alone"],
    ["before-removal", "alone"],
    ["before-fold", "with all"],
    ["after-fold", "with all"],
  ] as const),
)(
  "faults 7 and 9: ageing, killed %s (%s), leaves the old points or the folded ones, and goes on",
  async (place, end) => {
    const world = new OverwrittenVolume();
    // What was folded goes with the next run.
    const isRemoval = place === "before-removal";
    await world.start(...folding, ...(isRemoval ? [] : [faultAt(`store.${place}`, end)]));
    await markedRounds(world);
    if (isRemoval) {
      await whenSeen(async () => {
        const { result } = (await world.up.asked("collect", "--dry-run")) as JobReport;
        expect(result?.lines).toContainEqual(expect.stringMatching(/: \d+ pieces of the records /));
      });
      expect(((await world.up.asked("collect")) as JobReport).result?.figures.foldedPieces).toBeGreaterThan(1);
      await world.up.program.stop();
      await world.start(...folding, faultAt(`store.${place}`, end));
    }
    const { id } = (await world.up.asked("collect", "--no-wait")) as JobReport;
    await whenDead(world, end, place === "before-fold" ? isHalf : isFolded);
    if (end === "alone") {
      await whenSeen(async () => {
        const job = (await world.up.got(`/api/v1/jobs/${id}`)).body as JobReport;
        expect([job.state, job.why]).toEqual(["waiting", expect.stringContaining("SIGKILL")]);
      });
      // Nobody tries it again, and dies, while it is looked at what there is.
      await world.up.asked("job", "cancel", String(id));
      const { ranges } = await checkPoints(world);
      expect(ranges.some(({ granularity }) => granularity === "1s")).toBe(place !== "before-fold");
      const paths = objectsOf(world);
      expect(paths.filter(isHalf)).toEqual([]);
      expect(paths.some(isFolded)).toBe(place !== "before-fold");
      // In the middle of them.
      if (isRemoval) expect(replacedIn(paths)).not.toEqual([]);
      await world.up.program.kill();
    }
    await world.start(...folding);
    // What was under way when all ended goes on by itself.
    const goesOn = end === "alone" ? ((await world.up.asked("collect", "--no-wait")) as JobReport).id : id;
    expect(await world.job(goesOn)).toMatchObject({ state: "done", result: { isSound: true } });
    expect((await checkPoints(world)).ranges.some(({ granularity }) => granularity === "1s")).toBe(true);
    const replaced = replacedIn(objectsOf(world));
    expect(((await world.up.asked("collect")) as JobReport).result?.isSound).toBe(true);
    const left = new Set(objectsOf(world));
    expect(left.values().some(isFolded)).toBe(true);
    expect(replaced.filter((path) => left.has(path))).toEqual([]);
    expect([...left].filter(isHalf)).toEqual([]);
    await checkPoints(world);
    await expectSound(world);
    await world.up.program.stop();
  },
);
