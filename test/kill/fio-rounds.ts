/** fio at work while processes are killed and frozen around it; at the end it finds what it wrote. */

import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { temporaryFolder } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { FioRun } from "./fio-run.ts";
import { type Accident, drawnAccidents, freezeAndThaw, temporaryPlaces } from "./rounds.ts";

const sizeBytes = 16 * MiB;

/** Accidents go on for as long as fio writes, and fio writes that much again until there were enough of them. */
export async function accidentsUnderFio(
  mode: "sync" | "async",
  seed: number,
  { writtenBytes, accidentsMin }: { readonly writtenBytes: number; readonly accidentsMin: number },
): Promise<void> {
  const random = new SeededRandom(seed);
  const sites = await Sites.make({ sizeBytes, mode, places: await temporaryPlaces() });
  const accidents = drawnAccidents(random, Number.POSITIVE_INFINITY);
  for (let count = 0; count < accidentsMin; ) {
    const fio = await FioRun.start(await temporaryFolder(), await sites.open(), {
      sizeBytes,
      writtenBytes,
      writesPerSecond: 400,
    });
    const hasCome = async () => !fio.isRunning || (await sites.volume()).connections > 0;
    await whenSeen(async () => expect(await hasCome()).toBe(true));
    for (; fio.isRunning; count++) {
      await pause(random.between(50, 500));
      await suffer(sites, accidents.next().value as Accident);
      await sites.open();
    }
    await fio.finish();
  }
  await sites.calm();
  using replay = sites.replay();
  expect(differences(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
}

async function suffer(sites: Sites, accident: Accident): Promise<void> {
  if (accident.kind === "freeze") return freezeAndThaw(sites, accident.role);
  await sites.kill(...accident.roles);
  await sites.start(...accident.roles);
}
