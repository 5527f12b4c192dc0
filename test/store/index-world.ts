/** An index in a world of its own: what it is opened with, made-up segments for it, and questions to it. */
import { expect, onTestFinished } from "vitest";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { nodeRandomness } from "#src/host/node/randomness.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { addressOf, holeAddress } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { type FingerprintIndexParts, openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { KeptFingerprints, SegmentFingerprints, SegmentName } from "#src/store/segment-fingerprints.ts";
import { type Driver, driven, realDriver } from "#test/contract/driver.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { rememberingLog } from "./remembering-log.ts";

export const store = Buffer.alloc(16, 7);
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
  const machine = { files: nodeFiles, clock: nodeClock, randomness: nodeRandomness, maps: lmdbMaps };
  const parts = { ...machine, folder, bootId: "this one", store, log: rememberingLog(warnings) };
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

/** The fingerprint of the block that has this number. */
export function fingerprintOf(block: number): Buffer {
  const bytes = Buffer.alloc(32, 0xaa);
  // Spread over all keys, as fingerprints are, and different in their first eight bytes.
  bytes.writeUInt32BE(Math.imul(block, 0x9e3779b1) >>> 0, 0);
  bytes.writeUInt32BE(Math.imul(block ^ 0x5bd1e995, 0x85ebca6b) >>> 0, 4);
  return bytes;
}

/** Blocks with their addresses. */
export function keptBlocks(entries: Iterable<readonly [block: number, address: number]>): KeptFingerprints {
  const list = [...entries];
  return {
    count: list.length,
    fingerprints: Buffer.concat(list.map(([block]) => fingerprintOf(block))),
    addresses: Float64Array.from(list.map(([, address]) => address)),
  };
}

/** A segment that keeps these blocks, in slots from 0 on. */
export function segmentOfBlocks(segment: number, blocks: readonly number[]): KeptFingerprints {
  return keptBlocks(blocks.map((block, slot) => [block, addressOf(segment, slot)]));
}

/** The addresses of these blocks. */
export function found(index: FingerprintIndex, blocks: readonly number[]): number[] {
  const addresses = new Float64Array(blocks.length).fill(-1);
  index.lookup(Buffer.concat(blocks.map(fingerprintOf)), blocks.length, addresses);
  return [...addresses];
}

export function expectUnknown(index: FingerprintIndex, blocks: readonly number[]): void {
  expect(found(index, blocks)).toEqual(blocks.map(() => holeAddress));
}

export function numbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** As a reader of directories tells of them, some blocks at a time. */
export async function* directories(
  segments: ReadonlyMap<number, readonly number[]>,
  wanted: readonly SegmentName[],
): AsyncGenerator<SegmentFingerprints> {
  for (const { segment, generation } of wanted) {
    const blocks = segments.get(segment) ?? [];
    yield { segment, generation, pieces: pieces(segmentOfBlocks(segment, blocks)) };
  }
}

async function* pieces({ count, fingerprints, addresses }: KeptFingerprints): AsyncGenerator<KeptFingerprints> {
  const piece = 100;
  for (let at = 0; at < count; at += piece) {
    const end = Math.min(count, at + piece);
    yield {
      count: end - at,
      fingerprints: fingerprints.subarray(at * 32, end * 32),
      addresses: addresses.subarray(at, end),
    };
  }
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
