/** A store on this machine, as the process that keeps one has it: in a folder, with an index and threads that help. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { PartEffort } from "#src/core/store-limits.ts";
import type { Files } from "#src/host/files.ts";
import { plainFingerprints } from "#src/host/fingerprint.ts";
import type { Log } from "#src/host/log.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { startThread } from "#src/host/node/thread.ts";
import { setPartEffort } from "#src/host/part-compression.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import { type SealThreadSettings, SealThreads } from "#src/store/seal-threads.ts";
import { SegmentStore, type SegmentStoreParts } from "#src/store/segment-store.ts";

export const benchOrigin = { group: "000102030405060708090a0b0c0d0e0f", level: 0 };

const ignore = (): void => {};
const warn = (message: string, fields?: object): void => {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
};
export const benchLog: Log = { debug: ignore, info: ignore, warn, error: warn, with: () => benchLog };

export interface OwnStore {
  readonly store: SegmentStore;
  readonly index: FingerprintIndex;
  readonly parts: SegmentStoreParts & { readonly files: Files };
  /** What was gathered for the index is written first. */
  close(): Promise<void>;
}

export function objectsFolder(folder: string): string {
  return join(folder, "objects");
}

/** `threadCount`: of threads that help with sealing; 0: it does all itself. */
export async function openOwnStore(
  folder: string,
  threadCount: number,
  effort: PartEffort = "normal",
): Promise<OwnStore> {
  setPartEffort(effort);
  const machine = nodeMachine(benchLog);
  const { files, clock, randomness, bootId, log } = machine;
  const indexFolder = join(folder, "index");
  mkdirSync(indexFolder, { recursive: true });
  const objects = await FolderObjects.open(machine, objectsFolder(folder));
  const about = { maps: lmdbMaps, folder: indexFolder, store: Buffer.alloc(16, "bench") };
  const index = await openFingerprintIndex({ ...about, files, clock, randomness, log, bootId });
  const helpers = threadCount === 0 ? undefined : startedHelpers(threadCount, effort);
  const parts = { objects, index, fingerprints: plainFingerprints, helpers, key: undefined, clock, randomness, log };
  const store = await SegmentStore.open(parts);
  const close = async () => {
    await index.close();
    await objects.close();
    helpers?.end();
  };
  return { store, index, parts: { ...parts, files }, close };
}

function startedHelpers(count: number, effort: PartEffort): SealThreads {
  const settings: SealThreadSettings = { fingerprintKey: undefined, effort };
  const module = new URL("../../src/store/seal-threads.ts", import.meta.url);
  const threads = Array.from({ length: count }, (_, number) => startThread(module, `seal ${number}`, settings));
  return new SealThreads(threads);
}
