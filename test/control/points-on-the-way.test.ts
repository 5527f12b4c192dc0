/** Who asks for what was promised and is on its way gets it, or hears why not: over the control plane, and of the command. */
import { expect, test } from "vitest";
import { notConnectedYet } from "#src/appliance/local/remote-knowledge.ts";
import { whyNotThere } from "#src/cli/mark-arrival.ts";
import { PointsOnTheWay } from "#src/control/points-on-the-way.ts";
import type { GroupFacts } from "#src/control/role.ts";
import { RetryError } from "#src/core/errors.ts";
import { marksOnTheWayMax, pointArrivalMs } from "#src/core/point-limits.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./http/api-driver.ts";
import { group, ScriptedSide, viewFacts } from "./http/scripted-side.ts";
import { measuredRemoteGroup } from "./metrics/measured-program.ts";

/** Its mark has the seq 7. */
const marking = { name: "m", isQuiesced: false, deadlineMs: Number.POSITIVE_INFINITY };
const behind: GroupFacts = { ...group, volumeNames: ["disk"], received: 6, durable: 6, stored: 6, lagSeconds: 2 };

function begun(facts: GroupFacts = behind) {
  const side = new ScriptedSide();
  side.groups = [facts];
  const driver = apiDriver(side.simulation.clock);
  const done = <Result>(promise: Promise<Result>) => driven(driver, promise);
  const asked = () => side.asked.map((one) => Object.keys(one as object)[0]).filter((word) => word !== "mark");
  const { clock } = side.host;
  const arriveAfter = (ms: number) =>
    clock.timer(ms, () => {
      side.groups = [{ ...facts, received: 7, durable: 7 }];
    });
  return { side, clock, control: side.control, keeper: side.keeper, done, asked, arriveAfter };
}

const open = (point: string, more = {}) => ({ volume: "disk", point, isWritable: false, ...more });

test("a mark that was just set is waited for, whatever is asked of it, until the remote appliance has it", async () => {
  const { control, clock, done, asked, arriveAfter } = begun();
  await done(control.mark("g", marking));
  const asks = [
    () => control.views.open(open("mark:m")),
    () => control.views.open(open("now", { since: ["then=mark:m"] })),
    () => control.views.point({ volume: "g/disk", point: "mark:m", isNearest: false }),
    () => control.snapshots.make({ volume: "disk", point: "mark:m", waitMs: 0 }),
    () => control.restores.difference({ volume: "disk", first: "now", second: "mark:m", fromByte: 0 }),
    () =>
      control.restores.add({ volume: "disk", point: "mark:m", target: "/t", mayOverwrite: false, isVerified: true }),
  ];
  const under = asks.map((ask) => ask());
  arriveAfter(700);
  const beganMs = clock.monotonicMs();
  await done(Promise.race(under));
  expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(700);
  await done(Promise.all(under));
  expect(asked().toSorted()).toEqual(["addRestore", "difference", "makeSnapshot", "openView", "openView", "point"]);
});

test("a link that is just being made is waited for like what comes over it", async () => {
  const { control, clock, done, arriveAfter } = begun({ ...behind, linkUp: false, linkWhy: notConnectedYet });
  arriveAfter(300);
  const beganMs = clock.monotonicMs();
  expect(await done(control.views.open(open("seq:7")))).toEqual(viewFacts);
  expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(300);
});

test("a record that was acknowledged and is on its way is waited for, and one that is yet to be given is not", async () => {
  const { control, clock, done, arriveAfter } = begun();
  arriveAfter(300);
  const beganMs = clock.monotonicMs();
  expect(await done(control.views.open(open("seq:7")))).toEqual(viewFacts);
  expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(300);
  const laterMs = clock.monotonicMs();
  for (const point of ["seq:10", "seq:3", "mark:other", "now"]) await done(control.views.open(open(point)));
  expect(clock.monotonicMs() - laterMs).toBeLessThan(300);
});

test("a volume that was just added is waited for, whatever is asked of it, and never taken for an earlier one of its name", async () => {
  const { side, control, keeper, clock, done, asked } = begun();
  await done(keeper.add({ name: "disk", source: "/s", group: "g" }));
  const told = (id: string) => [{ ...measuredRemoteGroup, volumes: [{ number: 1, id, name: "disk", sizeBytes: 1 }] }];
  side.remoteGroups = told("0".repeat(32));
  side.asked.length = 0;
  const wish = { volume: "disk" };
  const under = [
    control.views.open(open("now")),
    control.views.point({ ...wish, point: "now", isNearest: true }),
    control.views.history({ ...wish, volume: "g/disk" }),
    control.views.density({ ...wish, from: "-5m", bucketCount: 1 }),
    control.snapshots.all("disk"),
    control.snapshots.make({ ...wish, waitMs: 0 }),
    control.restores.difference({ ...wish, first: "now", second: "now", fromByte: 0 }),
  ];
  clock.timer(700, () => {
    side.remoteGroups = told(keeper.find("disk")?.id as string);
  });
  const beganMs = clock.monotonicMs();
  await done(Promise.race(under));
  expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(700);
  await done(Promise.all(under));
  expect(asked()).toHaveLength(under.length);
  const laterMs = clock.monotonicMs();
  await done(control.views.open(open("now")));
  expect(clock.monotonicMs() - laterMs).toBeLessThan(pointArrivalMs / 2);
});

test("of a volume that was just added while the link is down that is said, and not that it is unknown", async () => {
  const { side, control, keeper, done, asked } = begun({ ...behind, linkUp: false, linkWhy: "nothing listens there" });
  await done(keeper.add({ name: "disk", source: "/s", group: "g" }));
  side.asked.length = 0;
  await expect(done(control.views.open(open("now")))).rejects.toThrow(
    "volume 'disk': it is on its way to the remote appliance, and the link is down (nothing listens there)",
  );
  // A remote appliance that has all of the group says by itself what it has.
  side.groups = [{ ...behind, linkUp: false, durable: 9 }];
  await done(control.views.open(open("now")));
  expect(asked()).toEqual(["openView"]);
});

