/** Whether a source is known to read as zeros, without reading it. */
import { sourceRunsMax } from "#src/core/limits.ts";
import type { Extent } from "#src/host/block-device.ts";
import type { Source } from "./source.ts";

/** True only where all from this byte to the end is known to be zeros. */
export async function readsZeros(source: Source, fromByte: number): Promise<boolean> {
  for (let at = fromByte; at < source.sizeBytes; ) {
    const runs = await runsOf(source, at);
    if (runs.length === 0 || runs.some((run) => !run.zero)) return false;
    for (const run of runs) at += run.lengthBytes;
  }
  return true;
}

function runsOf(source: Source, position: number): Promise<readonly Extent[]> {
  return new Promise((resolve, reject) => {
    source.extents(position, source.sizeBytes - position, sourceRunsMax, (error, runs) =>
      error === null ? resolve(runs) : reject(error),
    );
  });
}
