import { expect, test } from "vitest";
import type { ViewRequest } from "#src/control/view.ts";
import type { ViewClosing } from "#src/control/view-closing.ts";
import { viewLeaseMs } from "#src/core/view-limits.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import { ViewsWorld } from "./views-world.ts";

const request: ViewRequest = { volume: "disk", point: "now", isWritable: true };

test("a view is pinned, noted and opened in this order, and let go of in the opposite one", async () => {
  const world = new ViewsWorld(1);
  const views = world.start();
  const view = await world.waited(views.open({ ...request, name: "mine" }));
  expect(view).toMatchObject({ name: "mine", volume: "disk", seq: 9, state: "open", writable: true });
  expect(world.done).toEqual(["resolve", "pin", "listen", "open"]);
  const [pin] = world.pins.values();
  expect(pin).toMatchObject({ seq: 9, keeps: "history", reason: "view mine of disk" });
  await world.waited(views.close("mine", "discarded"));
  expect(world.done.slice(4)).toEqual(["close", "unpin"]);
  expect([world.pins.size, (await world.waited(views.all())).length]).toEqual([0, 0]);
});

test("several views of one point have names of their own, and no name is given twice", async () => {
  const world = new ViewsWorld(2);
  const views = world.start();
  const names: string[] = [];
  for (let count = 0; count < 3; count++) names.push((await world.waited(views.open(request))).name);
  expect(names).toEqual(["disk-9", "disk-9-2", "disk-9-3"]);
  await expect(world.waited(views.open({ ...request, name: "disk-9" }))).rejects.toThrow("already");
  await expect(world.waited(views.open({ ...request, name: "no/name" }))).rejects.toThrow("letters");
});

test("what is no point is refused with the nearest ones, and leaves nothing behind", async () => {
  const world = new ViewsWorld(3);
  const views = world.start();
  const none = /there is no record 12 yet; the nearest points are before it seq:9 \([^)]*\)/;
  const late = { ...request, point: "seq:12" };
  await expect(world.waited(views.open(late))).rejects.toThrow(new RegExp(`${none.source}$`));
  // Then somebody who has just set a mark may wait for long.
  world.peer = undefined;
  const cutOff = "; its local appliance is not connected, and what that has beyond this comes when the link is back";
  await expect(world.waited(views.open(late))).rejects.toThrow(new RegExp(`${none.source}${cutOff}$`));
  await expect(world.waited(views.open({ ...request, volume: "disc" }))).rejects.toThrow("did you mean 'disk'?");
  expect([world.pins.size, world.shelf.all.length]).toEqual([0, 0]);
});

test("of a mark it is told that there may be a later one of its name, while nobody is connected who would know", async () => {
  const world = new ViewsWorld(4);
  const views = world.start();
  const noteOf = async (point: string) => (await world.waited(views.resolve("disk", point))).note;
  expect(await noteOf("mark:5")).toBeUndefined();
  world.peer = undefined;
  expect(await noteOf("mark:5")).toContain("may have set a later mark of that name");
  expect(await noteOf("seq:5")).toBeUndefined();
});

test("who is content with the point before what was asked for is told of what may be lost between the two", async () => {
  const world = new ViewsWorld(6);
  const views = world.start();
  const nearest = { volume: "disk", point: "seq:12", isWritable: false, isNearest: true };
  const opened = await world.waited(views.open(nearest));
  world.skipped = "records 10 to 11 are damaged: pieces/x";
  const other = await world.waited(views.open(nearest));
  expect([opened.seq, opened.note, other.seq]).toEqual([9, undefined, 9]);
  expect(other.note).toBe(
    "there may have been later points before what was asked for: records 10 to 11 are damaged: pieces/x",
  );
});

test("what else is to be said of a point is told when it is opened", async () => {
  const world = new ViewsWorld(5);
  world.note = "it is the newest";
  const views = world.start();
  const opened = await world.waited(views.open({ volume: "disk", point: "now", isWritable: false }));
  const other = await world.waited(views.open({ volume: "disk", point: "seq:5", isWritable: false }));
  expect([opened.note, other.note]).toEqual(["it is the newest", undefined]);
});

test("what a name stood for before its volume was removed and added again is told of, and opened by its number", async () => {
  const world = new ViewsWorld(4);
  world.volumes.push({ number: 2, id: "y", name: "disk", sizeBytes: 4096 });
  const views = world.start();
  const refused = world.waited(views.open({ volume: "disk", point: "seq:99", isWritable: false }));
  await expect(refused).rejects.toThrow("what the name stood for before it was removed and added again is disk#1");
  await world.waited(views.open({ volume: "disk#1", point: "seq:5", isWritable: false }));
  await world.waited(views.open({ volume: "disk", point: "seq:5", isWritable: false }));
  expect([...world.open.values()].map(({ name, volume }) => [name, volume])).toEqual([
    ["disk-5", 1],
    ["disk-5-2", 2],
  ]);
});

