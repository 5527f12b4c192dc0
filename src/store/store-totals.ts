/**
 * What a store holds, in numbers: looked up in the segments' directories once each, and counted again when something has
 * changed. In memory: three numbers of each segment.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { ReadableObjects } from "./objects.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import { segmentOfObject } from "./segment-format.ts";
import { CancelledError, type WorkControl } from "./work-control.ts";

export interface StoreSizes {
  readonly segmentCount: number;
  /** Of blocks that were written and are still there, however often they have the same content. */
  readonly logicalBytes: number;
  /** Of blocks that are kept. */
  readonly uniqueBytes: number;
  /** Of all objects, the journals' pieces and snapshots included. */
  readonly physicalBytes: number;
  readonly damagedBlocks: number;
}

interface SegmentSizes {
  readonly generation: number;
  readonly blocks: number;
  readonly kept: number;
  readonly damaged: number;
}

export class StoreTotals {
  #known = new Map<number, SegmentSizes>();
  #sizes: StoreSizes | undefined;

  /** Undefined: it was not counted yet. */
  get sizes(): StoreSizes | undefined {
    return this.#sizes;
  }

  async count(objects: ReadableObjects, segments: SealedSegments, control: WorkControl): Promise<void> {
    const known = new Map<number, SegmentSizes>();
    let physicalBytes = 0;
    for await (const { name, sizeBytes } of objects.list("")) {
      physicalBytes += sizeBytes;
      const segment = segmentOfObject(name)?.segment;
      const generation = segment === undefined ? undefined : segments.generationOf(segment);
      if (segment === undefined || generation === undefined || known.has(segment)) continue;
      control.throwIfCancelled();
      const before = this.#known.get(segment);
      if (before?.generation === generation) known.set(segment, before);
      else known.set(segment, (await this.#read(segments, segment, generation)) ?? { generation, ...nothing });
    }
    this.#known = known;
    const all = [...known.values()];
    const sum = (of: (one: SegmentSizes) => number): number => all.reduce((total, one) => total + of(one), 0);
    this.#sizes = {
      segmentCount: all.length,
      logicalBytes: sum(({ blocks }) => blocks) * blockBytes,
      uniqueBytes: sum(({ kept }) => kept) * blockBytes,
      physicalBytes,
      damagedBlocks: sum(({ damaged }) => damaged),
    };
  }

  /** Undefined: it cannot be read, which the scrub tells. */
  async #read(segments: SealedSegments, segment: number, generation: number): Promise<SegmentSizes | undefined> {
    try {
      const { counts } = await segments.directoryApart({ segment, generation });
      const { kept, forwards, zeros, damaged } = counts;
      return { generation, blocks: kept + forwards + zeros, kept, damaged };
    } catch (error) {
      if (isOwnFault(error) || error instanceof CancelledError) throw error;
      return undefined;
    }
  }
}

const nothing = { blocks: 0, kept: 0, damaged: 0 };
