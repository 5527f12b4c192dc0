/**
 * What one metadata context says of an export's bytes, wherever it knows that from: so an export may have contexts of which
 * it knows nothing but their names.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { nbdExtentsPerReplyMax } from "#src/core/nbd-limits.ts";
import { nbdError } from "./constants.ts";
import { nbdErrorOf } from "./error-number.ts";
import type { ExportRequest, StatusExtent } from "./export.ts";

export interface StatusContext {
  /** For example `base:allocation` or `qemu:dirty-bitmap:NAME`. */
  readonly name: string;
  /**
   * The runs from `offset` on, at most `countMax` and at least one, none empty. They may end before the range does, or
   * behind it. An error of the system's kind says with which number the request fails.
   */
  extents(offset: number, lengthBytes: number, countMax: number): Promise<readonly StatusExtent[]>;
}

/** Ends a valid block status with what the contexts say, some turns later. `raise` is for faults of the program's own. */
export function answerStatus(
  request: ExportRequest,
  contexts: readonly StatusContext[],
  raise: (error: unknown) => void,
): void {
  const { offset, length, requestOne } = request;
  const asked = request.contexts.map((name) => contexts.find((context) => context.name === name));
  if (asked.includes(undefined)) return request.complete(nbdError.invalid);
  request.keepWithoutPayload();
  const countMax = requestOne ? 1 : nbdExtentsPerReplyMax;
  Promise.all((asked as StatusContext[]).map((context) => context.extents(offset, length, countMax))).then(
    (extents) => request.completeStatus(extents.map((runs) => within(runs, length))),
    (error) => (isOwnFault(error) ? raise(error) : request.complete(nbdErrorOf(error))),
  );
}

/** The last run is cut where the range that was asked about ends. */
function within(runs: readonly StatusExtent[], lengthBytes: number): StatusExtent[] {
  const cut: StatusExtent[] = [];
  let left = lengthBytes;
  for (const { lengthBytes: runBytes, status } of runs) {
    if (left === 0) break;
    const taken = Math.min(left, runBytes);
    cut.push({ lengthBytes: taken, status });
    left -= taken;
  }
  return cut;
}
