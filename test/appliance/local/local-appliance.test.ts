import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { recordTypeName } from "#src/records/record.ts";
import type { BatchMemory, VolumeLink } from "#src/wire/volume-link.ts";
import { Bench, identity, policy, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

test("in async a write is acknowledged when it is in the spool, before anything is heard of the remote", async () => {
  const it = await startBench();
  it.write(5, 1);
  expect(it.acknowledged).toEqual([]);
  it.link.commit();
  expect(it.acknowledged).toEqual([1]);
  expect(it.figures).toMatchObject({ mode: "async", lastSeq: 2, received: 0 });
});

test("in sync a write is acknowledged when the remote has received it", async () => {
  const it = await startBench("sync");
  it.write(5, 1);
  it.link.commit();
  expect(it.acknowledged).toEqual([]);
  const seq = it.remote.lastShipped?.seq ?? 0;
  it.remote.mark({ received: seq - 1, durable: 0, stored: 0 });
  expect(it.acknowledged).toEqual([]);
  it.remote.mark({ received: seq, durable: 0, stored: 0 });
  expect(it.acknowledged).toEqual([1]);
});

test("a flush is answered when the spool is durable, with a record of its own", async () => {
  const it = await startBench();
  it.write(5, 1);
  const outcome = it.flush();
  expect(outcome).toEqual([]);
  await it.rest();
  expect(outcome).toEqual(["done"]);
  expect(it.figures.spoolDurableSeq).toBe(3);
  expect(it.shippedTypes).toEqual(["volume", "write", "flush"]);
});

test("flushes with nothing between them share a record", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.flush();
  it.flush();
  await it.rest();
  expect(it.shippedTypes).toEqual(["volume", "write", "flush"]);
});

test("in sync a flush asks the remote to be durable, and waits for it", async () => {
  const it = await startBench("sync");
  it.write(5, 1);
  const outcome = it.flush();
  await it.rest();
  expect(it.remote.durableAsked).toContain(3);
  it.remote.mark({ received: 3, durable: 2, stored: 0 });
  await it.rest();
  expect(outcome).toEqual([]);
  it.remote.mark({ received: 3, durable: 3, stored: 0 });
  expect(outcome).toEqual(["done"]);
});

test("a switch stands at one seq, and sync is said when all before it is durable at the remote", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.appliance.setMode("g", "sync");
  const placed = it.remote.lastShipped;
  expect(recordTypeName(placed?.type ?? 0)).toBe("mode");
  it.write(6, 1);
  it.link.commit();
  expect(it.acknowledged).toEqual([1]);
  expect(it.figures).toMatchObject({ mode: "async", wantedMode: "sync", state: "draining" });
  it.remote.markAll(placed?.seq ?? 0);
  expect(it.figures).toMatchObject({ mode: "sync", state: "steady" });
  it.remote.markAll(it.figures.lastSeq);
  expect(it.acknowledged).toEqual([1, 2]);
});

test("sync that is left while the link is down releases those who wait", async () => {
  const it = await startBench("sync");
  it.remote.go();
  it.write(5, 1);
  const outcome = it.flush();
  await it.rest();
  expect(it.figures.state).toBe("stalled");
  expect(it.acknowledged).toEqual([]);
  it.appliance.setMode("g", "async");
  await it.rest();
  expect(it.acknowledged).toEqual([1]);
  expect(outcome).toEqual(["done"]);
});

test("fault 22: with the policy to degrade, sync is suspended when the link stays away, and comes back by itself", async () => {
  const it = new Bench();
  it.policy = { ...policy, mode: { ...policy.mode, linkLoss: "degrade" } };
  await it.start("sync");
  it.remote.go();
  it.write(5, 1);
  it.link.commit();
  await it.rest(11_000);
  expect(it.acknowledged).toEqual([1]);
  expect(it.figures).toMatchObject({ state: "suspended", suspendedSinceSeq: 1, wantedMode: "sync" });
  it.remote.come();
  await it.rest(6000);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest();
  it.remote.markAll(it.figures.lastSeq);
  expect(it.figures).toMatchObject({ mode: "sync", state: "steady" });
});

test("what the remote did not receive is shipped again when it is back", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.commit();
  it.write(6, 2);
  it.link.commit();
  it.remote.go();
  it.write(7, 3);
  it.link.commit();
  it.remote.shipped.length = 0;
  it.remote.come({ received: 2 });
  await it.rest();
  expect(it.remote.shipped.map((record) => record.startBlock)).toEqual([6, 7]);
});

test("sync that is left while the disk is full releases nobody before the record of that has its place", async () => {
  const it = await startBench("sync");
  it.remote.go();
  it.write(5, 1);
  it.link.commit();
  const outcome = it.flush();
  await it.rest();
  it.host.disk.failNext("write", "ENOSPC");
  it.appliance.setMode("g", "async");
  expect(it.acknowledged).toEqual([]);
  it.remote.come();
  it.remote.go();
  expect([it.acknowledged, outcome]).toEqual([[], []]);
  await it.rest(1_000);
  expect([it.acknowledged, outcome]).toEqual([[1], ["done"]]);
});

