/** A spool at its limit, and what makes room in it. */
import { describe, expect, test } from "vitest";
import { GiB, KiB } from "#src/core/limits.ts";
import { recordType } from "#src/records/record.ts";
import type { SimFolder } from "#test/sim/sim-folder.ts";
import { Bench, policy, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

test("fault 15: after a kill, a full spool brings its volumes' sources up to date, which makes room in it", async () => {
  const it = new Bench();
  it.policy = { ...policy, overflow: "stall" };
  await it.start();
  while (it.figures.pressure < 0.98) {
    it.write(5, 1);
    it.link.commit();
  }
  // The smallest that there is finds no room either.
  while (it.link.hasRoomFor(0)) {
    it.link.addRange(recordType.trim, 0, 1);
    it.link.commit();
  }
  await it.rest();
  const { lastSeq } = it.figures;
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  it.remote.come({ received: lastSeq, durable: lastSeq, stored: lastSeq });
  await it.rest();
  await it.attach();
  expect(it.redone.length).toBeGreaterThan(50);
  expect(it.link.hasRoomFor(1)).toBe(false);
  it.link.reportDurable(it.attachment.lastOrdinal);
  await it.rest(1_000);
  expect(it.link.hasRoomFor(1)).toBe(true);
});

describe("while a source is being brought up to date", () => {
  /** A volume that comes after a kill, whose redo has begun and goes on when it is told to. */
  async function redoing(it: Bench) {
    it.write(5, 1);
    it.link.commit();
    await it.rest();
    it.host.kill();
    it.remote = new ScriptedRemote();
    await it.open();
    let goOn = (): void => {};
    const redone = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const receiver = { redo: () => redone, acknowledged() {}, roomAgain() {}, remoteDurable() {}, lost() {} };
    const attaching = it.appliance.attach(it.identity, 0, receiver);
    attaching.catch(() => {});
    await it.rest();
    return { goOn, attaching };
  }

  test("a spool that overflows refuses the volume, which can go on without it then", async () => {
    const it = new Bench();
    it.policy = { ...policy, overflow: "track", overflowAfterMs: 1_000 };
    await it.start();
    const { goOn, attaching } = await redoing(it);
    it.host.disk.faults.capacityBytes = it.host.disk.spaceBytes;
    for (let count = 0; count < 400 && it.figures.state !== "tracking"; count++) {
      it.appliance.setMode("g", count % 2 === 0 ? "aggregated" : "async");
      await it.rest(50);
    }
    expect(it.figures.state).toBe("tracking");
    goOn();
    await expect(it.done(attaching)).rejects.toThrow("the spool was full for too long");
  });

  test("a group that fails says so to the volume", async () => {
    const it = await startBench();
    const { goOn, attaching } = await redoing(it);
    it.host.disk.failNext("write");
    it.appliance.setMode("g", "aggregated");
    await it.rest();
    expect(it.figures.state).toBe("stopped");
    goOn();
    await expect(it.done(attaching)).rejects.toThrow();
  });
});

test("what waited for room when a volume lost its link gets no place behind what is redone of it then", async () => {
  const it = new Bench();
  it.policy = { ...policy, overflow: "stall" };
  await it.start();
  while (it.link.hasRoomFor(5)) {
    it.write(5, 1);
    it.link.commit();
  }
  await it.rest();
  const { lastSeq } = it.figures;
  const lastOrdinal = it.attachment.lastOrdinal;
  it.link.detach();
  await it.attach();
  expect(it.figures.lastSeq).toBe(lastSeq);
  const redone = it.redone.length;
  expect(it.attachment.lastOrdinal).toBe(lastOrdinal + redone);
  it.link.reportDurable(it.attachment.lastOrdinal);
  it.remote.come({ received: lastSeq, durable: lastSeq, stored: lastSeq });
  await it.rest(1_000);
  expect(it.link.hasRoomFor(1)).toBe(true);
  expect(it.figures.lastSeq).toBe(lastSeq);
  // Nor does it count as added with what comes next, whoever that is of.
  it.link.detach();
  it.appliance.setMode("g", "aggregated");
  await it.rest();
  await it.attach(lastOrdinal + redone);
  expect(it.figures.lastSeq).toBeGreaterThan(lastSeq);
  expect(it.attachment.lastOrdinal).toBe(lastOrdinal + redone);
});

test("fault 15: a spool at its limit has room for the beginning of an epoch, however often the power is lost", async () => {
  const it = new Bench();
  it.policy = {
    ...policy,
    overflow: "stall",
    spoolSegmentBytes: 5 * 256 * KiB,
    spoolLimitBytes: 10 * 256 * KiB,
    lagBytesMax: GiB,
  };
  await it.start();
  while (it.figures.pressure < 0.98) {
    it.write(5, 1);
    it.link.commit();
  }
  while (it.link.hasRoomFor(0)) {
    it.link.addRange(recordType.trim, 0, 1);
    it.link.commit();
  }
  // As if the machine had brought all of it to the disk by itself.
  keep(it.host.disk.root);
  for (let epoch = 2; epoch < 8; epoch++) {
    it.host.cutPower();
    it.remote = new ScriptedRemote();
    await it.open();
    await it.rest();
    expect(it.figures.epoch).toBe(epoch);
  }
});

function keep(folder: SimFolder): void {
  folder.makeDurable(folder.changeCount);
  for (const node of folder.names.values()) {
    if (node.kind === "folder") keep(node);
    else node.makeDurable(node.changeCount);
  }
}
