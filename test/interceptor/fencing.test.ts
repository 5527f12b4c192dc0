/** A source that fails, and the way back. */
import { describe, expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { ReconnectError, RefuseError, RetryError } from "#src/core/errors.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { sourceClosePatienceMs } from "#src/core/volume-limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import type { Source } from "#src/interceptor/source.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { filled, turn, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);

async function opened(isFast = true): Promise<VolumeWorld> {
  const world = new VolumeWorld();
  world.wrap = (source) => new ReluctantSource(source, () => isFast);
  await world.open();
  await world.warmUp();
  return world;
}

describe.each([true, false])("a write that the source refuses (at once: %s)", (isFast) => {
  test("fails, fences the volume, and so do all others; reads go on", async () => {
    const world = await opened(isFast);
    world.host.disk.failNext("write");
    const failed = world.write(0, payload);
    await world.pass(20);
    expect(failed.error).toBe(nbdError.io);
    expect(world.volume.status()).toMatchObject({ state: "fenced", why: expect.stringContaining("EIO") });
    const later = [
      world.write(blockBytes, payload),
      world.flush(),
      world.trim(0, blockBytes),
      world.zero(0, blockBytes),
    ];
    expect(later.map((request) => request.error)).toEqual([5, 5, 5, 5]);
    expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.ok);
    expect(world.links.current).toBeUndefined();
  });

  test("takes with it all that is under way, wherever that is", async () => {
    const world = await opened(isFast);
    world.links.acknowledgesAtOnce = false;
    world.links.flushesAtOnce = false;
    const flushing = world.write(0, payload, true);
    world.links.current?.acknowledgeAll();
    await world.pass(10);
    const inFlight = world.write(blockBytes, payload);
    world.links.hasRoom = false;
    const waiting = [world.write(2 * blockBytes, payload), world.write(2 * blockBytes + 5, payload)];
    expect([flushing, inFlight, ...waiting].map((request) => request.error)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const link = world.links.current;
    world.host.disk.failNext("write");
    link?.acknowledgeAll();
    await world.pass(20);
    expect([flushing, inFlight, ...waiting].map((request) => request.error)).toEqual([5, 5, 5, 5]);
    expect(link?.heldCount).toBe(0);
  });
});

test("fault 13: a sync that failed is not tried again: what it covered is redone from the spool at unfence", async () => {
  const world = await opened();
  const written = world.write(0, payload);
  world.host.disk.failNext("sync");
  const flush = world.flush();
  await world.pass(20);
  expect([written.error, flush.error, world.volume.status().state]).toEqual([0, nbdError.io, "fenced"]);
  await world.run(world.volume.unfence());
  expect(world.volume.status().state).toBe("open");
  expect(world.source[0]).toBe(7);
  const again = world.flush();
  await world.pass(20);
  expect(again.error).toBe(nbdError.ok);
  const source = world.host.disk.fileAt("/source");
  expect(source.settledCount).toBe(source.changeCount);
});

test("fault 13: after a sync that failed nobody reads what may be an older state, until it was redone", async () => {
  const world = await opened();
  world.write(0, payload);
  world.host.disk.failNext("sync");
  world.flush();
  await world.pass(20);
  expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.io);
  await world.run(world.volume.unfence());
  expect(world.source[0]).toBe(7);
  const read = world.submit({ command: command.read, length: 512 });
  await world.pass(20);
  expect(read.error).toBe(nbdError.ok);
});

test("a source is opened anew when what hosts still read of it has ended; they get the newest state", async () => {
  const world = await opened();
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  const { figures } = world.volume;
  const underWay: number[] = [];
  world.wrap = (source) => {
    underWay.push(figures.slowReads - figures.slowReadsEnded);
    return source;
  };
  world.host.disk.faults.coldChance = 1;
  const read = world.submit({ command: command.read, length: 512 });
  expect(read.error).toBeUndefined();
  const unfencing = world.volume.unfence();
  await turn();
  const later = world.submit({ command: command.read, length: 512 });
  await world.run(unfencing);
  await world.pass(50);
  expect(underWay).toEqual([0]);
  expect([read, later].map(({ error, data }) => [error, data[0]])).toEqual([
    [nbdError.ok, 7],
    [nbdError.ok, 7],
  ]);
});

test("a source whose disk does not answer stays fenced, says so, and is unfenced when it has answered", async () => {
  const world = await opened();
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  world.host.disk.faults.coldChance = 1;
  world.host.disk.stall(2 * sourceClosePatienceMs);
  const read = world.submit({ command: command.read, length: 512 });
  await expect(world.run(world.volume.unfence())).rejects.toThrow("has not answered a call");
  expect(world.volume.status()).toMatchObject({ state: "fenced", why: expect.stringContaining("/source") });
  await world.pass(2 * sourceClosePatienceMs);
  await world.run(world.volume.unfence());
  expect([read.error, world.volume.status().state]).toEqual([nbdError.io, "open"]);
});

