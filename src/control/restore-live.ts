/**
 * Brings a volume back to a point of its own, through its export. What it was written since the point is asked anew at each
 * begin, and once more at the end, so that nothing that came behind the mark passes for the point.
 */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { differenceRangesMax } from "#src/core/restore-limits.ts";
import type { Machine } from "#src/host/machine.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { BlockRange } from "#src/synth/block-difference.ts";
import { type GroupPoints, inWords } from "#src/synth/group-points.ts";
import type { PointImage } from "#src/synth/point-image.ts";
import type { RestoreOutcome } from "#src/synth/restore.ts";
import { RestoreChanges } from "#src/synth/restore-changes.ts";
import type { RestoreRequest } from "./restore.ts";
import { SourceTarget } from "./restore-place.ts";
import { openSource } from "./volume-source.ts";

export interface LiveParts {
  readonly image: PointImage;
  readonly control: WorkControl;
  /** The group's points up to all that was written to the volume until it was called. */
  readonly points: () => Promise<GroupPoints>;
}

export async function restoreLive(
  machine: Machine,
  { target: uri, number, seq, volume }: RestoreRequest,
  { points, image, control }: LiveParts,
): Promise<RestoreOutcome> {
  const target = new SourceTarget(await openSource(machine, uri));
  try {
    if (target.sizeBytes !== image.sizeBytes) {
      const sizes = `has ${target.sizeBytes} bytes, and had ${image.sizeBytes} at that point`;
      throw new RefuseError(`volume '${volume}' ${sizes}: 'tidemark volume resize' first`);
    }
    const ranges = () => changesSince(points, number, seq);
    return await new RestoreChanges({ image, target, ranges, control }).run();
  } finally {
    await target.close();
  }
}

/** What was written behind the point, up to the newest there is now. */
export async function* changesSince(
  pointsNow: LiveParts["points"],
  volume: number,
  firstSeq: number,
): AsyncGenerator<BlockRange, void> {
  const points = await pointsNow();
  const newest = await points.resolve(volume, "now");
  if (newest.point === undefined) throw new RetryError(inWords(newest));
  const secondSeq = newest.point.seq;
  let fromBlock: number | undefined = 0;
  while (fromBlock !== undefined) {
    const asked = { firstSeq, secondSeq, fromBlock, rangesMax: differenceRangesMax };
    const found = await points.difference(volume, asked);
    yield* found.ranges;
    fromBlock = found.nextBlock;
  }
}
