/** Folders of groups that nobody can make sense of: they are left, and told of, and keep no other group from its work. */
import { describe, expect, test } from "vitest";
import { publishDocument, readDocument } from "#src/host/document.ts";
import { systemError } from "#test/sim/system-error.ts";
import { type Bench, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

const kind = { format: "tidemark-local-group", version: 1 };
const otherId = "bb".repeat(16);

/** Two groups, `g` with a write of its volume, and `h`; the appliance was killed. */
async function killed(): Promise<{ it: Bench; id: string }> {
  const it = await startBench();
  it.write(5, 1);
  it.flush();
  await it.done(it.appliance.addGroup({ id: otherId, name: "h", mode: "async" }));
  await it.rest();
  const { id } = it.figures;
  it.host.kill();
  it.remote = new ScriptedRemote();
  return { it, id };
}

function pathOf(id: string): string {
  return `/data/groups/${id}/group.json`;
}

function flip({ host }: Bench, id: string, ...bits: readonly number[]): void {
  for (const bit of bits) host.disk.fileAt(pathOf(id)).flipBit(40, bit);
}

/** The state of a group in another folder too, there with other facts. */
function copy({ host: { files } }: Bench, from: string, to: string, facts: object = {}): Promise<void> {
  files.makeFolder(`/data/groups/${to}`);
  return publishDocument(files, pathOf(to), kind, { ...readDocument(files, pathOf(from), kind), ...facts });
}

function groupsOf({ appliance }: Bench) {
  return appliance.figures().map(({ name, state }) => `${name}: ${state}`);
}

function begin(it: Bench, name: string): Promise<void> {
  return it.done(it.appliance.addGroup({ id: "cc".repeat(16), name, mode: "async" }));
}

describe("fault 18: a group whose state cannot be read", () => {
  test("is left and says what to do, and the others start", async () => {
    const { it, id } = await killed();
    flip(it, id, 1, 2);
    await it.open();
    expect(groupsOf(it)).toEqual(["h: steady", `${id}: stopped`]);
    const why = new RegExp(`^${pathOf(id)} is damaged.*bring the file back.*take the folder away.*copied whole$`);
    expect(it.appliance.figures()[1]).toMatchObject({ id, volumeNames: [], why: expect.stringMatching(why) });
    expect(() => it.appliance.setMode(id, "sync")).toThrow(why);
    it.identity = { ...it.identity, id: "bb", group: "h" };
    await it.attach();
    expect(it.attachment.lastOrdinal).toBe(0);
  });

  test("may be any, so that none is begun and no volume is forgotten that may be its; brought back it goes on", async () => {
    const { it, id } = await killed();
    flip(it, id, 1, 2);
    await it.open();
    for (const attempt of [() => it.attach(), () => begin(it, "k")]) {
      await expect(attempt()).rejects.toMatchObject({
        name: "RetryError",
        message: expect.stringMatching(/is not begun: a folder may be that of this group.*group.json is damaged/),
      });
    }
    await expect(it.appliance.forgetVolume("aa")).rejects.toMatchObject({ name: "RetryError" });
    await it.done(it.appliance.stop());
    flip(it, id, 1, 2);
    await it.open();
    expect(groupsOf(it)).toEqual(["g: steady", "h: steady"]);
    await it.attach();
    expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
  });

  test("costs nothing where a single bit was turned, and it is turned back for good", async () => {
    const { it, id } = await killed();
    flip(it, id, 1);
    await it.open();
    await it.attach();
    expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
    expect(readDocument(it.host.files, pathOf(id), kind)).toMatchObject({ id, name: "g" });
  });

  test("fault 37: since there is no descriptor is opened by itself when there is one", async () => {
    const { it, id } = await killed();
    const { files } = it.host;
    const open = files.open.bind(files);
    files.open = (path, mode) => {
      if (path === pathOf(id)) throw systemError("EMFILE", path);
      return open(path, mode);
    };
    await it.open();
    await it.rest(12_000);
    expect(groupsOf(it)).toEqual(["h: steady", `${id}: stopped`]);
    expect(it.appliance.figures()[1]?.why).toMatch(/EMFILE.*tried again by itself$/);
    files.open = open;
    await it.rest(6_000);
    expect(groupsOf(it).toSorted()).toEqual(["g: steady", "h: steady"]);
    await it.attach();
    expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
  });
});

describe("a folder of a group that another folder has too", () => {
  test("is left where it is a copy, which its name tells, and the group starts", async () => {
    const { it, id } = await killed();
    await it.done(copy(it, id, "0-copy"));
    await it.open();
    expect(groupsOf(it)).toEqual(["g: steady", "h: steady", "0-copy: stopped"]);
    const why = `/data/groups/0-copy holds the group ${id}, as the copy of a folder does: take it away, or give it back its name`;
    expect(it.appliance.figures()[2]?.why).toContain(why);
    await it.attach();
    expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
    await begin(it, "k");
  });

  test("is left where it is another group of the same name, and the other one starts", async () => {
    const { it, id } = await killed();
    await it.done(copy(it, id, "f".repeat(32), { id: "f".repeat(32) }));
    await it.open();
    expect(groupsOf(it)).toEqual(["g: steady", "h: steady", `${"f".repeat(32)}: stopped`]);
    expect(it.appliance.figures()[2]?.why).toMatch(/holds a group 'g', and so does another folder.*take away the one/);
    await it.attach();
    expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
  });

  test("keeps its group from being begun anew where it is the only one", async () => {
    const { it, id } = await killed();
    await it.done(copy(it, id, "0-copy"));
    it.host.files.remove(pathOf(id));
    await it.open();
    await expect(it.attach()).rejects.toThrow("group 'g' is not begun: a folder of this group is there (0-copy)");
    await begin(it, "k");
  });
});

test("a group that could not be removed is still there, and no other one of its name is begun", async () => {
  const it = await startBench();
  it.remote.markAll(1);
  it.link.detach();
  it.host.disk.failNext("sync", "EIO");
  await expect(it.done(it.appliance.removeGroup("g", true))).rejects.toThrow("EIO");
  expect(groupsOf(it)).toEqual(["g: stopped"]);
  await expect(it.attach()).rejects.toThrow("the group 'g' is stopped");
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  expect(groupsOf(it)).toEqual(["g: steady"]);
});

test("what cannot be taken away of a group that was removed keeps no other group from its start", async () => {
  const { it, id } = await killed();
  const { files } = it.host;
  files.rename(pathOf(id), `/data/groups/${id}/group.removed`);
  const remove = files.remove.bind(files);
  files.remove = (path) => {
    throw systemError("EIO", path);
  };
  await it.open();
  expect(groupsOf(it)).toEqual(["h: steady"]);
  files.remove = remove;
  await it.done(it.appliance.stop());
  await it.open();
  expect(files.exists(`/data/groups/${id}/group.removed`)).toBe(false);
});
