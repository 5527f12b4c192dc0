/** Faults 15 and 37: what lacks room or descriptors for a moment is waited for, and is no failure of the group. */
import { describe, expect, test } from "vitest";
import { KiB } from "#src/core/limits.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { systemError } from "#test/sim/system-error.ts";
import { Bench, policy, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";
import { ShippingWorld } from "./shipping-world.ts";
import { range, SpoolWorld } from "./spool-world.ts";

/** Of the files that are opened from now on, these fail by their number, from 0 on. Answers how many there were. */
function lackDescriptors({ files }: SimHost, numbers: readonly number[]): () => number {
  const [open, create] = [files.open.bind(files), files.create.bind(files)];
  let count = 0;
  const take = (path: string): void => {
    if (numbers.includes(count++)) throw systemError("EMFILE", path);
  };
  files.open = (path, mode) => {
    take(path);
    return open(path, mode);
  };
  files.create = (path) => {
    take(path);
    return create(path);
  };
  return () => {
    Object.assign(files, { open, create });
    return count;
  };
}

describe("what a group knows of itself", () => {
  test.each([
    ["open", "EMFILE"],
    ["open", "ENFILE"],
    ["write", "EDQUOT"],
  ] as const)("faults 15 and 37: is noted later where the call %s answered %s", async (call, code) => {
    const it = await startBench();
    it.appliance.setMode("g", "sync");
    for (let count = 0; count < 3; count++) it.host.disk.failNext(call, code);
    await it.rest(2_000);
    it.remote.markAll(it.figures.lastSeq);
    await it.rest(1_000);
    expect(it.figures).toMatchObject({ mode: "sync", state: "steady" });
    it.host.kill();
    it.remote = new ScriptedRemote();
    await it.open();
    expect(it.figures).toMatchObject({ wantedMode: "sync" });
  });

  test("fault 37: writers wait for their seqs while there is no descriptor to reserve them with", async () => {
    const it = new Bench();
    it.policy = { ...policy, seqReserve: 8 };
    await it.start();
    for (let count = 0; count < 3; count++) it.host.disk.failNext("open", "EMFILE");
    for (let block = 0; block < 40; block++) {
      if (!it.link.hasRoomFor(1)) await it.rest(1_000);
      it.write(block, 1);
      it.link.commit();
    }
    expect(it.acknowledged.at(-1)).toBe(40);
  });

  test("fault 37: is not noted at the end where there is no descriptor then, and the next start takes that for a crash", async () => {
    const it = await startBench();
    it.write(5, 1);
    it.link.detach();
    it.host.disk.failNext("open", "EMFILE");
    await it.done(it.appliance.stop());
    it.host.kill();
    await it.open();
    await it.attach(0);
    expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
  });
});

describe("a spool", () => {
  test("fault 37: that could not be opened for want of a descriptor is not called lost, and is whole the next time", async () => {
    const world = new SpoolWorld(1, { limitBytes: 64 * 32 * KiB });
    await world.open();
    while (world.paths.length < 4) world.append([2]);
    await world.sync();
    const { lastSeq } = world.spool;
    let failures = 0;
    for (let number = 0; failures === number; number++) {
      world.host.kill();
      const undo = lackDescriptors(world.host, [number]);
      await world.open().catch((error: Error) => {
        expect(error).toMatchObject({ name: "RetryError", message: expect.stringContaining("EMFILE") });
        failures++;
      });
      undo();
    }
    expect(failures).toBeGreaterThan(8);
    expect(await world.read()).toEqual(range(1, lastSeq));
  });

  test("fault 15: nor is one whose owner has used up his share of the disk", async () => {
    const world = new SpoolWorld();
    await world.open();
    world.append([2]);
    await world.sync();
    world.host.kill();
    world.host.disk.failNext("sync", "EDQUOT");
    await expect(world.open()).rejects.toMatchObject({ name: "RetryError" });
    await world.open();
    expect(await world.read()).toEqual([1]);
  });
});

test("fault 37: a start without a descriptor puts no source in doubt, and stops no group for long", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.flush();
  await it.rest();
  let failures = 0;
  for (let number = 0; failures === number; number++) {
    it.host.kill();
    it.remote = new ScriptedRemote();
    const undo = lackDescriptors(it.host, [number]);
    const why = await it.open().then(
      () => it.figures.why,
      (error: Error) => error.message,
    );
    undo();
    if (why === undefined) break;
    expect(why).toContain("EMFILE");
    failures++;
    await it.rest(10_000);
  }
  expect(failures).toBeGreaterThan(2);
  expect(it.figures).toMatchObject({ state: "steady", epoch: 1 });
  await it.attach();
  expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
});

