/** The spool that a group's state names, and one that it might have instead. */
import { join } from "node:path";
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import type { Files } from "#src/host/files.ts";
import { isLackOfDescriptors } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import type { GroupPolicy } from "./group-policy.ts";
import { type GroupState, type GroupStateFile, noBootId } from "./group-state.ts";
import { Spool } from "./spool.ts";
import type { SpoolOptions } from "./spool-options.ts";
import { LostSpoolError } from "./spool-place.ts";

export interface SpoolSite {
  readonly machine: Machine;
  readonly policy: GroupPolicy;
}

export async function openGroupSpool(site: SpoolSite, state: GroupStateFile, folder: string): Promise<Spool> {
  const { stoppedAtSeq, claimedSeq = 0, life, isSpoolNew } = state.state;
  const dropping = (saidSeq: number): Promise<void> =>
    state.update({ bootId: noBootId, claimedSeq: Math.max(claimedSeq, saidSeq) });
  try {
    return await Spool.open(site.machine, folder, {
      ...optionsOf(site, state.state),
      knownDurableSeq: Math.max(stoppedAtSeq ?? 0, claimedSeq),
      isNew: life === 0 || isSpoolNew,
      dropping,
    });
  } catch (error) {
    // A disk that failed meanwhile may have thrown away what was written.
    if (stoppedAtSeq === null && isOfDisk(error)) await dropping(0);
    throw error instanceof StopError ? new LostSpoolError(error.message, { cause: error }) : error;
  }
}

/**
 * Begins the spool that a group is to have from now on, durably, before it gives up the one that it has. What cannot be
 * begun leaves at most an empty folder.
 */
export async function beginGroupSpool(
  site: SpoolSite,
  state: Pick<GroupState, "id" | "incarnation">,
  folder: string,
): Promise<void> {
  const { files } = site.machine;
  try {
    const spool = await Spool.open(site.machine, folder, {
      ...optionsOf(site, state),
      knownDurableSeq: 0,
      isNew: true,
    });
    spool.close();
  } catch (error) {
    if (isOwnFault(error)) throw error;
    clear(files, folder);
    const message = `${(error as Error).message}: the spool stays where it was`;
    throw error instanceof RetryError
      ? new RetryError(message, { cause: error })
      : new RefuseError(message, { cause: error });
  }
}

type Identity = Pick<SpoolOptions, "group" | "incarnation" | "segmentBytes" | "limitBytes">;

function optionsOf({ policy }: SpoolSite, { id, incarnation }: Pick<GroupState, "id" | "incarnation">): Identity {
  return { group: id, incarnation, segmentBytes: policy.spoolSegmentBytes, limitBytes: policy.spoolLimitBytes };
}

/** As far as a disk on which nothing could be begun lets it. */
function clear(files: Files, folder: string): void {
  try {
    for (const name of files.list(folder)) files.remove(join(folder, name));
  } catch {
    // Nobody looks there again.
  }
}

function isOfDisk(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException;
  return (code !== undefined && !isLackOfDescriptors(error)) || (cause instanceof Error && isOfDisk(cause));
}
