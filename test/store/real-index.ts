/** An index on this machine, for programs that are no tests. */
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { nodeRandomness } from "#src/host/node/randomness.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import type { FingerprintIndexParts } from "#src/store/mapped-fingerprint-index.ts";
import { store } from "./index-blocks.ts";
import { rememberingLog } from "./remembering-log.ts";

export function realIndexParts(folder: string, warnings: string[]): FingerprintIndexParts {
  const machine = { files: nodeFiles, clock: nodeClock, randomness: nodeRandomness, maps: lmdbMaps };
  return { ...machine, folder, bootId: "this one", store, log: rememberingLog(warnings) };
}
