import { expect, test } from "vitest";
import { recordType } from "#src/records/record.ts";
import { startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

const request = { name: "m", isQuiesced: true, deadlineMs: Number.POSITIVE_INFINITY };

/** What became of it so far. */
function watched(promise: Promise<unknown>): unknown[] {
  const outcome: unknown[] = [];
  promise.then(
    (value) => outcome.push(value),
    (error: Error) => outcome.push(error.message),
  );
  return outcome;
}

test("a mark stands behind all that was added before it, and is told of when the spool is durable", async () => {
  const it = await startBench();
  it.write(5, 1);
  const outcome = watched(it.appliance.mark("g", request));
  it.write(6, 1);
  it.link.commit();
  await Promise.resolve();
  expect(outcome).toEqual([]);
  await it.rest();
  expect(outcome).toMatchObject([{ name: "m", isQuiesced: true, epoch: 1, seq: 3 }]);
  expect(it.shippedTypes).toEqual(["volume", "write", "mark", "write"]);
  expect(it.figures.spoolDurableSeq).toBeGreaterThanOrEqual(3);
});

test("in sync a mark is told of when the remote has it durably", async () => {
  const it = await startBench("sync");
  const outcome = watched(it.appliance.mark("g", request));
  await it.rest();
  expect(outcome).toEqual([]);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest();
  expect(outcome).toMatchObject([{ seq: 3 }]);
});

test("a mark of a volume to which nothing was written is a point of it, and says so once", async () => {
  const it = await startBench();
  expect(await it.done(it.appliance.mark("g", request))).toMatchObject({ seq: 3 });
  await it.done(it.appliance.mark("g", request));
  it.write(5, 1);
  await it.done(it.appliance.mark("g", request));
  expect(it.shippedTypes).toEqual(["volume", "initialComplete", "mark", "mark", "write", "mark"]);
});

test("after a start the marks are known that the remote may not have, of each name the last, until it says that it has them", async () => {
  const it = await startBench();
  it.write(5, 1);
  const set = (name: string) => it.done(it.appliance.mark("g", { ...request, name }));
  const [, other, last] = [await set("m"), await set("other"), await set("m")];
  expect(it.appliance.marksOnTheWay()).toEqual([]);
  await it.done(it.appliance.stop());
  it.remote = new ScriptedRemote();
  await it.open();
  const both = [other, last].map(({ name, seq }) => ({ group: "g", name, seq }));
  expect(it.appliance.marksOnTheWay()).toEqual(both);
  it.remote.come({ received: last.seq, durable: other.seq });
  await it.rest();
  expect(it.appliance.marksOnTheWay()).toEqual(both.slice(1));
  it.remote.markAll(it.figures.lastSeq);
  await it.rest();
  expect(it.appliance.marksOnTheWay()).toEqual([]);
});

test("there is no mark while a volume is copied, or is not attached", async () => {
  const it = await startBench();
  expect(it.link.hasRoomFor(0)).toBe(true);
  it.link.addRange(recordType.resyncBegin, 0, 0);
  await expect(it.appliance.mark("g", request)).rejects.toThrow("the volume 'disk' is being copied");
  it.link.addRange(recordType.resyncEnd, 0, 0);
  expect(await it.done(it.appliance.mark("g", request))).toMatchObject({ seq: 4 });
  it.link.detach();
  await expect(it.appliance.mark("g", request)).rejects.toThrow("the volume 'disk' is not attached");
});

test("there is no mark between the end of a first copy and the word that it was complete", async () => {
  const it = await startBench();
  const mark = () => it.appliance.mark("g", request);
  const isTaken = async () => (await it.done(mark())).seq > 0;
  it.link.detach();
  await it.attach(0, "known", true);
  for (const type of [recordType.resyncBegin, recordType.resyncEnd]) {
    await expect(mark()).rejects.toThrow("the volume 'disk' is being copied");
    expect(it.link.hasRoomFor(0)).toBe(true);
    it.link.addRange(type, 0, 0);
  }
  await expect(mark()).rejects.toThrow("the volume 'disk' is being copied");
  // Another link has the rest of it.
  const { lastOrdinal } = it.link;
  it.link.detach();
  await it.attach(0, "known", true);
  expect(it.attachment.lastOrdinal).toBe(lastOrdinal);
  await expect(mark()).rejects.toThrow("the volume 'disk' is being copied");
  it.link.addRange(recordType.initialComplete, 0, 0);
  expect(await isTaken()).toBe(true);
  it.link.addRange(recordType.resyncBegin, 0, 0);
  await expect(mark()).rejects.toThrow("the volume 'disk' is being copied");
  it.link.addRange(recordType.resyncEnd, 0, 0);
  expect(await isTaken()).toBe(true);
});

test("there is no mark between an attachment and the copy that it is to begin with", async () => {
  const it = await startBench();
  it.write(0, 1);
  it.link.detach();
  await it.attach(0, "known", true);
  await expect(it.appliance.mark("g", request)).rejects.toThrow("the volume 'disk' is being copied");
  expect(it.link.hasRoomFor(0)).toBe(true);
  it.link.addRange(recordType.resyncBegin, 0, 0);
  it.link.addRange(recordType.resyncEnd, 0, 0);
  expect(await it.done(it.appliance.mark("g", request))).toMatchObject({ name: "m" });
});

test("a mark without room in time is never set; with room in time it is", async () => {
  const it = await startBench();
  it.host.disk.faults.capacityBytes = 0;
  const nowMs = it.host.clock.hostMs();
  const early = watched(it.appliance.mark("g", { ...request, deadlineMs: nowMs + 500 }));
  const late = watched(it.appliance.mark("g", { ...request, name: "n", deadlineMs: nowMs + 60_000 }));
  await it.rest(600);
  expect([early, late]).toEqual([["there was no room for a mark in time: the spool is full"], []]);
  it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  await it.rest(5000);
  expect(late).toMatchObject([{ name: "n" }]);
  expect(it.shippedTypes).toEqual(["volume", "initialComplete", "mark"]);
});

test("a mark whose time was over before anybody came to it is never set, although there is room", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.commit();
  await it.rest();
  const nowMs = it.host.clock.hostMs();
  const { lastSeq } = it.figures;
  await expect(it.appliance.mark("g", { ...request, deadlineMs: nowMs })).rejects.toThrow(
    /^the time for the mark was over/,
  );
  expect(it.figures.lastSeq).toBe(lastSeq);
  expect(await it.done(it.appliance.mark("g", { ...request, deadlineMs: nowMs + 1 }))).toMatchObject({
    seq: lastSeq + 1,
  });
});
