import { expect, test } from "vitest";
import { startBench } from "./appliance-bench.ts";

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

test("fault 13: where the last sync fails, stopping says so, and the remote is left all the same", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.detach();
  it.host.disk.failNext("sync", "EIO");
  await expect(it.done(it.appliance.stop())).rejects.toThrow("EIO");
  expect(it.remote.isStopped).toBe(true);
});