test("a view that cannot be opened leaves neither a pin nor a note", async () => {
  const world = new ViewsWorld(4);
  const views = world.start();
  world.failing.add("open");
  await expect(world.waited(views.open(request))).rejects.toThrow("open does not work just now");
  expect([world.pins.size, world.shelf.all.length]).toEqual([0, 0]);
});

test("after a start views are there again, those that were put away are not opened", async () => {
  const world = new ViewsWorld(5);
  const views = world.start();
  for (const name of ["a", "b"]) await world.waited(views.open({ ...request, name }));
  await world.waited(views.close("b", "kept"));
  world.host.cutPower();
  const again = world.start();
  await world.driver.until(() => world.open.size === 1);
  await world.driver.quiet();
  const states = (await world.waited(again.all())).map(({ name, state }) => [name, state]);
  expect(states).toEqual([
    ["a", "open"],
    ["b", "put away"],
  ]);
  expect((await world.waited(again.reopen("b"))).state).toBe("open");
  expect(world.pins.size).toBe(2);
});

test.each([1, 2, 3, 4, 5, 6])("fault 10: the first view there is outlasts a loss of power (seed %s)", async (seed) => {
  const world = new ViewsWorld(seed);
  await world.waited(world.start().open({ ...request, name: "mine" }));
  world.host.cutPower();
  world.start();
  expect(world.shelf.all.map(({ name }) => name)).toEqual(["mine"]);
  await world.driver.until(() => world.open.size === 1);
});

test.each(["pin", "listen", "open", "close", "unpin"])("an end before '%s' leaves no pin for ever", async (step) => {
  const world = new ViewsWorld(6);
  const views = world.start();
  world.endsBefore = step;
  await world.waited(views.open({ ...request, name: "mine" })).catch(() => {});
  await world.waited(views.close("mine", "discarded")).catch(() => {});
  world.host.cutPower();
  world.endsBefore = undefined;
  const again = world.start();
  await world.driver.quiet();
  const held = [...world.pins.keys()];
  const noted = world.shelf.all.map(({ id }) => `view:${id}`);
  expect(held).toEqual(noted);
  for (const { name } of world.shelf.all) await world.waited(again.close(name, "discarded"));
  expect(world.pins.size).toBe(0);
});

test("when the process that serves them ends, they are opened anew, however often that fails", async () => {
  const world = new ViewsWorld(7);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "mine" }));
  world.open.clear();
  world.failing.add("open");
  views.lost(new Error("it has crashed"));
  await world.driver.until(() => world.done.includes("open fails"));
  expect(await world.waited(views.all())).toMatchObject([{ state: "failed", why: "open does not work just now" }]);
  world.failing.clear();
  await world.driver.until(() => world.open.size === 1);
  await world.driver.quiet();
  expect(await world.waited(views.all())).toMatchObject([{ name: "mine", state: "open" }]);
});

test("the folder of a view that is gone is empty, and used again", async () => {
  const world = new ViewsWorld(8);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "a" }));
  const [first] = world.shelf.all;
  world.host.files.create(`/views/${first?.id}/left`);
  await world.waited(views.close("a", "discarded"));
  expect(world.host.files.list(`/views/${first?.id}`)).toEqual([]);
  await world.waited(views.open({ ...request, name: "b" }));
  expect(world.shelf.all.map(({ id }) => id)).toEqual([first?.id]);
});

test("a view is closed though the store does not answer, and its point is let go of as soon as it does", async () => {
  const world = new ViewsWorld(9);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "mine" }));
  world.failing.add("unpin");
  await world.waited(views.close("mine", "discarded"));
  expect([world.shelf.all.length, world.pins.size]).toEqual([0, 1]);
  await world.driver.until(() => world.done.filter((step) => step === "unpin fails").length > 2);
  world.failing.clear();
  await world.driver.until(() => world.pins.size === 0);
});

test.each(["close", "unpin"])(
  "what a view leaves that cannot be opened goes later, where '%s' fails too",
  async (step) => {
    const world = new ViewsWorld(10);
    const views = world.start();
    for (const one of ["open", step]) world.failing.add(one);
    await expect(world.waited(views.open(request))).rejects.toThrow("open does not work just now");
    expect(world.pins.size).toBe(1);
    world.failing.delete("open");
    views.lost(new Error("it has crashed"));
    await world.driver.until(() => world.done.filter((one) => one === `${step} fails`).length > 2);
    expect([world.open.size, world.pins.size]).toEqual([0, 1]);
    world.failing.clear();
    await world.driver.until(() => world.pins.size === 0);
    expect(world.shelf.all.length).toBe(0);
  },
);

