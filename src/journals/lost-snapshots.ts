/** Snapshots that a history needs and the store has not: no object is there in which a scrub would find it. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { obstacleTo, type ScrubFinding } from "#src/store/scrub-finding.ts";
import type { ScrubNotebook } from "#src/store/scrub-notebook.ts";
import type { LostSnapshot, SnapshotBlocks } from "./snapshot-blocks.ts";

/** Of all groups. */
export async function findLostSnapshots(
  snapshots: Pick<SnapshotBlocks, "groups" | "lost">,
  notebook: ScrubNotebook,
  foundMicros: number,
): Promise<void> {
  for (const group of await snapshots.groups()) {
    for (const lost of await lostOf(snapshots, group)) notebook.found(lost.object, [findingOf(lost, foundMicros)]);
  }
}

/** Where the history cannot be read that is a finding of its own. */
async function lostOf(snapshots: Pick<SnapshotBlocks, "lost">, group: string): Promise<readonly LostSnapshot[]> {
  try {
    return await snapshots.lost(group);
  } catch (error) {
    if (error instanceof StopError || error instanceof RefuseError) return [];
    throw error;
  }
}

function findingOf({ object, seq, isBase }: LostSnapshot, foundMicros: number): ScrubFinding {
  const seqs = { first: seq, last: isBase ? Number.MAX_SAFE_INTEGER : seq };
  const facts = { object, thing: "object", count: 1, slots: [], seqs, foundMicros } as const;
  return { ...facts, finding: "it was there, and is gone", obstacle: obstacleTo("object") };
}
