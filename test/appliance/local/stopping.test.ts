import { expect, test } from "vitest";
import { GroupStateFile } from "#src/appliance/local/group-state.ts";
import { spoolIsOpening } from "#src/appliance/local/moving-group.ts";
import { systemError } from "#test/sim/system-error.ts";
import { Bench, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

test("stopped in good order, it goes on in the same epoch on a machine that was restarted", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.detach();
  await it.done(it.appliance.stop());
  it.host.cutPower();
  await it.open();
  await it.attach(0);
  expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: false });
  expect(it.figures.epoch).toBe(1);
});

test("on a full disk it stops in order too, and starts again as after a crash", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.detach();
  it.host.disk.faults.capacityBytes = 0;
  await it.done(it.appliance.stop());
  expect(it.remote.isStopped).toBe(true);
  it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  it.host.cutPower();
  await it.open();
  await it.attach(0);
  expect(it.attachment).toMatchObject({ lastOrdinal: 1, inDoubt: true });
  expect(it.figures.epoch).toBe(2);
});

test("fault 13: where the last sync fails, stopping says so, the remote is left, and the next start takes it for a loss", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.detach();
  it.host.disk.failNext("sync", "EIO");
  await expect(it.done(it.appliance.stop())).rejects.toThrow("EIO");
  expect(it.remote.isStopped).toBe(true);
  it.remote = new ScriptedRemote();
  await it.open();
  expect(it.figures.epoch).toBe(2);
  await it.attach();
  expect(it.attachment.inDoubt).toBe(true);
});

/** Killed, and started again without a descriptor for its spool. */
async function stoppedForAWhile(it: Bench): Promise<void> {
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
}

/** As it is on the disk. */
function noted({ host }: Bench) {
  const [id] = host.files.list("/data/groups");
  return GroupStateFile.read(host, `/data/groups/${id}/group.json`)?.state;
}

test("an end waits for a group that is just being opened once more, and ends it in order", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.flush();
  await it.rest();
  const { lastSeq } = it.figures;
  await stoppedForAWhile(it);
  await it.simulation.clock.pass(10_000, () => it.figures.why === spoolIsOpening);
  expect(it.figures.why).toBe(spoolIsOpening);
  await it.done(it.appliance.stop());
  expect([noted(it)?.stoppedAtSeq, it.remote.isStopped]).toEqual([lastSeq, true]);
  await it.rest(10_000);
  expect(noted(it)?.life).toBe(2);
});

test("an end waits for a group that is just being made, and none is begun behind it", async () => {
  const it = new Bench();
  await it.open();
  const making = it.appliance.addGroup({ id: "bb".repeat(16), name: "g", mode: "async" });
  await it.done(it.appliance.stop());
  await it.done(making);
  expect([noted(it)?.stoppedAtSeq, it.remote.isStopped]).toEqual([0, true]);
  await expect(it.attach()).rejects.toThrow("is being stopped");
});

test("an end on a full disk waits for no room, of a group that is being opened once more either", async () => {
  const it = await startBench();
  await it.rest();
  await stoppedForAWhile(it);
  it.host.disk.faults.capacityBytes = 0;
  await it.simulation.clock.pass(10_000, () => it.figures.why === spoolIsOpening);
  await it.done(it.appliance.stop());
  it.host.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach();
  expect(it.attachment).toMatchObject({ lastOrdinal: 0, inDoubt: false });
});
