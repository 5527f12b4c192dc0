/** The way of single requests. */
import { describe, expect, test } from "vitest";
import { blockBytes, MiB, rangeRecordBlocksMax } from "#src/core/limits.ts";
import { HostChange } from "#src/interceptor/host-change.ts";
import type { Outlet } from "#src/interceptor/outlet.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { recordType } from "#src/records/record.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const KiB = 1024;

async function warm(options: ConstructorParameters<typeof VolumeWorld>[0] = {}): Promise<VolumeWorld> {
  const world = await VolumeWorld.opened(options);
  await world.warmUp();
  world.links.journal.length = 0;
  world.links.seen.length = 0;
  return world;
}

describe("a write", () => {
  test("of whole blocks is one record, and in the source and answered when its batch ends", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    const before = world.links.lastOrdinal;
    const request = world.write(8 * KiB, filled(8 * KiB, 7));
    expect([request.error, request.isKept]).toEqual([nbdError.ok, false]);
    expect(world.links.journal.at(-1)).toMatchObject({ ordinal: before + 1, startBlock: 2, blockCount: 2 });
    expect(world.source.subarray(8 * KiB, 16 * KiB).equals(filled(8 * KiB, 7))).toBe(true);
  });

  test("waits for its acknowledgement: until then the source is as it was, and it is kept without its payload", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    world.links.acknowledgesAtOnce = false;
    const before = world.source;
    const request = world.write(8 * KiB, filled(4 * KiB, 7));
    await world.pass(5_000);
    expect([request.error, request.isWithoutPayload, world.source.equals(before)]).toEqual([undefined, true, true]);
    world.links.current?.acknowledgeAll();
    expect([request.error, world.source[8 * KiB]]).toEqual([nbdError.ok, 7]);
  });

  test("lets go of the batch's memory when it is in the source", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    world.links.acknowledgesAtOnce = false;
    world.write(0, filled(4 * KiB, 7));
    world.write(4 * KiB, filled(4 * KiB, 7));
    expect(world.links.current?.heldCount).toBe(2);
    world.links.current?.acknowledgeAll();
    expect(world.links.current?.heldCount).toBe(0);
  });

  test("longer than a record becomes several records", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    const count = world.links.journal.length;
    const payload = Buffer.alloc(3 * MiB + 8 * KiB);
    for (let at = 0; at < payload.length; at += 1 * KiB) payload.fill(at / KiB, at, at + KiB);
    const request = world.write(MiB, payload);
    await world.pass(10);
    expect(request.error).toBe(nbdError.ok);
    expect(world.links.shape.slice(count)).toEqual(["1 256+256", "1 512+256", "1 768+256", "1 1024+2"]);
    expect(world.source.subarray(MiB, MiB + payload.length).equals(payload)).toBe(true);
  });

  test("of parts of blocks is completed with what the blocks hold", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    const before = world.source;
    const request = world.write(3 * KiB, filled(6 * KiB, 7));
    expect(request.error).toBe(nbdError.ok);
    const record = world.links.journal.at(-1);
    expect([record?.startBlock, record?.blockCount]).toEqual([0, 3]);
    const expected = Buffer.concat([
      before.subarray(0, 3 * KiB),
      filled(6 * KiB, 7),
      before.subarray(9 * KiB, 12 * KiB),
    ]);
    expect(record?.payload.equals(expected)).toBe(true);
    expect(world.source.subarray(0, 12 * KiB).equals(expected)).toBe(true);
  });

  test("of a part of a block sees what is in flight over the rest of it", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    world.links.acknowledgesAtOnce = false;
    world.write(0, filled(4 * KiB, 1));
    world.write(0, filled(4 * KiB, 2));
    world.write(512, filled(512, 3));
    const payload = world.links.journal.at(-1)?.payload;
    expect([payload?.[0], payload?.[512], payload?.[1024]]).toEqual([2, 3, 2]);
  });

  test("in a cold block holds up whoever writes to that block, and nobody else", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    world.host.disk.faults.coldChance = 1;
    const count = world.links.journal.length;
    const requests = [
      new RecordedRequest({ command: command.write, offset: 512, payload: filled(512, 1) }),
      new RecordedRequest({ command: command.write, offset: 0, payload: filled(4 * KiB, 2) }),
      new RecordedRequest({ command: command.write, offset: 4 * KiB, payload: filled(4 * KiB, 3) }),
    ];
    world.batch(requests);
    expect(requests.map((request) => request.error)).toEqual([undefined, undefined, nbdError.ok]);
    await world.pass(10);
    expect(world.links.shape.slice(count)).toEqual(["1 1+1", "1 0+1", "1 0+1"]);
    expect([world.source[0], world.source[512]]).toEqual([2, 2]);
  });

  test("whose block cannot be read fails alone, and those behind it go on", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    world.host.disk.faults.coldChance = 1;
    world.host.disk.failNext("read");
    const failed = world.write(512, filled(512, 1));
    const next = world.write(0, filled(4 * KiB, 2));
    await world.pass(10);
    expect([failed.error, next.error, world.volume.status().state]).toEqual([nbdError.io, nbdError.ok, "open"]);
  });

  test("at the end of a volume that ends within a block fills the rest of the record with zeros", async () => {
    const sizeBytes = 2 * MiB + 700;
    const world = await VolumeWorld.opened({ sizeBytes });
    const request = world.write(2 * MiB - 100, filled(800, 9));
    await world.pass(20);
    expect(request.error).toBe(nbdError.ok);
    const payload = world.links.journal.at(-1)?.payload;
    expect(payload?.length).toBe(2 * blockBytes);
    expect(payload?.subarray(blockBytes + 700).equals(Buffer.alloc(blockBytes - 700))).toBe(true);
    expect(world.source.subarray(2 * MiB - 100).equals(filled(800, 9))).toBe(true);
  });

  test("that goes on when its client is gone is given up before it is added", async () => {
    const world = await VolumeWorld.opened();
    const request = new RecordedRequest({ command: command.write, payload: filled(4 * KiB, 1) });
    world.batch([request]);
    request.abandoned = true;
    await world.pass(20);
    expect([request.error, world.links.journal]).toEqual([nbdError.io, []]);
    const next = world.write(0, filled(4 * KiB, 2));
    expect(next.error).toBe(nbdError.ok);
  });
});