/** Killed with one write in the spool, and started again without room. `said`: what was logged of room since then. */
async function onFullDisk() {
  const it = await startBench();
  it.write(5, 1);
  it.flush();
  await it.rest();
  it.host.disk.faults.capacityBytes = 0;
  it.host.kill();
  it.remote = new ScriptedRemote();
  const said = (): string[] => it.simulation.trace.lines.filter((line) => line.includes("room"));
  const before = said().length;
  await it.open();
  return { it, said: () => said().slice(before) };
}

describe("fault 15: a start on a full disk", () => {
  test("is done without the groups that lack room, which say so and go on by themselves", async () => {
    const { it, said } = await onFullDisk();
    await it.rest(10_000);
    expect(it.figures).toMatchObject({
      name: "g",
      state: "stalled",
      why: expect.stringContaining("no room on the disk"),
    });
    await expect(it.attach()).rejects.toMatchObject({
      name: "RetryError",
      message: expect.stringContaining("make some"),
    });
    await expect(it.appliance.forgetVolume("aa")).rejects.toMatchObject({ name: "RetryError" });
    expect(said()).toHaveLength(1);
    it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
    await it.rest(1_000);
    expect(said()).toHaveLength(2);
    await it.attach();
    expect([it.attachment.lastOrdinal, it.figures.state]).toEqual([1, "steady"]);
  });

  test("may be stopped, and the next one finds all as it was", async () => {
    const { it, said } = await onFullDisk();
    await it.done(it.appliance.stop());
    expect(said()).toHaveLength(1);
    it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
    it.remote = new ScriptedRemote();
    await it.open();
    await it.attach();
    expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
  });
});

test.each([1, 2])(
  "where %i reads fail when there is room at last, a group is stopped, and nobody begins another of its name",
  async (count) => {
    const { it } = await onFullDisk();
    await it.rest(2_000);
    for (let failures = 0; failures < count; failures++) it.host.disk.failNext("read", "EIO");
    it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
    await it.rest(10_000);
    expect(it.figures).toMatchObject({ name: "g", state: "stopped", why: expect.stringContaining("EIO") });
    await expect(it.attach()).rejects.toThrow("the group 'g' is stopped");
    expect(it.appliance.figures()).toHaveLength(1);
  },
);

test("where descriptors lack, too, when there is room, a group is opened by itself when there are some", async () => {
  const { it } = await onFullDisk();
  await it.rest(2_000);
  const undo = lackDescriptors(it.host, range(0, 40));
  it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  await it.rest(3_000);
  undo();
  await it.rest(20_000);
  expect(it.figures.state).toBe("steady");
  await it.attach();
  expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
});

test.each([20, 8, 4, 2, 1, 0.5])(
  "a volume that is forgotten %i ms before its group is opened once more stays forgotten",
  async (beforeMs) => {
    const it = await startBench();
    await it.rest();
    it.host.kill();
    it.remote = new ScriptedRemote();
    const { files } = it.host;
    const open = files.open.bind(files);
    files.open = (path, mode) => {
      if (path.includes("/spool")) throw systemError("EMFILE", path);
      return open(path, mode);
    };
    await it.open();
    files.open = open;
    expect(it.figures.state).toBe("stopped");
    await it.rest(5_000 - beforeMs);
    await it.done(it.appliance.forgetVolume("aa"));
    await it.rest(10_000);
    expect(it.figures).toMatchObject({ state: "steady", volumeNames: [] });
    it.host.kill();
    it.remote = new ScriptedRemote();
    await it.open();
    expect(it.figures.volumeNames).toEqual([]);
  },
);

test("a group that could not be made goes on with what is there of it when it is named again, and is there once", async () => {
  const it = new Bench();
  await it.open();
  const { files } = it.host;
  const create = files.create.bind(files);
  files.create = (path) => {
    if (path.includes("/spool")) throw systemError("EMFILE", path);
    return create(path);
  };
  await expect(it.attach()).rejects.toThrow("EMFILE");
  files.create = create;
  await it.attach();
  it.write(5, 1);
  it.flush();
  await it.rest();
  expect(files.list("/data/groups")).toHaveLength(1);
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach();
  expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
});