test("a remote side that has told nothing yet is asked itself, and nobody says for it that a volume is on its way", async () => {
  const { side, control, keeper, done, asked } = begun({ ...behind, linkUp: false });
  await done(keeper.add({ name: "disk", source: "/s", group: "g" }));
  side.asked.length = 0;
  side.remoteHeld = new Promise<never>(() => {});
  await done(control.views.open(open("now")));
  expect(asked()).toEqual(["openView"]);
});

test("of a mark that is on its way while the link is down that is said, at once", async () => {
  const { side, control, clock, done, asked } = begun({ ...behind, linkUp: false, linkWhy: "nothing listens there" });
  await done(control.mark("g", marking));
  const beganMs = clock.monotonicMs();
  const refused = expect(done(control.views.open(open("mark:m")))).rejects;
  await refused.toThrow(
    new RetryError(
      "volume 'disk': mark:m is on its way to the remote appliance, and the link is down (nothing listens there): it is there " +
        "when the link is back",
    ),
  );
  expect(clock.monotonicMs() - beganMs).toBeLessThan(pointArrivalMs / 2);
  expect(asked()).toEqual([]);
  // Whoever is content with what is before it gets that.
  await done(control.views.point({ volume: "disk", point: "mark:m", isNearest: true }));
  side.groups = [{ ...behind, durable: 9 }];
  await done(control.views.open(open("mark:m")));
  expect(asked()).toEqual(["point", "openView"]);
});

test("a history up to a record that is on its way is told as far as it is there, and up to such a mark it is waited for", async () => {
  const { control, done, asked } = begun({ ...behind, linkUp: false });
  await done(control.views.history({ volume: "disk", from: "seq:2", to: "seq:7" }));
  await done(control.views.density({ volume: "disk", from: "-5m", to: "seq:7", bucketCount: 1 }));
  expect(asked()).toEqual(["history", "density"]);
  await done(control.mark("g", marking));
  const upTo = control.views.history({ volume: "disk", to: "mark:m" });
  await expect(done(upTo)).rejects.toThrow("mark:m is on its way");
});

test("a mark of before the start that has not arrived is waited for too, and none that the remote appliance tells of", async () => {
  const { side, control, clock, done, arriveAfter } = begun();
  side.marksOnTheWay = [{ group: "g", name: "m", seq: 7 }];
  arriveAfter(700);
  const beganMs = clock.monotonicMs();
  expect(await done(control.views.open(open("mark:m")))).toEqual(viewFacts);
  expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(700);
  // The local appliance does not know yet what has arrived.
  side.groups = [{ ...behind, durable: 0, linkUp: false, linkWhy: "nothing listens there" }];
  await done(control.status());
  await expect(done(control.views.open(open("mark:m")))).rejects.toThrow("mark:m is on its way");
  side.remoteGroups = [{ ...measuredRemoteGroup, id: group.id, durable: 7 }];
  await done(control.status());
  expect(await done(control.views.open(open("mark:m")))).toEqual(viewFacts);
});

test("a link that is slow is waited for as long as was said, and then how much is before the mark", async () => {
  const { control, clock, done } = begun({ ...behind, durable: 2 });
  await done(control.mark("g", marking));
  const beganMs = clock.monotonicMs();
  await expect(done(control.views.open(open("mark:m")))).rejects.toThrow(
    "which lacks 5 records up to it (a lag of 2 s): give the link time, 'tidemark status' shows how far it is",
  );
  expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(pointArrivalMs);
});

test("of too many marks the oldest are not kept in mind, and of other volumes nothing is known here", async () => {
  const groups = [{ ...behind, linkUp: false }];
  const onTheWay = new PointsOnTheWay({
    groups: async () => groups,
    marksFound: () => [],
    newVolumes: () => [],
    hasRemoteTold: () => true,
    clock: begun().clock,
  });
  for (let count = 0; count < marksOnTheWayMax; count++) onTheWay.promised({ group: "g", name: `n${count}`, seq: 8 });
  await expect(onTheWay.arrived("disk", ["mark:n0"])).rejects.toThrow("mark:n0 is on its way");
  onTheWay.promised({ group: "g", name: "last", seq: 8 });
  await onTheWay.arrived("disk", ["mark:n0"]);
  await expect(onTheWay.arrived("disk", ["mark:last"])).rejects.toThrow("mark:last is on its way");
  await onTheWay.arrived("elsewhere", ["mark:last"]);
});

test("the command that set a mark waits for it too, and says why it is not there if it is not", async () => {
  const { side, clock, done, arriveAfter } = begun();
  const mark = { group: "g", name: "m", seq: 7 };
  const why = (ask: () => unknown) => done(whyNotThere({ ask: async () => ask() }, mark, clock));
  arriveAfter(300);
  expect(await why(() => ({ groups: side.groups }))).toBeUndefined();
  expect(await why(() => ({ groups: [{ ...behind, linkUp: false }] }))).toBe(
    "mark:m is on its way to the remote appliance, and the link is down: it is there when the link is back",
  );
  expect(await why(() => ({ groups: [behind] }))).toContain("which lacks 1 record up to it");
  const unknown = "whether mark:m is at the remote appliance is not known: ";
  expect(await why(() => ({ groups: [] }))).toBe(`${unknown}its group is gone`);
  const gone = () => {
    throw new Error("no answer");
  };
  expect(await why(gone)).toBe(`${unknown}no answer`);
});