test("writes that overlap reach a source that takes its time in their order", async () => {
  const world = new VolumeWorld();
  world.wrap = (source) => new ReluctantSource(source, () => false);
  await world.open();
  await world.warmUp();
  const requests = Array.from({ length: 20 }, (_, index) => world.write((index % 3) * 2 * KiB, filled(6 * KiB, index)));
  await world.pass(200);
  expect(requests.every((request) => request.error === nbdError.ok)).toBe(true);
  expect(world.source.equals(world.links.replay(world.initial))).toBe(true);
  expect([world.source[0], world.source[4 * KiB], world.source[9 * KiB]]).toEqual([18, 19, 17]);
});

describe("a trim", () => {
  test("counts for whole blocks, as a record without payload", async () => {
    const world = await warm();
    const before = world.source;
    expect(world.trim(100, 12 * KiB).error).toBe(nbdError.ok);
    expect(world.links.shape).toEqual([`${recordType.trim} 1+2`]);
    const expected = Buffer.from(before).fill(0, 4 * KiB, 12 * KiB);
    expect(world.source.equals(expected)).toBe(true);
  });

  test("of no whole block is answered, and nothing else", async () => {
    const world = await warm();
    expect(world.trim(100, 4 * KiB).error).toBe(nbdError.ok);
    expect(world.links.journal).toEqual([]);
  });

  test("up to the end of the volume counts for its last, shorter block", async () => {
    const world = await VolumeWorld.opened({ sizeBytes: MiB + 5 * KiB });
    world.trim(MiB, 5 * KiB);
    await world.pass(10);
    expect(world.links.shape).toEqual([`${recordType.trim} 256+2`]);
    expect(world.source.subarray(MiB).equals(Buffer.alloc(5 * KiB))).toBe(true);
  });

  test("is dropped where the source would not read as zeros afterwards", async () => {
    const world = new VolumeWorld();
    world.wrap = (source) => Object.assign(new ReluctantSource(source, () => true), { trimReads: false });
    await world.open();
    expect(world.trim(0, MiB).error).toBe(nbdError.ok);
    await world.pass(20);
    expect([world.links.journal, world.source.equals(world.initial)]).toEqual([[], true]);
  });
});

