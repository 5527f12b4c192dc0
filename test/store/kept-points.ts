/** Points that are kept, as whoever knows the metadata of a store would tell them: each by the addresses that it reaches. */
import { segmentOf } from "#src/records/address.ts";
import type { LiveBlocks, LiveMarks, SettledSegments } from "#src/store/live-blocks.ts";

export class KeptPoints implements LiveBlocks {
  readonly points = new Map<string, ReadonlySet<number>>();
  /** Of which not all is known. */
  readonly unsettled = new Set<number>();
  markCount = 0;

  async markLive(marks: LiveMarks): Promise<SettledSegments> {
    this.markCount++;
    const unsettled = new Set(this.unsettled);
    for (const addresses of [...this.points.values()]) {
      // Whoever walks takes his time.
      await Promise.resolve();
      for (const address of addresses) marks.mark(address, 1);
    }
    return { has: (segment) => !unsettled.has(segment) };
  }

  /** Whether a point, or what is not all known, needs it. */
  has(address: number): boolean {
    if (this.unsettled.has(segmentOf(address))) return true;
    return this.points.values().some((addresses) => addresses.has(address));
  }
}
