/** A spool that is lost, and how a group goes on from its sources. */
import { describe, expect, test } from "vitest";
import { spoolAnew } from "#src/appliance/local/spool-place.ts";
import { ResyncError } from "#src/core/errors.ts";
import { recordType } from "#src/records/record.ts";
import type { SourceAge } from "#src/wire/volume-link.ts";
import { systemError } from "#test/sim/system-error.ts";
import { type Bench, policy, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

/** In the header of a log's file. */
const versionAt = 4;

/** From now on no folder can be made there. */
function failBelow({ host }: Bench, parent: string, code: string): () => void {
  const making = host.files.makeFolder.bind(host.files);
  host.files.makeFolder = (path) => {
    if (path.startsWith(parent)) throw systemError(code, path);
    making(path);
  };
  return () => {
    host.files.makeFolder = making;
  };
}

/** The appliance was killed, and comes back to a folder without its spool. */
async function withoutSpool(): Promise<Bench> {
  const it = await startBench();
  it.write(5, 1);
  it.flush();
  await it.rest();
  it.link.reportDurable(1);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest();
  it.host.kill();
  const { files } = it.host;
  const folder = `/data/groups/${it.figures.id}/spool`;
  for (const name of files.list(folder)) files.remove(`${folder}/${name}`);
  it.remote = new ScriptedRemote();
  await it.open();
  return it;
}

describe("a group whose spool is gone", () => {
  test("is stopped, says so and what to do, and refuses volumes, which may come again", async () => {
    const it = await withoutSpool();
    expect(it.figures).toMatchObject({
      state: "stopped",
      volumeNames: ["disk"],
      why: expect.stringMatching(/^the spool in \/data\/groups\/.* is gone, and what was in it: .*volume move-spool'$/),
    });
    await expect(it.attach()).rejects.toMatchObject({
      name: "RetryError",
      message: expect.stringContaining("is gone"),
    });
    expect(() => it.appliance.setMode("g", "sync")).toThrow("the group 'g' is stopped");
  });

  test("keeps no other group from its work, and can be looked at again after a restart", async () => {
    const it = await withoutSpool();
    await it.done(it.appliance.addGroup({ id: "bb".repeat(16), name: "h", mode: "async" }));
    expect(it.appliance.figures().map(({ name, state }) => [name, state])).toEqual([
      ["h", "steady"],
      ["g", "stopped"],
    ]);
    await it.done(it.appliance.stop());
    it.remote = new ScriptedRemote();
    await it.open();
    expect(
      it.appliance
        .figures()
        .map(({ state }) => state)
        .sort(),
    ).toEqual(["steady", "stopped"]);
  });

  test("says while its spool is moved that this is so, and that what is asked for can be asked again", async () => {
    const it = await withoutSpool();
    const moved = it.appliance.moveSpool("g", undefined);
    expect(it.appliance.figures()).toMatchObject([{ name: "g", state: "stalled", why: "its spool is being moved" }]);
    const again = expect.objectContaining({ name: "RetryError", message: expect.stringMatching(/moved: try again/) });
    expect(() => it.appliance.setMode("g", "sync")).toThrow(again);
    await expect(it.appliance.removeGroup("g", true)).rejects.toEqual(again);
    await it.done(moved);
    expect(it.appliance.figures()).toMatchObject([{ name: "g", state: "steady" }]);
    it.appliance.setMode("g", "sync");
  });

  test.each([
    ["write", "ENOSPC"],
    ["open", "EMFILE"],
    ["sync", "EIO"],
  ] as const)(
    "fault 15: stays as it was where its new spool cannot be begun (%s: %s), and is moved again",
    async (call, code) => {
      const it = await withoutSpool();
      const before = it.figures;
      const opening = it.host.files.makeFolder.bind(it.host.files);
      // The folder of the new spool: what comes next is its first file.
      it.host.files.makeFolder = (path) => {
        opening(path);
        if (path.includes("/spool-")) it.host.disk.failNext(call, code);
      };
      await expect(it.done(it.appliance.moveSpool("g", undefined))).rejects.toThrow(
        new RegExp(`${code}.*: the spool stays where it was`),
      );
      it.host.files.makeFolder = opening;
      expect(it.figures).toEqual(before);
      await expect(it.attach(1)).rejects.toMatchObject({ name: "RetryError" });
      await it.done(it.appliance.moveSpool("g", undefined));
      expect(it.appliance.figures()).toMatchObject([{ id: before.id, state: "steady" }]);
      await it.attach(1);
      expect(it.attachment.inDoubt).toBe(true);
    },
  );

  test("goes on with a new spool: in an epoch beyond all that was, from nothing, with its volumes in doubt", async () => {
    const it = await withoutSpool();
    await it.done(it.appliance.moveSpool("g", undefined));
    it.remote.come({ received: 3, durable: 3, stored: 3 });
    await it.attach(1);
    expect(it.attachment).toMatchObject({ inDoubt: true, lastOrdinal: 1 });
    expect(it.figures).toMatchObject({ state: "steady", epoch: 1 + 2 ** 16 });
    it.write(6, 2);
    it.link.commit();
    await it.rest();
    const [epoch] = it.remote.shipped;
    expect(epoch?.type).toBe(recordType.epoch);
    expect(epoch?.seq).toBeGreaterThan(2 ** 40);
    expect(it.remote.durableAsked).toEqual([]);
    // Nothing of what the remote has came back.
    expect(it.redone).toEqual([]);
  });

  test("finds its new spool again at the next start, and what is left of the old one is left", async () => {
    const it = await withoutSpool();
    it.host.files.makeFolder("/other");
    await it.done(it.appliance.moveSpool("g", "/other"));
    await it.attach(1);
    it.write(6, 2);
    it.flush();
    await it.rest();
    const { lastSeq } = it.figures;
    expect(it.host.files.list("/other")).toHaveLength(1);
    it.host.kill();
    it.remote = new ScriptedRemote();
    await it.open();
    expect(it.figures).toMatchObject({ state: "steady", lastSeq });
    await it.attach(1);
    expect(it.redone.map((record) => record.startBlock)).toEqual([6]);
    expect(it.host.files.exists(`/data/groups/${it.figures.id}/spool`)).toBe(true);
  });
});

test("fault 18: a turned bit in the header of a spool's file stops nothing; two stop the group that has it, and no other", async () => {
  for (const bits of [1, 2]) {
    const it = await startBench();
    await it.done(it.appliance.addGroup({ id: "bb".repeat(16), name: "h", mode: "async" }));
    it.host.kill();
    const folder = `/data/groups/${it.figures.id}/spool`;
    const [name] = it.host.files.list(folder);
    for (let bit = 0; bit < bits; bit++) it.host.disk.fileAt(`${folder}/${name}`).flipBit(versionAt, bit);
    it.remote = new ScriptedRemote();
    await it.open();
    const states = it.appliance.figures().map((group) => [group.name, group.state]);
    expect(new Map(states as [string, string][])).toEqual(
      new Map([
        ["g", bits === 1 ? "steady" : "stopped"],
        ["h", "steady"],
      ]),
    );
  }
});

test("fault 9: killed at any moment while it is moved, it is stopped as before, or goes on with the new spool", async () => {
  for (let steps = 0; steps < 40; steps++) {
    const it = await withoutSpool();
    it.appliance.moveSpool("g", undefined).catch(() => {});
    for (let step = 0; step < steps; step++) it.simulation.clock.step();
    await it.rest(0);
    it.host.cutPower();
    it.remote = new ScriptedRemote();
    await it.open();
    const { state } = it.figures;
    expect(["stopped", "steady"], `after ${steps} steps`).toContain(state);
    if (state === "stopped") await it.done(it.appliance.moveSpool("g", undefined));
    await it.attach(1);
    expect(it.attachment.inDoubt).toBe(true);
  }
});

test("fault 9: a new spool that is lost in turn, at any moment, takes no number that may have been given", async () => {
  for (let steps = 0; steps < 60; steps++) {
    const it = await withoutSpool();
    const group = `/data/groups/${it.figures.id}`;
    it.appliance.moveSpool("g", undefined).catch(() => {});
    for (let step = 0; step < steps; step++) {
      it.simulation.clock.step();
      if (step % 5 === 0) await it.rest(0);
    }
    await it.rest(0);
    it.host.kill();
    const { files } = it.host;
    for (const spool of files.list(group).filter((name) => name.startsWith("spool-")))
      for (const name of files.list(`${group}/${spool}`)) files.remove(`${group}/${spool}/${name}`);
    it.remote = new ScriptedRemote();
    await it.open();
    if (it.figures.state === "stopped") continue;
    await it.attach(1);
    expect(it.figures.lastSeq, `after ${steps} steps`).toBeGreaterThan(2 ** 40);
  }
});

test("a group that works keeps its spool", async () => {
  const it = await startBench();
  await expect(it.appliance.moveSpool("g", undefined)).rejects.toThrow("the spool of group 'g' is sound");
  await expect(it.appliance.moveSpool("g", "/nowhere")).rejects.toThrow("there is no folder /nowhere");
  await expect(it.appliance.moveSpool("x", undefined)).rejects.toThrow("there is no group 'x'");
});

test("a group that the remote refuses goes on with the spool it has where another cannot be begun", async () => {
  const it = await startBench();
  it.remote.refuse(new ResyncError("it has let go of some"));
  it.host.files.makeFolder("/other");
  failBelow(it, "/other/", "EROFS");
  await expect(it.done(it.appliance.moveSpool("g", "/other"))).rejects.toThrow(/EROFS.*: the spool stays where it was/);
  expect([it.figures.state, it.lost]).toEqual(["steady", []]);
  it.write(1, 1);
  it.link.commit();
  expect(it.acknowledged).toEqual([1]);
});

describe("a start that cannot make a group's first spool", () => {
  const id = "bb".repeat(16);

  /** Beside another group, which is well. `undo`: it can be made from now on. */
  async function startedWithout(code: string): Promise<{ readonly it: Bench; readonly undo: () => void }> {
    const it = await startBench();
    const undo = failBelow(it, `/data/groups/${id}/spool`, code);
    await expect(it.done(it.appliance.addGroup({ id, name: "h", mode: "async" }))).rejects.toThrow(code);
    it.host.kill();
    it.remote = new ScriptedRemote();
    await it.open();
    return { it, undo };
  }

  function conditions({ appliance }: Bench): Record<string, string> {
    return Object.fromEntries(appliance.figures().map(({ name, state }) => [name, state]));
  }

  test.each(["EROFS", "EACCES", "ENOSPC", "EMFILE"])(
    "keeps no other group from its work (%s), and another is begun",
    async (code) => {
      const { it } = await startedWithout(code);
      expect(conditions(it)).toEqual({ g: "steady", h: "stopped" });
      const stopped = it.appliance.figures().find(({ name }) => name === "h");
      expect(stopped?.why).toMatch(new RegExp(`${code}.*volume move-spool`));
      it.host.files.makeFolder("/other");
      await it.done(it.appliance.moveSpool("h", "/other"));
      expect(conditions(it)).toEqual({ g: "steady", h: "steady" });
      await it.done(it.appliance.stop());
    },
  );

  test.each(["ENOSPC", "EMFILE"])("goes on by itself where it was for want of room (%s)", async (code) => {
    const { it, undo } = await startedWithout(code);
    await it.rest(60_000);
    expect(conditions(it)).toEqual({ g: "steady", h: "stopped" });
    undo();
    await it.rest(10_000);
    expect(conditions(it)).toEqual({ g: "steady", h: "steady" });
    await it.done(it.appliance.stop());
  });
});

test("a spool that the remote refuses is kept while a source gets what it lacks from it, and moved behind that", async () => {
  const it = await startBench();
  for (let block = 1; block <= 3; block++) it.write(block, block);
  it.flush();
  await it.rest();
  it.link.detach();
  it.remote.refuse(new ResyncError("it has let go of some"));
  const held: (() => void)[] = [];
  it.redo = () => new Promise((resolve) => held.push(resolve));
  const attaching = it.attach(1);
  await it.rest();
  const refusal = "the source of 'disk' is being brought up to date from the spool: try again when that is done";
  await expect(it.appliance.moveSpool("g", undefined)).rejects.toThrow(refusal);
  for (let count = 0; count < 2; count++) {
    held.shift()?.();
    await it.rest();
  }
  await attaching;
  // As long as its interceptor has not noted it, that would begin anew after a kill.
  await expect(it.appliance.moveSpool("g", undefined)).rejects.toThrow(refusal);
  it.link.reportDurable(3);
  await it.done(it.appliance.moveSpool("g", undefined));
});

test("what is left out is more than an old copy can lack, and can be left out thousands of times", () => {
  let state = {
    ...{ id: "aa", name: "g", life: 3, bootId: "one", epoch: 2, seqCeiling: 5_000, epochSeq: null, stoppedAtSeq: null },
    ...{ incarnation: 7, spoolFolder: null, isSpoolNew: false, wantedMode: "async", mode: "async", volumes: [] },
  } as Parameters<typeof spoolAnew>[0];
  for (let count = 0; count < 8_000; count++) {
    const anew = { groupFolder: "/g", incarnation: count, bootId: "one", seqReserve: policy.seqReserve };
    const next = { ...state, ...spoolAnew(state, anew) };
    expect([next.epochSeq, next.epoch].every(Number.isSafeInteger)).toBe(true);
    state = next;
  }
  expect(state.epoch).toBeLessThan(2 ** 32);
});

describe("a source that has less than it was said to have", () => {
  async function old(sourceAge?: SourceAge): Promise<Bench> {
    const it = await startBench();
    for (let block = 1; block <= 3; block++) it.write(block, block);
    it.flush();
    await it.rest();
    it.link.reportDurable(3);
    it.link.detach();
    await it.rest();
    await it.attach(1, sourceAge);
    return it;
  }

  test("is refused, and what to do is said", async () => {
    await expect(old()).rejects.toThrow(
      "the source of 'disk' had its first 3 changes, and now has 1 of them, as an old image does: put the newest one back, " +
        "or take this one as it is with 'tidemark volume resync disk'",
    );
  });

  test("gets what the spool has where nobody knows how old it is", async () => {
    const it = await old("unknown");
    expect(it.redone.map((record) => record.ordinal)).toEqual([2, 3]);
  });

  test("gets nothing where it is to be taken as it is", async () => {
    const it = await old("accepted");
    expect([it.redone, it.attachment.lastOrdinal]).toEqual([[], 3]);
  });
});
