/** History that expires and room that comes back, while programs are ended, started again, and killed in the middle. */
import { expect, test, vi } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { patience, whenSeen } from "#test/patience.ts";
import { OverwrittenVolume, writesPerRound } from "./overwritten-volume.ts";

needPrograms("setpriv");

test("fault 8: claim A10: what has expired gives its room back, and every point that is kept reads, over restarts and kills", async () => {
  const world = new OverwrittenVolume();
  await world.start("store.collect.everySeconds=off");
  for (let round = 0; round < 5; round++) await world.round();
  const beforeBytes = world.segmentBytes();
  expect(await world.checkPoints()).toBe(5 * writesPerRound + 1);

  const planned = (await world.up.asked("collect", "--dry-run")) as JobReport;
  expect([planned.dryRun, planned.state, planned.result?.isSound]).toEqual([true, "done", true]);
  expect(planned.result?.figures.expiredPieces).toBeGreaterThan(0);
  expect(await world.checkPoints()).toBe(5 * writesPerRound + 1);

  // Slowly, so that it is killed in the middle.
  await world.up.program.stop();
  await world.start("store.collect.everySeconds=off", "store.collect.bytesPerSecond=64K");
  const { id } = (await world.up.asked("collect", "--no-wait")) as JobReport;
  await vi.waitFor(() => expect(world.isCollecting()).toBe(true), { ...patience, interval: 1 });
  const keeperId = world.keeperId();
  expect(keeperId).toBeDefined();
  process.kill(keeperId as number, "SIGKILL");
  await whenSeen(async () => {
    const job = (await world.up.got(`/api/v1/jobs/${id}`)).body as JobReport;
    expect([job.state, job.why]).toEqual(["waiting", expect.stringContaining("SIGKILL")]);
  });
  await world.up.program.stop();

  // It goes on by itself.
  await world.start("store.collect.everySeconds=off");
  const collected = await world.job(id);
  expect(collected).toMatchObject({ kind: "collect", state: "done", result: { isSound: true } });
  expect(world.segmentBytes()).toBeLessThan(0.8 * beforeBytes);
  const kept = await world.checkPoints();
  expect(kept).toBeLessThan(5 * writesPerRound);

  await world.round();
  expect(await world.checkPoints()).toBe(kept + writesPerRound);
  expect(((await world.up.asked("verify", "store")) as JobReport).result).toMatchObject({ isSound: true, lines: [] });
  const scrubbed = (await world.up.asked("scrub")) as JobReport;
  expect(scrubbed).toMatchObject({ kind: "scrub", state: "done", result: { isSound: true, lines: [] } });
  await world.up.program.stop();
});
