/** The work of sealing that needs only bytes: here, or in threads beside the one that seals (`seal-threads.ts`). */
import type { Fingerprints } from "#src/host/fingerprint.ts";
import { partCompression } from "#src/host/part-compression.ts";
import { FrameBatch } from "./frame-batch.ts";
import type { SlotRun } from "./slot-run.ts";

export interface SealHelpers {
  /** So many runs and batches may be with it at a time. */
  readonly aheadCount: number;
  /** Fingerprints the first `count` slots of the run; answers how many fingerprints it has now. */
  fingerprint(run: SlotRun, count: number): Promise<number>;
  /** An empty one, which is given back. */
  takeBatch(): FrameBatch;
  giveBatch(batch: FrameBatch): void;
  /** Compresses all frames of the batch. */
  pack(batch: FrameBatch): Promise<void>;
}

/** Does it at once, frame by frame. */
export function ownHelpers(fingerprints: Fingerprints): SealHelpers {
  const compression = partCompression();
  const batches: FrameBatch[] = [];
  return {
    aheadCount: 1,
    fingerprint: async (run, count) => run.fingerprint(count, fingerprints),
    takeBatch: () => batches.pop() ?? new FrameBatch(1),
    giveBatch: (batch) => {
      batch.clear();
      batches.push(batch);
    },
    pack: async (batch) => batch.pack(batch.frameCount, compression),
  };
}
