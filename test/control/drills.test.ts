import { expect, test } from "vitest";
import { type DrillNote, drillReport, drillTroubles } from "#src/control/drill.ts";
import { DrillBook } from "#src/control/drill-book.ts";
import { DrillSchedule } from "#src/control/drill-schedule.ts";
import { lastDrills } from "#src/control/metrics/last-works.ts";
import type { VolumesOfGroup } from "#src/control/volume-of-group.ts";
import { drillAgainMs, viewLeaseMs } from "#src/core/view-limits.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import { ViewsWorld, viewGroup } from "./views-world.ts";

const note: Omit<DrillNote, "view"> = { outcome: "proven", command: "check", durationMs: 1500 };
const order = { command: "check", everyMs: 3_600_000, withinMs: 1000 };

function named(number: number) {
  return { number, id: String(number), name: "disk", sizeBytes: 4096 };
}

async function scheduled(run: (uri: string) => Promise<void>, groups?: readonly VolumesOfGroup[]) {
  const world = new ViewsWorld(1);
  world.groups = groups;
  const views = world.start();
  const book = world.drills;
  const schedule = new DrillSchedule({
    machine: world.host,
    order,
    book,
    views,
    groups: () => groups ?? [{ id: viewGroup, name: "g", durable: 9, volumes: world.volumes }],
    run: async (_, variables) => run(variables.TIDEMARK_URI as string),
  });
  return { world, book, schedule };
}

test("what came of a drill is kept with its point, and is there after a loss of power", async () => {
  const world = new ViewsWorld(2);
  const views = world.start();
  await world.waited(views.open({ volume: "disk", point: "seq:5", isWritable: true, name: "mine" }));
  await world.waited(views.note({ ...note, view: "mine" }, "operator"));
  const failed = { ...note, view: "mine", outcome: "failed", why: "it ended with status 1" } as const;
  await world.waited(views.note(failed, "operator"));
  world.host.cutPower();
  const found = DrillBook.open(world.host, "/drills.json");
  expect(found.all).toMatchObject([
    { id: 1, volumeName: "disk", seq: 5, timeMicros: 5, outcome: "proven", command: "check", durationMs: 1500 },
    { id: 2, seq: 5, outcome: "failed", why: "it ended with status 1", by: "operator" },
  ]);
  expect(found.last.map(({ id }) => id)).toEqual([2]);
  const said = "the last drill of volume disk has failed at seq:5: it ended with status 1";
  expect(drillTroubles(found.last)).toEqual([said]);
});

test("each volume is drilled when it is due, on a view that is gone afterwards", async () => {
  const uris: string[] = [];
  const { world, book, schedule } = await scheduled(async (uri) => void uris.push(uri));
  schedule.start();
  await world.driver.until(() => book.all.length === 1);
  await world.driver.until(() => world.pins.size === 0);
  expect(uris).toEqual(["nbd+unix:///disk-9?socket=/v"]);
  world.simulation.clock.advance(order.everyMs / 2);
  await world.driver.until(() => book.all.length === 2);
  expect(book.all.map(({ outcome, by }) => [outcome, by])).toEqual([
    ["proven", "schedule"],
    ["proven", "schedule"],
  ]);
  const [first, second] = book.all;
  expect((second?.startedMs ?? 0) - (first?.startedMs ?? 0)).toBeGreaterThanOrEqual(order.everyMs);
  await world.waited(schedule.stop());
});

test("each of the volumes that had one name is drilled by itself, also where groups have one name", async () => {
  const { world, book, schedule } = await scheduled(async () => {}, [
    { id: viewGroup, name: "g", durable: 9, volumes: [named(1), named(2)] },
    { id: "e".repeat(32), name: "g", durable: 9, volumes: [named(1)] },
  ]);
  schedule.start();
  await world.driver.until(() => book.all.length === 3);
  expect(book.all.map(({ group, volume }) => `${group[0]} ${volume}`)).toEqual(["d 1", "d 2", "e 1"]);
  await world.waited(schedule.stop());
});

test("behind a clock that had jumped ahead drills go on when they are due, and not in that future", async () => {
  const { world, book, schedule } = await scheduled(async () => {});
  const yearMs = 8760 * order.everyMs;
  world.host.clock.jumpWall(yearMs);
  schedule.start();
  await world.driver.until(() => book.all.length === 1);
  world.host.clock.jumpWall(-yearMs);
  const backMs = world.host.clock.monotonicMs();
  await world.driver.until(() => book.all.length === 2);
  const waitedMs = world.host.clock.monotonicMs() - backMs;
  expect([waitedMs >= order.everyMs, waitedMs < 2 * order.everyMs]).toEqual([true, true]);
  await world.waited(schedule.stop());
});

test("a drill that cannot begin is tried again before its next turn", async () => {
  const { world, book, schedule } = await scheduled(async () => {});
  world.failing.add("resolve");
  schedule.start();
  await world.driver.until(() => world.done.includes("resolve fails"));
  world.failing.clear();
  const beganMs = world.host.clock.wallMs();
  await world.driver.until(() => book.all.length === 1);
  const waitedMs = (book.all[0]?.startedMs ?? 0) - beganMs;
  expect([waitedMs >= drillAgainMs, waitedMs < order.everyMs]).toEqual([true, true]);
  await world.waited(schedule.stop());
});

