/** Whom damaged snapshots hurt: those of a group's points that begin with them. Others hold nothing that no piece says too. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { scrubAffectedMax } from "#src/core/store-limits.ts";
import type { ObjectName } from "#src/store/objects.ts";
import type { AffectedBlocks, ScrubFinding } from "#src/store/scrub-finding.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { Reach } from "./damage-reach.ts";
import type { SnapshotBlocks, SnapshotDamage } from "./snapshot-blocks.ts";

export interface SnapshotReach extends Reach {
  /** Points of which no volume can be opened. */
  readonly seqs: ScrubFinding["seqs"];
}

/** Undefined: it is no snapshot. */
export function groupOfSnapshot(object: ObjectName): string | undefined {
  return /^snapshots\/([0-9a-f]{32})\//.exec(object)?.[1];
}

/** Of each snapshot of the group. */
export async function snapshotReaches(
  snapshots: SnapshotBlocks,
  group: string,
  control: WorkControl,
): Promise<(object: ObjectName) => SnapshotReach> {
  const reaches = new Map<ObjectName, SnapshotReach>();
  let isCut = false;
  try {
    for await (const damage of snapshots.damages(group, true, control)) {
      if (damage.isNeeded) reaches.set(damage.object, withDamage(reaches.get(damage.object), group, damage));
    }
  } catch (error) {
    if (!(error instanceof StopError) && !(error instanceof RefuseError)) throw error;
    isCut = true;
  }
  return (object) => {
    const reach = reaches.get(object) ?? nothing;
    return { ...reach, isCut: reach.isCut || isCut };
  };
}

const nothing: SnapshotReach = { affected: [], isCut: false, seqs: undefined };

function withDamage(before: SnapshotReach = nothing, group: string, damage: SnapshotDamage): SnapshotReach {
  const { seq, isBase, blocks } = damage;
  if (blocks === undefined) return { ...before, seqs: { first: seq, last: isBase ? Number.MAX_SAFE_INTEGER : seq } };
  if (before.affected.length === scrubAffectedMax) return { ...before, isCut: true };
  const { timeMicros: fromMicros, ...place } = blocks;
  const until = isBase ? {} : { untilSeq: seq + 1, untilMicros: fromMicros };
  const affected: AffectedBlocks = { group, ...place, fromSeq: seq, fromMicros, ...until };
  return { ...before, affected: [...before.affected, affected] };
}
