/**
 * A process that seals a journal meets its end at every one of its calls to the store's files in turn. Whoever goes on finds
 * pieces that follow each other, at least those that were promised, and seals the rest.
 */
import { expect, test } from "vitest";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { driven } from "#test/contract/driver.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { plainRecords } from "./random-units.ts";
import { sealedAtMicros } from "./sealed-pieces.ts";
import { SealingWorld } from "./sealing-world.ts";

const root = "/data/store";

async function sealedUntilTheEnd(seed: number, pointsBefore: number, end: "killed" | "powerCut") {
  const simulation = new Simulation(seed);
  // What is sealed lies on another machine, so that only the store is in question.
  const host = simulation.host("store");
  const driver = simDriver(simulation.clock);
  host.files.makeFolder("/data");
  await driven(driver, new Promise((resolve) => host.files.syncFolder("/", resolve)));
  const files = new DoomedFiles(host.files, pointsBefore, () => (end === "killed" ? host.kill() : host.cutPower()));
  const world = new SealingWorld(simulation);
  const progress = { sealedSeq: 0, isDone: false };
  const story = async () => {
    world.objects = await FolderObjects.open({ files, clock: host.clock }, root);
    const sealer = await world.sealer();
    for (let round = 0; round < 3; round++) {
      world.write(8);
      await sealer.sealNext(world.lastSeq, sealedAtMicros);
      progress.sealedSeq = sealer.sealedSeq;
    }
    progress.isDone = true;
  };
  let failure: unknown;
  void story().catch((error) => {
    failure = error;
  });
  await simulation.clock.settle();
  if (!files.isDead) expect(failure).toBe(undefined);
  const reopened = async () => {
    world.objects = await driven(driver, FolderObjects.open(host, root));
  };
  return { world, host, progress, reopened, run: <Result>(work: Promise<Result>) => driven(driver, work) };
}

test.each(["killed", "powerCut"] as const)(
  "faults 7 and 10: whenever it is %s, what was sealed is there, and the rest is sealed behind it",
  async (end) => {
    for (let points = 0; ; points++) {
      const { world, progress, reopened, run } = await sealedUntilTheEnd(points, points, end);
      if (progress.isDone) {
        expect(points).toBeGreaterThan(20);
        return;
      }
      await reopened();
      world.write(8);
      const sealer = await run(world.sealer());
      expect(sealer.sealedSeq, `after ${points} calls`).toBeGreaterThanOrEqual(progress.sealedSeq);
      while ((await run(sealer.sealNext(world.lastSeq, sealedAtMicros))) !== undefined);
      expect(await run(world.sealed()), `after ${points} calls`).toEqual(plainRecords(world.units));
    }
  },
);