test("where nobody can tell which point is the newest the drill has failed, and says why", async () => {
  const { world, book, schedule } = await scheduled(async () => {});
  world.newestLost = "records 8 to 9 are damaged";
  schedule.start();
  await world.driver.until(() => book.all.length === 1);
  const why = "records 8 to 9 are damaged";
  expect(book.all).toMatchObject([{ outcome: "failed", by: "schedule", command: "check", volumeName: "disk", why }]);
  expect(drillTroubles(book.last)).toEqual([`the last drill of volume disk has failed: ${why}`]);
  expect(lastDrills(book.last)).toMatchObject([{ volume: "disk", group: "g", isProven: false }]);
  const [told] = book.all.map((drill) => drillReport(drill, false));
  expect([told?.why, told?.seq, told?.time, told?.point]).toEqual([why, undefined, undefined, undefined]);
  // It has had its turn: the next one comes when that is due.
  world.newestLost = undefined;
  await world.driver.until(() => book.all.length === 2);
  const [failed, proven] = book.all;
  expect(proven?.outcome).toBe("proven");
  expect((proven?.startedMs ?? 0) - (failed?.startedMs ?? 0)).toBeGreaterThanOrEqual(order.everyMs);
  await world.waited(schedule.stop());
});

test("who drills by hand has a refusal noted where something is lost, and nowhere else", async () => {
  const world = new ViewsWorld(3);
  const { points } = world.start();
  const drill = { volume: "disk", point: "now", command: "check" };
  await expect(world.waited(points.noteRefused(drill))).rejects.toThrow(
    "now is there: a drill of it opens it as a view",
  );
  await expect(world.waited(points.noteRefused({ ...drill, point: "seq:12" }))).rejects.toThrow("no record 12 yet");
  expect(world.drills.all).toEqual([]);
  world.newestLost = "records 8 to 9 are damaged";
  await world.waited(points.noteRefused(drill));
  expect(world.drills.all).toMatchObject([{ outcome: "failed", by: "operator", command: "check", volume: 1 }]);
});

test("a volume that has no point yet is drilled from its first one on, and its waiting is said once", async () => {
  const { world, book, schedule } = await scheduled(async () => {});
  const lines: string[] = [];
  world.host.logListeners.push((line) => lines.push(line));
  world.newestSeq = 0;
  expect(schedule.waiting).toEqual([]);
  schedule.start();
  await world.driver.until(() => world.done.filter((step) => step === "resolve").length === 3);
  await promisesSettled();
  expect(schedule.waiting).toEqual([{ volume: "disk", group: "g", why: "nothing is durable here yet" }]);
  expect(lines).toEqual([expect.stringMatching(/INFO.*begin with its first point.*disk/)]);
  world.newestSeq = 9;
  await world.driver.until(() => book.all.length === 1);
  await world.waited(schedule.stop());
  expect(schedule.waiting).toEqual([]);
});

test("a drill that fails is noted with why, and one that the program's end cuts off is not", async () => {
  const { world, book, schedule } = await scheduled(async () => {
    throw new Error("'check' has failed: it ended with status 3");
  });
  schedule.start();
  await world.driver.until(() => book.all.length === 1);
  expect(book.all).toMatchObject([{ outcome: "failed", why: "'check' has failed: it ended with status 3" }]);
  await world.waited(schedule.stop());
  let isRunning = false;
  const cut = await scheduled(() => {
    isRunning = true;
    return new Promise((_, reject) => {
      cut.world.host.clock.timer(60_000, () => reject(new Error("interrupted")));
    });
  });
  cut.schedule.start();
  await cut.world.driver.until(() => isRunning);
  await cut.world.waited(cut.schedule.stop());
  expect([cut.book.all, cut.world.pins.size]).toEqual([[], 0]);
});

test("a drill that takes long keeps its view, and one that was killed with the program leaves none for ever", async () => {
  let isRunning = false;
  const slow = await scheduled(
    () =>
      new Promise((resolve) => {
        isRunning = true;
        slow.world.host.clock.timer(5 * viewLeaseMs, resolve);
      }),
  );
  slow.schedule.start();
  await slow.world.driver.until(() => isRunning);
  slow.world.simulation.clock.advance(4 * viewLeaseMs);
  await promisesSettled();
  expect(slow.world.open.size).toBe(1);
  await slow.world.driver.until(() => slow.book.all.length === 1);
  expect(slow.book.all).toMatchObject([{ outcome: "proven" }]);
  isRunning = false;
  const cut = await scheduled(() => {
    isRunning = true;
    return new Promise(() => {});
  });
  cut.schedule.start();
  await cut.world.driver.until(() => isRunning);
  cut.world.host.cutPower();
  cut.world.start();
  await cut.world.driver.until(() => cut.world.open.size === 1);
  await cut.world.driver.until(() => cut.world.pins.size === 0);
  expect([cut.world.open.size, cut.world.shelf.all.length]).toEqual([0, 0]);
});

test("a drill whose view somebody closes, or that cannot be noted, keeps no other from its turn", async () => {
  let count = 0;
  const { world, book, schedule } = await scheduled(async () => {
    count++;
    if (count === 1) await world.views.close("disk-9", "discarded");
    if (count === 2) world.host.disk.failNext("write", "ENOSPC");
  });
  schedule.start();
  await world.driver.until(() => book.all.length === 1);
  expect([count, book.all[0]?.outcome]).toEqual([3, "proven"]);
  await world.waited(schedule.stop());
});

test("a view that somebody puts away while a drill goes on is not thrown away behind that", async () => {
  const { world, book, schedule } = await scheduled(() => world.views.close("disk-9", "kept"));
  schedule.start();
  await world.driver.until(() => book.all.length === 1);
  await world.waited(schedule.stop());
  expect(world.shelf.all).toMatchObject([{ name: "disk-9", isPutAway: true }]);
});
