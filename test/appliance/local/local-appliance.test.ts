import { expect, test } from "vitest";
import { defaultGroupPolicy, type GroupPolicy } from "#src/appliance/local/group-policy.ts";
import { LocalAppliance } from "#src/appliance/local/local-appliance.ts";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import { batchBytesMax, KiB } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { recordType, recordTypeName } from "#src/records/record.ts";
import type { Attachment, RedoRecord, VolumeIdentity, VolumeLink } from "#src/wire/volume-link.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

const identity: VolumeIdentity = { id: "aa", name: "disk", group: "g", sizeBytes: 1024 * 4096 };
const policy: GroupPolicy = {
  ...defaultGroupPolicy,
  spoolSegmentBytes: 64 * KiB,
  spoolLimitBytes: 512 * KiB,
  lagBytesMax: 512 * KiB,
  seqReserve: 1000,
};

class Bench {
  readonly simulation = new Simulation(1);
  readonly host: SimHost = this.simulation.host("source-site");
  remote = new ScriptedRemote();
  appliance!: LocalAppliance;
  link!: VolumeLink;
  attachment!: Attachment;
  redone: RedoRecord[] = [];
  acknowledged: number[] = [];
  lost: string[] = [];
  policy: GroupPolicy = policy;

  /** Begins to open; time does not pass by itself meanwhile. */
  begin(mode: Mode = "async"): Promise<LocalAppliance> {
    const { connect } = this.remote;
    return LocalAppliance.open({
      machine: this.host,
      folder: "/data",
      policy: this.policy,
      newGroupMode: mode,
      connect,
    });
  }

  async open(mode: Mode = "async"): Promise<void> {
    this.host.files.makeFolder("/data");
    await this.done(new Promise<void>((resolve) => this.host.files.syncFolder("/", () => resolve())));
    this.appliance = await this.done(this.begin(mode));
  }

  async attach(durableOrdinal = 0): Promise<void> {
    this.redone = [];
    this.acknowledged = [];
    this.attachment = await this.done(
      this.appliance.attach(identity, durableOrdinal, {
        redo: async (record) => void this.redone.push(record),
        acknowledged: (ordinal) => this.acknowledged.push(ordinal),
        roomAgain: () => {},
        lost: (error) => this.lost.push(error.message),
      }),
    );
    this.link = this.attachment.link;
  }

  async start(mode: Mode = "async"): Promise<void> {
    await this.open(mode);
    await this.attach();
    this.remote.come();
    await this.rest();
  }

  /** Lets everything happen that is due without waiting for long. */
  async rest(durationMs = 100): Promise<void> {
    await this.simulation.clock.pass(durationMs, () => false);
  }

  async done<Result>(promise: Promise<Result>): Promise<Result> {
    let outcome: { readonly value: Result } | { readonly error: unknown } | undefined;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error) => {
        outcome = { error };
      },
    );
    await this.simulation.clock.pass(60_000, () => outcome !== undefined);
    if (outcome === undefined)
      throw new Error(`it does not come to an end:\n${this.simulation.trace.lines.slice(-25).join("\n")}`);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  write(startBlock: number, value: number): number {
    expect(this.link.hasRoomFor(1)).toBe(true);
    this.link.addWrite(startBlock, 1, Buffer.alloc(4096, value), 0);
    return this.link.lastOrdinal;
  }

  flush(): string[] {
    const outcome: string[] = [];
    this.link.flush((error) => outcome.push(error?.message ?? "done"));
    return outcome;
  }

  get figures() {
    const [figures] = this.appliance.figures();
    if (figures === undefined) throw new Error("there is no group");
    return figures;
  }

  get shippedTypes(): string[] {
    return this.remote.shipped.map((record) => recordTypeName(record.type));
  }
}

async function bench(mode: Mode = "async"): Promise<Bench> {
  const made = new Bench();
  await made.start(mode);
  return made;
}

test("in async a write is acknowledged when it is in the spool, before anything is heard of the remote", async () => {
  const it = await bench();
  it.write(5, 1);
  expect(it.acknowledged).toEqual([]);
  it.link.commit();
  expect(it.acknowledged).toEqual([1]);
  expect(it.figures).toMatchObject({ mode: "async", lastSeq: 2, received: 0 });
});

test("in sync a write is acknowledged when the remote has received it", async () => {
  const it = await bench("sync");
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
  const it = await bench();
  it.write(5, 1);
  const outcome = it.flush();
  expect(outcome).toEqual([]);
  await it.rest();
  expect(outcome).toEqual(["done"]);
  expect(it.figures.spoolDurableSeq).toBe(3);
  expect(it.shippedTypes).toEqual(["volume", "write", "flush"]);
});

test("flushes with nothing between them share a record", async () => {
  const it = await bench();
  it.write(5, 1);
  it.flush();
  it.flush();
  await it.rest();
  expect(it.shippedTypes).toEqual(["volume", "write", "flush"]);
});

