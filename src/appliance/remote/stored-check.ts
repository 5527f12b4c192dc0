/** Whether the store has of a group what it had, and no more than its journals. */
import { StopError } from "#src/core/errors.ts";
import { storeLessLookAgainMs, storeLessLooksMax } from "#src/core/store-limits.ts";
import type { Machine } from "#src/host/machine.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import type { JournalIdentity } from "#src/journals/metadata-piece.ts";
import type { Sealer } from "./group-sealing.ts";
import type { RemoteGroupStateFile } from "./remote-group-state.ts";

export interface StoredPlace {
  readonly machine: Machine;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
  readonly state: RemoteGroupStateFile;
  /** Undefined: nothing is sealed. */
  readonly sealer: Sealer | undefined;
}

/** A list of what is there may be of a moment ago, so that less than there was is looked for again before it is believed. */
export async function foundStoredSeq({ machine, identity, state }: StoredPlace, sealer: Sealer): Promise<number> {
  for (let looks = 1; ; looks++) {
    const storedSeq = await sealer.storedSeq(identity.group);
    if (storedSeq >= state.state.storedSeq || looks === storeLessLooksMax) return storedSeq;
    await new Promise<void>((resolve) => {
      machine.clock.timer(storeLessLookAgainMs, resolve);
    });
  }
}

/** Throws a `StopError` where journals and store are not of one time. */
export function checkStored(
  { folder, identity, state, sealer }: StoredPlace,
  lastSeq: number,
  storedSeq: number,
): void {
  const wayOut = "'tidemark rebuild --in-place' goes on with what the store has";
  if (storedSeq > lastSeq) {
    const end = `they end with record ${lastSeq}, and the store has the records up to ${storedSeq}`;
    throw new StopError(
      `the journals in ${folder.path} are older than the store: ${end}; put back newer ones, or ${wayOut}`,
    );
  }
  if (sealer === undefined || storedSeq >= state.state.storedSeq) return;
  const has = `it has the records up to ${storedSeq} of group ${identity.group}, and had them up to ${state.state.storedSeq}`;
  throw new StopError(
    `the store is not the one that there was, or an old copy, or its disk is not mounted: ${has}; bring that one back, or ${wayOut}`,
  );
}