test("a view that was copied goes only as it was then, and what was written to it since stays", async () => {
  const world = new ViewsWorld(20);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "mine" }));
  const close = (how: ViewClosing) => world.waited(views.close("mine", how));
  world.changes = 3;
  await expect(close({ changes: 2 })).rejects.toThrow("view 'mine' is not as it was when it was copied, and stays");
  // Another one may just have been copied elsewhere, or opened again.
  await expect(close({ copiedTo: "/srv/a.img" })).rejects.toThrow("is not as it was");
  await world.waited(views.putAwayFor("mine", "/srv/a.img"));
  for (const how of [{ changes: 3 }, { copiedTo: "/srv/b.img" }]) await expect(close(how)).rejects.toThrow("is not as");
  await world.waited(views.reopen("mine"));
  await expect(close({ copiedTo: "/srv/a.img" })).rejects.toThrow("is not as it was");
  await close({ changes: 3 });
  await world.waited(views.open({ ...request, name: "mine" }));
  await world.waited(views.putAwayFor("mine", "/srv/a.img"));
  await close({ copiedTo: "/srv/a.img" });
  expect([world.pins.size, world.shelf.all.length]).toEqual([0, 0]);
});

test("a view that was put away and cannot be opened again just now is opened as soon as it can", async () => {
  const world = new ViewsWorld(11);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "mine" }));
  await world.waited(views.close("mine", "kept"));
  world.failing.add("open");
  await expect(world.waited(views.reopen("mine"))).rejects.toThrow("open does not work just now");
  expect(await world.waited(views.all())).toMatchObject([{ state: "failed", why: "open does not work just now" }]);
  world.failing.clear();
  await world.driver.until(() => world.open.size === 1);
  await world.driver.quiet();
  expect(await world.waited(views.all())).toMatchObject([{ name: "mine", state: "open" }]);
});

test("fault 13: where a sync fails when a view is put away, that is told, and shown", async () => {
  const world = new ViewsWorld(12);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "mine" }));
  world.lost = "a sync has failed";
  const closing = world.waited(views.close("mine", "kept"));
  await expect(closing).rejects.toThrow(
    "view 'mine' is put away, but what was written to it need not be on the disk: a sync has failed",
  );
  expect(await world.waited(views.all())).toMatchObject([{ state: "put away", why: "a sync has failed" }]);
  expect((await world.waited(views.reopen("mine"))).state).toBe("open");
  await world.waited(views.close("mine", "discarded"));
  expect(world.pins.size).toBe(0);
});

test("what was written in a process that has ended is made durable before its view passes for put away", async () => {
  const world = new ViewsWorld(13);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "mine" }));
  world.open.clear();
  views.lost(new Error("it has crashed"));
  const before = world.done.length;
  await world.waited(views.close("mine", "kept"));
  expect(world.done.slice(before)).toEqual(["listen", "open", "close"]);
  await world.waited(views.reopen("mine"));
  world.open.clear();
  views.lost(new Error("it has crashed"));
  world.failing.add("open");
  await expect(world.waited(views.close("mine", "kept"))).rejects.toThrow(
    "need not be on the disk: open does not work",
  );
  expect(await world.waited(views.all())).toMatchObject([{ state: "put away" }]);
});

test("a leased view goes when nobody holds it any more, with its pin, and stays as long as somebody does", async () => {
  const world = new ViewsWorld(12);
  const views = world.start();
  const { clock } = world.simulation;
  expect(await world.waited(views.open({ ...request, name: "held", isLeased: true }))).toMatchObject({ leased: true });
  expect(await world.waited(views.open({ ...request, name: "mine" }))).toMatchObject({ leased: false });
  for (let count = 0; count < 5; count++) {
    clock.advance(viewLeaseMs / 2);
    await promisesSettled();
    views.renew("held");
  }
  expect(world.open.size).toBe(2);
  await world.driver.until(() => world.pins.size === 1);
  expect((await world.waited(views.all())).map(({ name }) => name)).toEqual(["mine"]);
  expect(() => views.renew("held")).toThrow("there is no view 'held'");
  expect(() => views.renew("mine")).toThrow("stays until it is closed");
});

