/** Callbacks of sources and links as promises, for what is rare. */
import type { DoneCallback } from "#src/host/block-device.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { VolumeLink } from "#src/wire/volume-link.ts";
import type { Source } from "./source.ts";

/** A sync of the source has failed: what was written to it since the last one may be gone, also for whoever reads. */
export class LostWritesError extends Error {
  override name = "LostWritesError";
  readonly code: string | undefined;

  constructor(cause: Error) {
    super(`${cause.message}; what was written to the source since its last sync may be lost`, { cause });
    this.code = (cause as NodeJS.ErrnoException).code;
  }
}

const lostSources = new WeakSet<Source>();

/** It may have gone back to an older state, whoever asked for the sync that failed, and whether he still cares. */
export function hasLostWrites(source: Source): boolean {
  return lostSources.has(source);
}

export function syncSource(source: Source, done: DoneCallback): void {
  source.sync((error) => {
    if (error !== null) lostSources.add(source);
    done(error === null ? null : new LostWritesError(error));
  });
}

export function synced(source: Source): Promise<void> {
  return whenDone((done) => syncSource(source, done));
}

export function flushed(link: VolumeLink): Promise<void> {
  return whenDone((done) => link.flush(done));
}
