/** Callbacks of sources and links as promises, for what is rare. */
import type { VolumeLink } from "#src/wire/volume-link.ts";
import type { Source } from "./source.ts";

export function synced(source: Source): Promise<void> {
  return new Promise((resolve, reject) => {
    source.sync((error) => (error === null ? resolve() : reject(error)));
  });
}

export function flushed(link: VolumeLink): Promise<void> {
  return new Promise((resolve, reject) => {
    link.flush((error) => (error === null ? resolve() : reject(error)));
  });
}