test("a volume has one interceptor at a time", async () => {
  const it = await startBench();
  await expect(it.attach()).rejects.toThrow("another interceptor");
  it.link.detach();
  await it.attach();
});

test("a volume whose source has another size is refused, with what to do", async () => {
  const it = await startBench();
  it.link.detach();
  const receiver = {
    redo: async () => {},
    acknowledged: () => {},
    roomAgain: () => {},
    remoteDurable: () => {},
    lost: () => {},
  };
  const attached = it.appliance.attach({ ...identity, sizeBytes: 4096 }, 0, receiver);
  await expect(it.done(attached)).rejects.toThrow("bring the source back to its size");
});

test("a spool at its limit stops writers, and what the remote stores and the source has makes room", async () => {
  const it = await startBench();
  let writes = 0;
  while (it.link.hasRoomFor(1) && it.link.pressure < 1 && writes < 1000) {
    it.write(writes++, 1);
    it.link.commit();
    await it.rest(1);
    it.appliance.figures();
  }
  expect(writes).toBeLessThan(130);
  expect(it.figures.state).toBe("stalled");
  it.remote.markAll(it.figures.lastSeq);
  it.link.reportDurable(it.link.lastOrdinal);
  await it.rest(1000);
  expect(it.link.pressure).toBeLessThan(1);
  it.write(1, 1);
  it.link.commit();
  expect(it.acknowledged.at(-1)).toBe(writes + 1);
});

test("what the source does not have durably stays in the spool", async () => {
  const it = await startBench();
  for (let block = 0; block < 60; block++) {
    it.write(block, 1);
    it.link.commit();
  }
  it.flush();
  it.remote.markAll(it.figures.lastSeq);
  await it.rest(1000);
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach();
  expect(it.redone.length).toBe(60);
});

test("fault 15: writers wait for a full disk, and go on by themselves when it has room", async () => {
  const it = await startBench();
  it.remote.markAll(it.figures.lastSeq);
  await it.rest(1000);
  const capacityBytes = it.host.disk.faults.capacityBytes;
  it.host.disk.faults.capacityBytes = it.host.disk.spaceBytes;
  for (let block = 0; block < 40 && it.link.hasRoomFor(1); block++) {
    it.write(block, 1);
    it.link.commit();
    it.remote.markAll(it.figures.lastSeq);
  }
  const waiting = it.link.lastOrdinal;
  expect(it.acknowledged.at(-1) ?? 0).toBe(waiting - 1);
  expect(it.figures.why).toContain("disk is full");
  it.host.disk.faults.capacityBytes = capacityBytes;
  await it.rest(1000);
  expect(it.acknowledged.at(-1)).toBe(waiting);
  expect(it.figures.state).toBe("steady");
});

test("faults 6 and 15: a switch that met a full disk takes place when there is room", async () => {
  const it = await startBench();
  it.host.disk.failNext("write", "ENOSPC");
  it.appliance.setMode("g", "sync");
  expect(it.figures).toMatchObject({ mode: "async", wantedMode: "sync" });
  await it.rest(1000);
  expect(it.shippedTypes.at(-1)).toBe("mode");
  it.remote.markAll(it.figures.lastSeq);
  expect(it.figures).toMatchObject({ mode: "sync", state: "steady" });
});

test("the record of a switch stays in the spool until the group's state speaks of it durably", async () => {
  const it = await startBench();
  const fill = async (): Promise<void> => {
    for (let block = 0; block < 60 && it.link.hasRoomFor(1); block++) {
      it.write(block, 1);
      it.link.commit();
      it.remote.markAll(it.figures.lastSeq);
      it.link.reportDurable(it.link.lastOrdinal);
      await it.rest(10);
    }
  };
  const spooledTypes = async (): Promise<string[]> => {
    it.remote.go();
    it.remote.shipped.length = 0;
    it.remote.come();
    await it.rest();
    return it.shippedTypes;
  };
  await fill();
  it.appliance.setMode("g", "sync");
  const { capacityBytes } = it.host.disk.faults;
  it.host.disk.faults.capacityBytes = it.host.disk.spaceBytes;
  await fill();
  expect(await spooledTypes()).toContain("mode");
  it.host.disk.faults.capacityBytes = capacityBytes;
  await it.rest(1_000);
  await fill();
  expect(await spooledTypes()).not.toContain("mode");
});

test("faults 6 and 15: a mode that is asked for while the disk is full is not forgotten", async () => {
  const it = await startBench("sync");
  it.host.disk.failNext("write", "ENOSPC");
  it.write(5, 1);
  it.link.commit();
  it.appliance.setMode("g", "async");
  it.remote.go();
  it.remote.come({ received: 1 });
  await it.rest(1000);
  expect(it.shippedTypes.at(-1)).toBe("mode");
  expect(it.figures).toMatchObject({ mode: "async", wantedMode: "async" });
});

