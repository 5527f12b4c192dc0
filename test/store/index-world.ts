/** An index in a world of its own: what it is opened with, made-up segments for it, and questions to it. */
import { expect, onTestFinished } from "vitest";
import { holeAddress } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { type FingerprintIndexParts, openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import { type Driver, driven, realDriver } from "#test/contract/driver.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { found, store } from "./index-blocks.ts";
import { realIndexParts } from "./real-index.ts";
import { rememberingLog } from "./remembering-log.ts";

/** Bounds so small that everything is over them soon. */
export const tight = { gatherBytesMax: 1, filterBytesMax: 64 };

export interface IndexWorld {
  parts(): FingerprintIndexParts;
  readonly driver: Driver;
  readonly warnings: string[];
  open(changed?: Partial<FingerprintIndexParts>): Promise<FingerprintIndex>;
  drive<Result>(promise: Promise<Result>): Promise<Result>;
}

export interface SimIndexWorld extends IndexWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
}

export function simIndexWorld(seed: number): SimIndexWorld {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  host.files.makeFolder("/index");
  host.files.syncFolder("/", (error) => expect(error).toBe(null));
  simulation.clock.runUntilIdle();
  const warnings: string[] = [];
  const { files, clock, randomness } = host;
  const machine = { files, clock, randomness, maps: new SimSortedMaps(files), folder: "/index" };
  const parts = (): FingerprintIndexParts => ({
    ...machine,
    bootId: host.bootId,
    store,
    log: rememberingLog(warnings),
  });
  return { ...worldOf(parts, simDriver(simulation.clock), warnings), simulation, host };
}

export function realIndexWorld(folder = temporaryFolder()): IndexWorld {
  const warnings: string[] = [];
  const parts = realIndexParts(folder, warnings);
  return worldOf(() => parts, realDriver, warnings);
}

function worldOf(parts: () => FingerprintIndexParts, driver: Driver, warnings: string[]): IndexWorld {
  const drive = <Result>(promise: Promise<Result>): Promise<Result> => driven(driver, promise);
  return {
    parts,
    driver,
    warnings,
    drive,
    open: (changed = {}) => drive(openFingerprintIndex({ ...parts(), ...changed })),
  };
}

export function expectUnknown(index: FingerprintIndex, blocks: readonly number[]): void {
  expect(found(index, blocks)).toEqual(blocks.map(() => holeAddress));
}

/** Closed when the test is over. */
export async function openedIndex(
  world: IndexWorld,
  changed?: Partial<FingerprintIndexParts>,
): Promise<FingerprintIndex> {
  const index = await world.open(changed);
  onTestFinished(() => world.drive(index.close()));
  return index;
}
