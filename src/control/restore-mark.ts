/**
 * A volume that is restored onto itself by a remote appliance that runs alone, to its export elsewhere: nobody here can mark what it
 * holds. So somebody has to have done that, and nothing may have been written to it since.
 */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { restoreMarkArrivalMs, restoreNewsMs } from "#src/core/restore-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { groupDescribed } from "#src/interceptor/export-description.ts";
import { isNbdUri, parseNbdUri } from "#src/nbd/uri.ts";
import { type GroupPoints, inWords } from "#src/synth/group-points.ts";
import type { TimelineMark } from "#src/synth/volume-timeline.ts";
import type { RestoreRequest } from "./restore.ts";
import { withoutNumber } from "./volume-of-group.ts";

type Restored = Pick<RestoreRequest, "volume" | "number" | "target">;
type MarkedPoints = Pick<GroupPoints, "timeline" | "resolve" | "difference">;

/** `description`: of the target's export, as its server tells it. */
export function isItself({ volume, target }: Restored, group: string, description: string): boolean {
  return (
    isNbdUri(target) &&
    groupDescribed(description) === group &&
    parseNbdUri(target).exportName === withoutNumber(volume).slice(volume.lastIndexOf("/") + 1)
  );
}

export interface MarkParts {
  readonly clock: Clock;
  /** Up to what is durable now. */
  readonly points: () => Promise<MarkedPoints>;
}

/** What was marked may still be on its way. Throws a `RefuseError` where it does not come. */
export async function demandMark({ volume, number, target }: Restored, { clock, points }: MarkParts): Promise<void> {
  if (withoutNumber(volume) !== volume) {
    throw new RefuseError(
      `${target} is the volume that has this name now, onto which only its own points are restored, and not those of ` +
        `'${volume}': name another target`,
    );
  }
  for (let waitedMs = 0; ; waitedMs += restoreNewsMs) {
    const why = await whyUnmarked(await points(), number);
    if (why === undefined) return;
    if (waitedMs >= restoreMarkArrivalMs) {
      throw new RefuseError(
        `${target} is volume '${volume}' itself, and ${why}, which nobody here can set: detach its hosts, ` +
          `'tidemark mark ${volume} --name before-restore' with the --api URL of its local appliance, and restore again`,
      );
    }
    await new Promise<void>((resolve) => {
      clock.timer(restoreNewsMs, resolve);
    });
  }
}

/** For people. Undefined: nothing was written behind the last mark, as far as is known here. */
async function whyUnmarked(points: MarkedPoints, volume: number): Promise<string | undefined> {
  const { marks } = await points.timeline(volume);
  const mark = marks.findLast(({ isPoint }) => isPoint);
  if (mark === undefined) return unmarked;
  const newest = await points.resolve(volume, "now");
  if (newest.point === undefined) return untold(mark, inWords(newest));
  const behind = { firstSeq: mark.seq, secondSeq: newest.point.seq, fromBlock: 0, rangesMax: 1 };
  try {
    return (await points.difference(volume, behind)).ranges.length === 0 ? undefined : unmarked;
  } catch (error) {
    if (error instanceof StopError) return untold(mark, error.message);
    throw error;
  }
}

const unmarked = "what it holds now has no mark";

/** What is lost may have written to it: a mark that is set now lies behind that. */
function untold({ name, seq }: Pick<TimelineMark, "name" | "seq">, why: string): string {
  return `whether it was written to behind its last mark '${name}' (seq:${seq}) cannot be told: ${why}; so it wants a new mark`;
}
