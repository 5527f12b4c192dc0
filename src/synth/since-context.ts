/**
 * What of a view may differ from another point of its volume, as the metadata context that tools for backup ask for: dirty is
 * what was written between the two, and what was written to the view itself.
 */
import { blockBytes } from "#src/core/limits.ts";
import { differenceRangesMax } from "#src/core/restore-limits.ts";
import { viewStatusRunsMax } from "#src/core/view-limits.ts";
import { dirtyBitmap, dirtyFlag } from "#src/nbd/constants.ts";
import type { StatusExtent } from "#src/nbd/export.ts";
import type { StatusContext } from "#src/nbd/status-context.ts";
import type { BlockRange } from "./block-difference.ts";
import { OverlayRun, untouched } from "./overlay-map.ts";
import type { FoundRanges } from "./point-changes.ts";
import type { ViewOverlay } from "./view-overlay.ts";

export interface SinceContextParts {
  /** Behind `qemu:dirty-bitmap:`. */
  readonly name: string;
  /** The first ranges from a block on that differ. */
  readonly differences: (fromBlock: number, rangesMax: number) => Promise<FoundRanges>;
  /** What was written to the view; undefined: it cannot be written. */
  readonly overlay: () => Pick<ViewOverlay, "runAt"> | undefined;
}

export class SinceContext implements StatusContext {
  readonly name: string;
  readonly #parts: SinceContextParts;

  constructor(parts: SinceContextParts) {
    this.#parts = parts;
    this.name = dirtyBitmap + parts.name;
  }

  async extents(offset: number, lengthBytes: number, countMax: number): Promise<readonly StatusExtent[]> {
    const fromBlock = Math.floor(offset / blockBytes);
    const toBlock = Math.ceil((offset + lengthBytes) / blockBytes);
    const rangesMax = Math.min(countMax, differenceRangesMax);
    const { ranges, nextBlock = toBlock } = await this.#parts.differences(fromBlock, rangesMax);
    const found = this.#written({ fromBlock, toBlock: Math.min(toBlock, Math.max(nextBlock, fromBlock + 1)) });
    const dirty = merged([...ranges, ...found.ranges]);
    return extentsOf(dirty, { fromBlock, toBlock: found.toBlock }, offset - fromBlock * blockBytes).slice(0, countMax);
  }

  /** As far as can be looked at once. */
  #written({ fromBlock, toBlock }: BlockRange): { readonly ranges: readonly BlockRange[]; readonly toBlock: number } {
    const overlay = this.#parts.overlay();
    if (overlay === undefined) return { ranges: [], toBlock };
    const run = new OverlayRun();
    const ranges: BlockRange[] = [];
    let block = fromBlock;
    for (let looks = 0; block < toBlock && looks < viewStatusRunsMax; looks++) {
      overlay.runAt(block, toBlock, run);
      const end = block + run.blockCount;
      if (run.address !== untouched) ranges.push({ fromBlock: block, toBlock: end });
      block = end;
    }
    return { ranges, toBlock: block };
  }
}

/** In their order, those that touch as one. */
function merged(ranges: readonly BlockRange[]): BlockRange[] {
  const sorted = ranges.toSorted((a, b) => a.fromBlock - b.fromBlock);
  const found: BlockRange[] = [];
  for (const { fromBlock, toBlock } of sorted) {
    const last = found.at(-1);
    if (last === undefined || fromBlock > last.toBlock) found.push({ fromBlock, toBlock });
    else found[found.length - 1] = { ...last, toBlock: Math.max(last.toBlock, toBlock) };
  }
  return found;
}

/** The first one begins `skippedBytes` within its block. */
function extentsOf(
  dirty: readonly BlockRange[],
  { fromBlock, toBlock }: BlockRange,
  skippedBytes: number,
): StatusExtent[] {
  const extents: StatusExtent[] = [];
  let [block, skipped] = [fromBlock, skippedBytes];
  const add = (end: number, status: number): void => {
    const to = Math.min(end, toBlock);
    if (to <= block) return;
    extents.push({ lengthBytes: (to - block) * blockBytes - skipped, status });
    [block, skipped] = [to, 0];
  };
  for (const range of dirty) {
    add(range.fromBlock, 0);
    add(range.toBlock, dirtyFlag);
  }
  add(toBlock, 0);
  return extents;
}