test("in sync a flush asks the remote to be durable, and waits for it", async () => {
  const it = await bench("sync");
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
  const it = await bench();
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
  const it = await bench("sync");
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

test("with the policy to degrade, sync is suspended when the link stays away, and comes back by itself", async () => {
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

test("batches that follow each other quickly leave together in async, and each at once in sync", async () => {
  for (const [mode, shipments] of [
    ["async", 1],
    ["sync", 3],
  ] as const) {
    const it = await bench(mode);
    it.remote.shipments = 0;
    for (const block of [5, 6, 7]) {
      it.write(block, block);
      it.link.commit();
    }
    await it.rest(1);
    expect(it.remote.shipments).toBe(shipments);
    expect(it.remote.shipped.slice(-3).map((record) => record.startBlock)).toEqual([5, 6, 7]);
  }
});

test("what the remote did not receive is shipped again when it is back", async () => {
  const it = await bench();
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

test("after a kill the volume is redone from the spool, in the same epoch, and goes on behind it", async () => {
  const it = await bench();
  it.write(5, 1);
  it.link.commit();
  it.write(6, 2);
  it.link.commit();
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach(1);
  expect(it.redone.map((record) => [record.ordinal, record.startBlock])).toEqual([[2, 6]]);
  expect(it.attachment).toMatchObject({ lastOrdinal: 2, inDoubt: false });
  expect(it.figures).toMatchObject({ epoch: 1, lastSeq: 4 });
});

test("after a loss of power a new epoch begins beyond what was reserved, and the volume is in doubt", async () => {
  const it = await bench();
  it.write(5, 1);
  it.link.commit();
  it.host.cutPower();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach();
  expect(it.attachment.inDoubt).toBe(true);
  expect(it.figures.epoch).toBe(2);
  expect(it.figures.lastSeq).toBeGreaterThan(policy.seqReserve);
  it.remote.come();
  await it.rest();
  expect(it.shippedTypes).toContain("epoch");
});

test("the doubt is told again until the interceptor shows that it has taken note", async () => {
  const it = await bench();
  it.host.cutPower();
  await it.open();
  await it.attach();
  expect(it.attachment.inDoubt).toBe(true);
  it.host.kill();
  await it.open();
  await it.attach();
  expect(it.attachment.inDoubt).toBe(true);
  it.write(5, 1);
  it.link.commit();
  it.link.reportDurable(1);
  await it.rest();
  it.host.kill();
  await it.open();
  await it.attach(1);
  expect(it.attachment.inDoubt).toBe(false);
});

test("what the spool lost with the power and the remote has comes back, and is redone", async () => {
  const it = new Bench();
  await it.start();
  const flushed = it.flush();
  await it.rest();
  expect(flushed).toEqual(["done"]);
  it.host.cutPower();
  it.remote = new ScriptedRemote();
  const builder = new BatchBuilder();
  const batch = Buffer.alloc(batchBytesMax);
  builder.begin(batch, 0);
  builder.addWrite(
    { type: recordType.write, volume: 1, startBlock: 9, blockCount: 1, ordinal: 1 },
    Buffer.alloc(4096, 9),
    0,
  );
  const order = { epoch: 1, timeMicros: 5, incarnation: 0, position: 0, durableSeq: 0 };
  const spanBytes = builder.finish({ ...order, firstSeq: 3 });
  it.remote.lost.push(batch.subarray(0, spanBytes));
  const opening = it.begin();
  await it.rest(1000);
  it.remote.come({ received: 3 });
  it.appliance = await it.done(opening);
  await it.attach();
  expect(it.redone.map((record) => record.startBlock)).toEqual([9]);
  expect(it.attachment.lastOrdinal).toBe(1);
});

test("a volume has one interceptor at a time", async () => {
  const it = await bench();
  await expect(it.attach()).rejects.toThrow("another interceptor");
  it.link.detach();
  await it.attach();
});

test("a volume whose source has another size is refused, with what to do", async () => {
  const it = await bench();
  it.link.detach();
  const receiver = { redo: async () => {}, acknowledged: () => {}, roomAgain: () => {}, lost: () => {} };
  const attached = it.appliance.attach({ ...identity, sizeBytes: 4096 }, 0, receiver);
  await expect(it.done(attached)).rejects.toThrow("bring the source back to its size");
});

test("a spool at its limit stops writers, and what the remote stores and the source has makes room", async () => {
  const it = await bench();
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
  const it = await bench();
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

test("a spool that cannot be written any more takes the volume with it", async () => {
  const it = await bench();
  it.host.disk.failNext("write", "EIO");
  it.write(5, 1);
  it.link.commit();
  expect(it.acknowledged).toEqual([]);
  expect(it.lost.length).toBe(1);
  expect(it.figures.state).toBe("stopped");
});

test("stopped in good order, it goes on in the same epoch on a machine that was restarted", async () => {
  const it = await bench();
  it.write(5, 1);
  it.link.detach();
  await it.done(it.appliance.stop());
  it.host.cutPower();
  await it.open();
  await it.attach(0);
  expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
  expect(it.figures.epoch).toBe(1);
});

test("a record's life at the remote can be followed", async () => {
  const it = await bench();
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
