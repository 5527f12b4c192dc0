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

test("fault 13: where the last sync fails, stopping says so, and the remote is left all the same", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.detach();
  it.host.disk.failNext("sync", "EIO");
  await expect(it.done(it.appliance.stop())).rejects.toThrow("EIO");
  expect(it.remote.isStopped).toBe(true);
});
