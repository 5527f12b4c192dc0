/** Threads that read the store side by side, for whoever reads much of it in a row. */

import { startThread } from "#src/host/node/thread.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { PieceThread, servePieces } from "#src/store/piece-reader.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import type { SegmentIdentity } from "#src/store/segment-format.ts";
import type { Config } from "./config-schema.ts";
import { sideMachine } from "./side-machine.ts";

export interface PieceThreadSettings {
  readonly config: Pick<Config, "log">;
  /** Of the objects. */
  readonly folder: string;
  /** Of the store; undefined: it is not encrypted. */
  readonly key: Uint8Array | undefined;
  /** How much its reader keeps in memory, where that is not as much as others do. */
  readonly cache?: { readonly directoryBytes: number; readonly frameBytes: number };
}

export function startPieceThread(name: string, settings: PieceThreadSettings): PieceThread {
  return new PieceThread(startThread(new URL(import.meta.url), name, settings));
}

export function runThread(line: MessageLine, { config, folder, key, cache }: PieceThreadSettings): void {
  const storeKey = key === undefined ? undefined : Buffer.from(key);
  servePieces(line, async () => {
    const objects = FolderObjects.openToShow(sideMachine(config, "store"), folder);
    const openObject = (identity: SegmentIdentity) => SegmentFile.open(objects, identity, storeKey);
    const segments = await SealedSegments.open(objects, openObject, cache?.directoryBytes);
    return { reader: new BlockReader(segments, undefined, cache?.frameBytes), segments };
  });
}