describe("fault 15: on a full disk", () => {
  test("no group is begun, who names one hears so, and may name it again", async () => {
    const it = new Bench();
    await it.open();
    it.host.disk.faults.capacityBytes = 0;
    const refusal = {
      name: "RetryError",
      message: expect.stringMatching(
        /^there is no room on the disk of the local appliance to begin group 'g' .*make some, and try again$/,
      ),
    };
    await expect(it.attach()).rejects.toMatchObject(refusal);
    const begun = it.appliance.addGroup({ id: "bb".repeat(16), name: "g", mode: "async" });
    await expect(it.done(begun)).rejects.toMatchObject(refusal);
    expect(it.appliance.figures()).toEqual([]);
    it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
    await it.attach();
    expect([it.figures.state, it.host.files.list("/data/groups")]).toEqual(["steady", [it.figures.id]]);
  });

  test("a group that was begun goes on as others do, with what it has to note", async () => {
    const it = await startBench();
    it.host.disk.faults.capacityBytes = 0;
    it.appliance.setMode("g", "sync");
    await it.rest(2_000);
    it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
    await it.rest(1_000);
    it.remote.markAll(it.figures.lastSeq);
    await it.rest(1_000);
    expect(it.figures).toMatchObject({ wantedMode: "sync", mode: "sync", state: "steady" });
  });

  test("no volume joins a group, and who brings it hears so, at once or when it comes to wait", async () => {
    const it = await startBench();
    it.host.disk.faults.capacityBytes = 0;
    it.identity = { ...it.identity, id: "bb", name: "other" };
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(it.attach()).rejects.toMatchObject({
        name: "RetryError",
        message: expect.stringMatching(/^group 'g' has no room .*make some, and try again$/),
      });
    }
    it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
    await it.rest(1_000);
    await it.attach();
    expect(it.figures.volumeNames).toEqual(["disk", "other"]);
  });
});

test("fault 37: a volume whose redo found no descriptor may come again, and gets it then", async () => {
  const it = await startBench();
  for (let block = 0; block < 60; block++) {
    it.write(block, 1);
    it.link.commit();
  }
  it.flush();
  await it.rest();
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  const undo = lackDescriptors(it.host, [0]);
  await expect(it.attach()).rejects.toMatchObject({ name: "RetryError" });
  undo();
  expect(it.figures.state).toBe("steady");
  await it.attach();
  expect(it.redone).toHaveLength(60);
});

describe("fault 37: what is shipped from the spool", () => {
  /** Batches in several files, the mode of which changes in the middle, that are all read back from there. */
  async function shipped(numbers: readonly number[]): Promise<number> {
    const world = await ShippingWorld.make({
      mode: "async",
      spool: { segmentBytes: 128 * KiB, limitBytes: 8192 * KiB },
    });
    const write = (count: number): void => {
      // From back to front: an aggregate has them in the order of their blocks.
      for (let block = count; block > 0; block--) world.write(block * 8, [block, 1, 2, block]).commit();
    };
    write(12);
    world.switchTo("aggregated");
    write(24);
    world.switchTo("async");
    write(12);
    world.spool.sync(() => {});
    await world.pass(1_000);
    const undo = lackDescriptors(world.host, numbers);
    world.connect();
    await world.arrive();
    return undo();
  }

  test("waits for a descriptor, and goes on where it was", async () => {
    const count = await shipped([]);
    expect(count).toBeGreaterThan(8);
    for (let number = 0; number < count; number++) {
      // The last of them is the one that it works with at the third attempt.
      expect(await shipped([number, number + 1]), `from the ${number}th`).toBe(count + 2);
    }
  });

  test("is left where the link goes meanwhile, and begins anew with the next", async () => {
    const world = await ShippingWorld.make({ mode: "async", spool: { segmentBytes: 128 * KiB } });
    for (let block = 0; block < 20; block++) world.write(block, [block, 1, 2, 3]).commit();
    world.spool.sync(() => {});
    await world.pass(1_000);
    const undo = lackDescriptors(world.host, range(0, 999));
    world.connect();
    await world.pass(1_000);
    expect([world.remote.received, world.failures]).toEqual([0, []]);
    world.cut();
    undo();
    await world.pass(1_000);
    expect(world.remote.events).toEqual([]);
    world.connect();
    await world.arrive();
  });
});