test("a lease is over with its view, and what is put away is held by nobody", async () => {
  const world = new ViewsWorld(13);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "closed", isLeased: true }));
  await world.waited(views.close("closed", "discarded"));
  await world.waited(views.open({ ...request, name: "next" }));
  await world.waited(views.open({ ...request, name: "kept", isLeased: true }));
  await world.waited(views.close("kept", "kept"));
  world.simulation.clock.advance(2 * viewLeaseMs);
  await world.driver.quiet();
  expect(world.shelf.all.map(({ name }) => name)).toEqual(["next", "kept"]);
  world.host.cutPower();
  world.start();
  world.simulation.clock.advance(2 * viewLeaseMs);
  await world.driver.quiet();
  expect(world.shelf.all.map(({ name }) => name)).toEqual(["next", "kept"]);
});

test.each(["close", "unpin"])(
  "a leased view goes after a power cut, and where '%s' fails as soon as it works",
  async (step) => {
    const world = new ViewsWorld(14);
    const views = world.start();
    await world.waited(views.open({ ...request, name: "held", isLeased: true }));
    world.host.cutPower();
    world.start();
    world.failing.add(step);
    await world.driver.until(() => world.done.filter((one) => one === `${step} fails`).length > 1);
    expect(world.pins.size).toBe(1);
    world.failing.clear();
    await world.driver.until(() => world.pins.size === 0);
    expect(world.shelf.all.length).toBe(0);
  },
);

test("a leased view that cannot be closed just now goes by itself afterwards", async () => {
  const world = new ViewsWorld(19);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "held", isLeased: true }));
  world.failing.add("close");
  await expect(world.waited(views.close("held", "discarded"))).rejects.toThrow("close does not work just now");
  world.failing.clear();
  await world.driver.until(() => world.pins.size === 0);
  expect(world.shelf.all.length).toBe(0);
});

test("a leased view that is put away stays, though its time comes while that goes on", async () => {
  const world = new ViewsWorld(15);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "held", isLeased: true }));
  const closing = views.close("held", "kept");
  world.simulation.clock.advance(viewLeaseMs);
  await world.waited(closing);
  await world.driver.quiet();
  expect(world.shelf.all.map(({ name }) => name)).toEqual(["held"]);
});

test("a leased view whose holder is only just late stays", async () => {
  const world = new ViewsWorld(16);
  const views = world.start();
  await world.waited(views.open({ ...request, name: "held", isLeased: true }));
  world.simulation.clock.advance(viewLeaseMs);
  views.renew("held");
  await promisesSettled();
  expect(world.open.size).toBe(1);
  await world.driver.until(() => world.shelf.all.length === 0);
});

test("what a view leaves that could not even be noted is none of the next one's", async () => {
  const world = new ViewsWorld(17);
  const views = world.start();
  world.host.disk.failNext("write", "ENOSPC");
  world.failing.add("close");
  await expect(world.waited(views.open({ ...request, name: "first" }))).rejects.toThrow("ENOSPC");
  expect((await world.waited(views.open({ ...request, name: "second" }))).state).toBe("open");
  expect(world.pins.size).toBe(2);
  world.failing.clear();
  await world.driver.until(() => world.pins.size === 1);
  await world.driver.quiet();
  expect(await world.waited(views.all())).toMatchObject([{ name: "second", state: "open" }]);
});

test("what was written to a view, or may have been, is thrown away only where somebody says so", async () => {
  const world = new ViewsWorld(18);
  const views = world.start();
  for (const name of ["unwritten", "mine"]) await world.waited(views.open({ ...request, name }));
  await world.waited(views.close("unwritten", "unwritten"));
  await world.waited(views.open({ ...request, name: "point", isWritable: false }));
  const refused = async (words: string) =>
    await expect(world.waited(views.close("mine", "unwritten"))).rejects.toThrow(words);
  world.changes = 1;
  await refused("view 'mine' was written to: --discard throws that away, --keep puts it away");
  world.changes = 0;
  world.lateChanges = 1;
  await refused("view 'mine' was written to: --discard throws that away");
  expect((await world.waited(views.all())).map(({ name, state }) => [name, state])).toContainEqual(["mine", "open"]);
  world.lateChanges = 0;
  world.failing.add("facts");
  await refused("facts does not work just now");
  world.failing.clear();
  await world.waited(views.close("mine", "kept"));
  await refused("view 'mine' is put away, with what was written to it: --discard throws that away");
  world.failing.add("open");
  await expect(world.waited(views.reopen("mine"))).rejects.toThrow("open does not work");
  await refused("view 'mine' is not open, and may have been written to");
  await world.waited(views.close("point", "unwritten"));
  await world.waited(views.close("mine", "discarded"));
  expect(world.pins.size).toBe(0);
});