describe("zeroing", () => {
  test("completes its edges, and the middle is a record without payload that keeps the space or not", async () => {
    for (const noHole of [true, false]) {
      const world = await warm();
      const before = world.source;
      const request = world.zero(100, 12 * KiB, noHole);
      await world.pass(10);
      expect(request.error).toBe(nbdError.ok);
      const type = noHole ? recordType.zero : recordType.trim;
      expect(world.links.shape).toEqual(["1 0+1", `${type} 1+2`, "1 3+1"]);
      expect(world.source.equals(Buffer.from(before).fill(0, 100, 100 + 12 * KiB))).toBe(true);
    }
  });

  test("within one block is one write", async () => {
    const world = await warm();
    const before = world.source;
    world.zero(5000, 100);
    expect(world.links.shape).toEqual(["1 1+1"]);
    expect(world.source.equals(Buffer.from(before).fill(0, 5000, 5100))).toBe(true);
  });

  test("of a range beyond 32 bits of blocks becomes records that each fit", () => {
    const added: number[] = [];
    const outlet = {
      hasRoomFor: () => true,
      addRange: (_owner: unknown, _type: number, _start: number, count: number) => added.push(count),
      link: { lastOrdinal: 1 },
    };
    const change = new HostChange({ begin() {}, added() {}, finished() {}, flushed() {} });
    const length = 2 ** 50;
    change.take(new RecordedRequest({ command: command.writeZeroes, length }), length);
    expect(change.addTo(outlet as unknown as Outlet)).toBe(true);
    expect(Math.max(...added)).toBe(rangeRecordBlocksMax);
    expect(added.reduce((sum, count) => sum + count, 0)).toBe(length / blockBytes);
  });

  test("that must be fast is refused where nobody knows that it would be, before anything is done", async () => {
    const world = new VolumeWorld();
    const wrapped: ReluctantSource[] = [];
    world.wrap = (source) => {
      wrapped.push(new ReluctantSource(source, () => true));
      return wrapped[0] as ReluctantSource;
    };
    await world.open();
    const asked = { command: command.writeZeroes, length: MiB, fastZero: true, noHole: true };
    expect(world.submit(asked).error).toBe(nbdError.notSupported);
    expect(world.links.journal).toEqual([]);
    Object.assign(wrapped[0] as ReluctantSource, { clears: true });
    const request = world.submit(asked);
    await world.pass(20);
    expect(request.error).toBe(nbdError.ok);
  });
});

describe("reads", () => {
  test("come straight from the source, cold ones later", async () => {
    const world = await VolumeWorld.opened();
    const hot = world.submit({ command: command.read, offset: 700, length: 5000 });
    world.host.disk.faults.coldChance = 1;
    const cold = world.submit({ command: command.read, offset: 700, length: 5000 });
    expect([hot.error, cold.error]).toEqual([nbdError.ok, undefined]);
    await world.pass(10);
    for (const request of [hot, cold]) expect(request.data.equals(world.initial.subarray(700, 5700))).toBe(true);
    expect(world.links.journal).toEqual([]);
  });

  test("that fail are an error of that request alone", async () => {
    const world = await VolumeWorld.opened();
    world.host.disk.failNext("read");
    expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.io);
    expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.ok);
  });

  test("tell which bytes are holes", async () => {
    const world = await VolumeWorld.opened();
    world.trim(MiB, MiB);
    await world.pass(20);
    const request = world.submit({ command: command.blockStatus, length: 4 * MiB, contexts: ["base:allocation"] });
    expect(request.status).toEqual([
      [
        { lengthBytes: MiB, status: 0 },
        { lengthBytes: MiB, status: 3 },
        { lengthBytes: 2 * MiB, status: 0 },
      ],
    ]);
  });
});

test("what was done is counted, for the volume and for the program", async () => {
  const world = await VolumeWorld.opened();
  world.write(0, filled(4 * KiB, 1));
  world.write(0, filled(100, 1));
  world.submit({ command: command.read, length: 300 });
  world.flush();
  world.trim(0, MiB);
  await world.pass(20);
  world.volume.endBatch();
  expect(world.counters.read()).toEqual({
    writes_total: 2,
    write_bytes_total: 4 * KiB + 100,
    reads_total: 1,
    read_bytes_total: 300,
  });
  expect(world.volume.figures).toMatchObject({ writes: 2, flushes: 1, trims: 1, reads: 1 });
});

describe("the trace", () => {
  test("shows that the appliance acknowledges before the source is written, and the host is answered after", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    world.volume.traceLast(8);
    world.links.acknowledgesAtOnce = false;
    world.write(4 * KiB, filled(8 * KiB, 1));
    await world.pass(3);
    world.host.disk.stall(2);
    world.links.current?.acknowledgeAll();
    await world.pass(1);
    const [record, ...others] = world.volume.trace();
    expect(others).toEqual([]);
    expect(record).toMatchObject({ type: recordType.write, offsetBytes: 4 * KiB, lengthBytes: 8 * KiB });
    const times = [record?.arrivedMicros, record?.acknowledgedMicros, record?.writtenMicros, record?.repliedMicros];
    const [arrived = 0] = times;
    expect(times.map((time) => (time ?? 0) - arrived)).toEqual([0, 3000, 5000, 5000]);
  });

  test("remembers the last ones, and none when it is off", async () => {
    const world = await VolumeWorld.opened();
    await world.warmUp();
    expect(world.volume.trace()).toEqual([]);
    world.volume.traceLast(3);
    for (let index = 0; index < 5; index++) world.write(index * 4 * KiB, filled(4 * KiB, 1));
    expect(world.volume.trace().map((record) => record.offsetBytes / KiB)).toEqual([8, 12, 16]);
    world.volume.traceLast(0);
    expect(world.volume.trace()).toEqual([]);
  });
});
