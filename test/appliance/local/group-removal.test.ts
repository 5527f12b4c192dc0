import { describe, expect, test } from "vitest";
import { type Bench, startBench } from "./appliance-bench.ts";

/** A volume with a write that everybody has, whose interceptor has left. */
async function unused(): Promise<Bench> {
  const it = await startBench();
  it.write(5, 1);
  it.link.commit();
  await it.rest();
  it.link.reportDurable(1);
  it.link.detach();
  it.remote.markAll(2);
  await it.rest();
  return it;
}

function filesOf({ host: { files } }: Bench): string[] {
  return files.list("/data/groups").flatMap((id) => {
    const folder = `/data/groups/${id}`;
    const spool = files.exists(`${folder}/spool`) ? files.list(`${folder}/spool`) : [];
    return [...files.list(folder).filter((name) => name !== "spool"), ...spool];
  });
}

describe("a group is not removed", () => {
  test("while a volume of it is attached", async () => {
    const it = await startBench();
    it.remote.markAll(1);
    await expect(it.done(it.appliance.removeGroup("g", true))).rejects.toThrow("a volume of it is attached");
  });

  test("before the remote appliance has all of it durably", async () => {
    const it = await startBench();
    it.write(5, 1);
    it.link.commit();
    it.link.reportDurable(1);
    it.link.detach();
    it.remote.mark({ received: 2, durable: 1, stored: 1 });
    await expect(it.done(it.appliance.removeGroup("g", true))).rejects.toThrow("has a record for the remote appliance");
    expect(it.figures.name).toBe("g");
  });

  test("while its records may be missing in a source that is still protected", async () => {
    const it = await startBench();
    it.write(5, 1);
    it.link.commit();
    await it.rest();
    it.link.detach();
    it.remote.markAll(2);
    await expect(it.done(it.appliance.removeGroup("g", false))).rejects.toThrow("a source may lack");
    await it.done(it.appliance.removeGroup("g", true));
    expect(it.appliance.figures()).toEqual([]);
  });
});

test("a group that nobody needs leaves nothing, also after a cut of the power", async () => {
  const it = await unused();
  expect(filesOf(it)).toContain("group.json");
  await it.done(it.appliance.removeGroup("g", false));
  expect([it.appliance.figures(), filesOf(it)]).toEqual([[], []]);
  it.host.cutPower();
  await it.open();
  expect([it.appliance.figures(), filesOf(it)]).toEqual([[], []]);
});

test("the name can be used at once again, for another group", async () => {
  const it = await unused();
  const before = it.figures.id;
  const removed = it.appliance.removeGroup("g", false);
  await it.attach(0);
  await it.done(removed);
  expect([it.figures.name, it.figures.id === before]).toEqual(["g", false]);
});

test("what a crash interrupted is finished at the next start", async () => {
  const it = await unused();
  const { files } = it.host;
  const [id] = files.list("/data/groups");
  await it.done(it.appliance.stop());
  files.rename(`/data/groups/${id}/group.json`, `/data/groups/${id}/group.removed`);
  await it.open();
  expect([it.appliance.figures(), filesOf(it)]).toEqual([[], []]);
});

test("a spool whose state is lost for another reason is left alone", async () => {
  const it = await unused();
  const { files } = it.host;
  const [id] = files.list("/data/groups");
  await it.done(it.appliance.stop());
  files.remove(`/data/groups/${id}/group.json`);
  const before = filesOf(it);
  await it.open();
  expect([before.length > 0, filesOf(it)]).toEqual([true, before]);
});
