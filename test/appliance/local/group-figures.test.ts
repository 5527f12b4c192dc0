import { expect, test } from "vitest";
import { startBench } from "./appliance-bench.ts";

test("a group that waits for room says whether its disk is full or its spool at the limit", async () => {
  const onFullDisk = await startBench("async");
  onFullDisk.host.disk.faults.capacityBytes = 0;
  onFullDisk.write(5, 1);
  onFullDisk.link.commit();
  expect(onFullDisk.figures).toMatchObject({ state: "stalled", why: expect.stringContaining("disk is full") });

  const atLimit = await startBench("async");
  for (let block = 0; block < 1000 && atLimit.link.hasRoomFor(1); block++) {
    atLimit.write(block, 1);
    atLimit.link.commit();
  }
  expect(atLimit.figures).toMatchObject({ state: "stalled", why: expect.stringContaining("local.spool.limit") });
});

test("a volume that no interceptor has is told as missing, also after a start, and one that came back is not", async () => {
  const it = await startBench();
  expect(it.figures).not.toHaveProperty("missingVolumes");
  it.link.detach();
  expect(it.figures).toMatchObject({ volumeNames: ["disk"], missingVolumes: ["disk"] });
  await it.done(it.appliance.stop());
  it.appliance = await it.done(it.begin());
  expect(it.figures).toMatchObject({ volumeNames: ["disk"], missingVolumes: ["disk"] });
  await it.attach();
  expect(it.figures).not.toHaveProperty("missingVolumes");
});