test("where no seq is reserved, attachments, flushes and switches wait for the reserve", async () => {
  const it = new Bench();
  it.policy = { ...policy, seqReserve: 8 };
  await it.start();
  it.host.disk.faults.latencyMsMax = 20_000;
  let error: unknown;
  for (let count = 0; count < 20 && error === undefined; count++) {
    it.link.detach();
    await it.attach().catch((reason: unknown) => {
      error = reason;
    });
  }
  expect(error).toBeInstanceOf(RetryError);
  const reservedSeq = it.figures.lastSeq;
  it.appliance.setMode("g", "sync");
  await it.rest(500);
  expect(it.figures).toMatchObject({ lastSeq: reservedSeq, mode: "async" });
  it.host.disk.faults.latencyMsMax = 0;
  await it.rest(60_000);
  expect(it.shippedTypes.at(-1)).toBe("mode");
  await it.attach();
  expect(it.link.hasRoomFor(1)).toBe(true);
});

test("a flush waits for a seq that is reserved, and is answered then", async () => {
  const it = new Bench();
  it.policy = { ...policy, seqReserve: 8 };
  await it.start();
  it.host.disk.faults.latencyMsMax = 20_000;
  while (it.link.hasRoomFor(1)) {
    it.write(1, 1);
    it.link.commit();
  }
  const outcomes = [it.flush()];
  // Each has a record of its own where there is something between them.
  for (let count = 0; count < 4; count++) {
    it.appliance.setMode("g", count % 2 === 0 ? "sync" : "async");
    outcomes.push(it.flush());
  }
  it.host.disk.faults.latencyMsMax = 0;
  await it.rest(60_000);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest(1_000);
  expect(outcomes.map((outcome) => outcome.length)).toEqual([1, 1, 1, 1, 1]);
});

test("a group in sync whose remote stands still takes no memory that others need", async () => {
  const it = new Bench();
  it.policy = { ...policy, spoolSegmentBytes: 4 * MiB, spoolLimitBytes: 1024 * MiB, lagBytesMax: 1024 * MiB };
  await it.start("sync");
  await it.done(it.appliance.addGroup({ id: "bb".repeat(16), name: "h", mode: "async" }));
  const acknowledged: number[] = [];
  const { link: other } = await it.done(
    it.appliance.attach({ ...identity, id: "cc", name: "other", group: "h" }, 0, {
      redo: async () => {},
      acknowledged: (ordinal) => acknowledged.push(ordinal),
      roomAgain: () => {},
      remoteDurable: () => {},
      lost: (error) => expect.unreachable(error.message),
    }),
  );
  const payload = Buffer.alloc(256 * blockBytes, 1);
  // As an interceptor does until the acknowledgement.
  const write = (link: VolumeLink): BatchMemory => {
    link.addWrite(0, 256, payload, 0);
    const { memory } = link;
    memory.hold();
    link.commit();
    return memory;
  };
  let stalledCount = 0;
  for (; it.link.hasRoomFor(256) && stalledCount < 100; stalledCount++) write(it.link);
  expect(stalledCount).toBeGreaterThan(5);
  expect(stalledCount).toBeLessThan(100);
  expect(it.acknowledged).toEqual([]);
  for (let count = 0; count < 100; count++) {
    expect(other.hasRoomFor(256)).toBe(true);
    write(other).release();
  }
  expect(acknowledged.at(-1)).toBe(100);
});

test("a spool that cannot be written any more takes the volume with it", async () => {
  const it = await startBench();
  it.host.disk.failNext("write", "EIO");
  it.write(5, 1);
  it.link.commit();
  expect(it.acknowledged).toEqual([]);
  expect(it.lost.length).toBe(1);
  expect(it.figures.state).toBe("stopped");
});

test("a record's life at the remote can be followed", async () => {
  const it = await startBench();
  it.appliance.trace("g", "disk");
  it.write(5, 1);
  it.link.commit();
  it.remote.mark({ received: 2, durable: 0, stored: 0 });
  await it.rest(10);
  it.remote.markAll(2);
  const [traced] = it.appliance.trace("g", "disk");
  expect(traced).toMatchObject({ ordinal: 1, seq: 2 });
  expect(traced?.durableAtMs).toBeGreaterThan(traced?.receivedAtMs ?? Number.NaN);
});

test("nothing is followed any more once that was ended", async () => {
  const it = await startBench();
  it.appliance.trace("g", "disk");
  it.write(5, 1);
  it.link.commit();
  it.appliance.endTrace("g");
  it.write(6, 1);
  it.link.commit();
  expect(it.appliance.trace("g", "disk")).toEqual([]);
});
