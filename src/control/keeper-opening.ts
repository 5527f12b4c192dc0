/** How the process that keeps a store comes to have it: it alone, and the right one. */
import { RetryError, StopError } from "#src/core/errors.ts";
import type { Machine } from "#src/host/machine.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { HeldObjects } from "#src/store/held-objects.ts";
import type { Objects } from "#src/store/objects.ts";
import { readStoreDocument } from "#src/store/store-document-copies.ts";
import { holdStore } from "#src/store/store-holder.ts";

/** One that was ended may be there for a while: it goes when what it does for the disk is over. */
export async function openedFolder(machine: Machine, folder: string): Promise<FolderObjects> {
  try {
    return await FolderObjects.open(machine, folder);
  } catch (error) {
    const { message, cause } = error as Error;
    const isTaken = (cause as NodeJS.ErrnoException | undefined)?.code === "EBUSY";
    throw isTaken ? new RetryError(message, { cause }) : error;
  }
}

/** No new one is begun where there was one, and nothing is written to another one. */
export async function assertBound(objects: Objects, store: string | undefined): Promise<void> {
  if (store === undefined || (await readStoreDocument(objects))?.id === store) return;
  throw new StopError("the store is not the one that there was, or its disk is not mounted: start anew when it is");
}

/** Undefined: whoever writes to it is not told from others. */
export async function heldObjects(objects: Objects, { clock }: Machine, holder: string | undefined): Promise<Objects> {
  if (holder === undefined) return objects;
  await holdStore(objects, holder, Math.round(clock.wallMs() * 1000));
  return new HeldObjects(objects, holder);
}
