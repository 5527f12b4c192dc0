/** History that expires and room that comes back, over processes as they are. */
import { expect, test } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { whenSeen } from "#test/patience.ts";
import { OverwrittenVolume, writesPerRound } from "./overwritten-volume.ts";

needPrograms("setpriv");

test("what is to be let go of goes by itself", async () => {
  const world = new OverwrittenVolume();
  await world.start("store.collect.everySeconds=3");
  for (let round = 0; round < 3; round++) await world.round();
  await whenSeen(async () => {
    const { jobs } = (await world.up.got("/api/v1/jobs")).body as { readonly jobs: readonly JobReport[] };
    const done = jobs.filter(({ kind, state, by }) => kind === "collect" && state === "done" && by === "schedule");
    expect(done.some(({ result }) => (result?.figures.freedBytes ?? 0) > 0)).toBe(true);
  });
  expect(await world.checkPoints()).toBeLessThan(3 * writesPerRound);
  await world.up.program.stop();
});