test("unfence brings back what the source missed, and the host goes on", async () => {
  const world = await opened();
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  await world.run(world.volume.unfence());
  // The host was told that it failed; but it is in the journal, so it must be in the source.
  expect(world.source.equals(world.links.replay(world.initial))).toBe(true);
  expect(world.source[0]).toBe(7);
  expect(world.write(blockBytes, payload).error).toBe(nbdError.ok);
  expect(world.source.equals(world.links.replay(world.initial))).toBe(true);
});

test("unfence of a source that is still broken fails, says why, and may be tried again", async () => {
  const world = await opened();
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  world.links.attaching = () => {
    world.host.disk.failNext("write", "EROFS");
    return Promise.resolve();
  };
  await expect(world.run(world.volume.unfence())).rejects.toThrow("EROFS");
  expect(world.volume.status()).toMatchObject({ state: "fenced", why: expect.stringContaining("EROFS") });
  // It is half redone: that is nothing the host should see.
  expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.io);
  world.links.attaching = () => Promise.resolve();
  await world.run(world.volume.unfence());
  expect(world.volume.status().state).toBe("open");
});

/** Fenced by a source that has failed, and not attached again before `goOn`. */
async function beingUnfenced() {
  const world = await opened();
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  let goOn = (): void => {};
  world.links.attaching = () =>
    new Promise((resolve) => {
      goOn = resolve;
    });
  const unfencing = world.volume.unfence();
  await world.pass(50);
  return { world, unfencing, goOn: () => goOn() };
}

test("reads wait while the source is redone", async () => {
  const { world, unfencing, goOn } = await beingUnfenced();
  const read = world.submit({ command: command.read, length: 512 });
  expect([world.volume.status().state, read.error]).toEqual(["redoing", undefined]);
  goOn();
  await world.run(unfencing);
  await world.pass(10);
  expect([read.error, read.data[0]]).toEqual([nbdError.ok, 7]);
});

test("what the source still has to do is awaited before it is opened anew", async () => {
  const world = new VolumeWorld();
  const sources: ReluctantSource[] = [];
  world.wrap = (source) => {
    sources.push(new ReluctantSource(source, () => false));
    return sources.at(-1) as ReluctantSource;
  };
  await world.open();
  await world.warmUp();
  const held: (() => void)[] = [];
  (sources[0] as ReluctantSource).heldWrites = held;
  world.write(0, payload);
  world.links.lose(new Error("the spool is broken"));
  await world.pass(20);
  expect([world.volume.status().state, held.length]).toEqual(["fenced", 1]);
  const unfencing = world.volume.unfence();
  await world.pass(1_000);
  expect(sources).toHaveLength(1);
  held[0]?.();
  await world.run(unfencing);
  expect([world.volume.status().state, world.source[0]]).toEqual(["open", 7]);
});

test("a long clear is not waited for: the rest of it is redone", async () => {
  const world = new VolumeWorld();
  let clearing: DoneCallback | undefined;
  const endless: Partial<Source> = {
    clear: (_position, _lengthBytes, _keepSpace, done) => {
      clearing = done;
    },
    endClears: () => clearing?.(new Error("the source was closed")),
  };
  world.wrap = (source) => {
    world.wrap = (next) => next;
    return Object.assign(new ReluctantSource(source, () => true), endless);
  };
  await world.open();
  await world.warmUp();
  world.trim(0, blockBytes);
  await world.pass(10);
  world.host.disk.failNext("write");
  world.write(MiB, payload);
  await world.pass(20);
  expect([clearing === undefined, world.volume.status().state]).toEqual([false, "fenced"]);
  await world.run(world.volume.unfence());
  expect(world.source.equals(world.links.replay(world.initial))).toBe(true);
  expect([world.source[0], world.source[MiB]]).toEqual([0, 7]);
});

test("a source whose server is gone fences the volume although hosts only read, and unfence connects again", async () => {
  const world = new VolumeWorld();
  const losses: ((error: Error) => void)[] = [];
  const whenLost = (told: (error: Error) => void) => void losses.push(told);
  world.wrap = (source) => Object.assign(source, { whenLost });
  await world.open();
  losses[0]?.(new ReconnectError("the server of the source is gone"));
  await world.pass(10);
  expect(world.volume.status()).toMatchObject({ state: "fenced", why: "the server of the source is gone" });
  await world.run(world.volume.unfence());
  // Of the one before nobody wants to know any more.
  losses[0]?.(new ReconnectError("the server of the source is gone"));
  await world.pass(10);
  expect([losses.length, world.volume.status().state]).toEqual([2, "open"]);
  expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.ok);
});

test("one that ends while it is being unfenced leaves nothing open or attached", async () => {
  const { world, unfencing, goOn } = await beingUnfenced();
  const ending = world.volume.stop(1_000);
  await world.pass(50);
  goOn();
  await world.run(unfencing);
  await world.run(ending);
  expect([world.volume.status().state, world.links.current]).toEqual(["stopped", undefined]);
});

test("one that is about to end is not unfenced any more", async () => {
  const world = await opened();
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  const ending = world.volume.stop(1_000);
  await expect(world.volume.unfence()).rejects.toThrow("it is stopped");
  await world.run(ending);
  expect(world.links.current).toBeUndefined();
});

test("only a fenced volume is unfenced", async () => {
  const world = await opened();
  await expect(world.volume.unfence()).rejects.toThrow("not fenced");
});

test("a map that cannot be written fences the volume: no region is written unmarked", async () => {
  const world = await VolumeWorld.opened();
  world.host.disk.failNext("sync");
  const request = world.write(0, payload);
  await world.pass(20);
  expect([request.error, world.volume.status().state]).toEqual([nbdError.io, "fenced"]);
  expect([world.links.journal, world.source.equals(world.initial)]).toEqual([[], true]);
  await world.run(world.volume.unfence());
  const again = world.write(0, payload);
  await world.pass(20);
  expect(again.error).toBe(nbdError.ok);
});

test("after a restart the fence is gone, and the redo has made the source right", async () => {
  const world = await opened();
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  world.kill();
  await world.open();
  expect([world.volume.status().state, world.source[0]]).toEqual(["open", 7]);
});

test("it is known of a fenced volume whether its group has done that or its source, each time anew", async () => {
  const world = await opened();
  expect(world.volume.status()).not.toHaveProperty("fencedBy");
  world.links.lose(new Error("the spool is broken"));
  await world.pass(20);
  expect(world.volume.status()).toMatchObject({ state: "fenced", fencedBy: "group" });
  const attach = world.links.attach.bind(world.links);
  for (const [error, fencedBy] of [
    [new RetryError("the group is stopped"), "group"],
    [new RefuseError("the source is an old image"), "volume"],
  ] as const) {
    world.links.attach = () => Promise.reject(error);
    await expect(world.run(world.volume.unfence())).rejects.toThrow(error.message);
    expect(world.volume.status()).toMatchObject({ state: "fenced", fencedBy });
  }
  world.links.attach = attach;
  await world.run(world.volume.unfence());
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  expect(world.volume.status()).toMatchObject({ state: "fenced", fencedBy: "volume" });
});

test("a source that could not be synced is read by nobody, although the volume was fenced for another reason before", async () => {
  const world = await opened();
  world.write(0, payload);
  world.host.disk.failNext("sync");
  const flush = world.flush();
  world.links.lose(new Error("the spool is broken"));
  await world.pass(50);
  expect([flush.error, world.volume.status().why]).toEqual([nbdError.io, "the spool is broken"]);
  // What the group has done is not all that is wrong with it.
  expect(world.volume.status().fencedBy).toBe("volume");
  const attach = world.links.attach.bind(world.links);
  for (const why of ["the group is stopped", "the group is stopped once more"]) {
    world.links.attach = () => Promise.reject(new RetryError(why));
    await expect(world.run(world.volume.unfence())).rejects.toThrow(why);
    expect(world.volume.status()).toMatchObject({ state: "fenced", why, fencedBy: "volume" });
  }
  world.links.attach = attach;
  expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.io);
  await world.run(world.volume.unfence());
  expect(world.submit({ command: command.read, length: 512 }).error).toBe(nbdError.ok);
});

describe("a fault of this program's own is no reason to be fenced and go on", () => {
  const fault = new AssertionError("a fact of our own does not hold");
  const fail = (): never => {
    throw fault;
  };

  test("on the way of a request: it comes out where the request came in", async () => {
    const world = await opened();
    Object.assign(world.links.current as object, { commit: fail });
    expect(() => world.write(0, payload)).toThrow(fault);
  });

  test("while the volume waits for its appliance: it ends the thread", async () => {
    const world = await opened();
    world.links.attaching = fail;
    world.links.lose(new ReconnectError("gone"));
    await expect(world.pass(1_000)).rejects.toThrow(fault);
  });
});
