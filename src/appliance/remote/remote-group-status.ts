/** What a remote appliance tells of a group. */

import type { RemoteVolume } from "#src/journals/volume-table.ts";
import type { Watermarks } from "#src/wire/group-link.ts";

export type GroupEngineState = "opening" | "open" | "full" | "stopped";

/** Since the journals were opened. */
export interface LandedFigures {
  /** Aggregates taken, and payload that they left out because it was overwritten. */
  readonly aggregateCount: number;
  readonly aggregateFoldedBytes: number;
  /** Records that were taken, and bytes of what they came in. */
  readonly landedRecords?: number;
  readonly landedBytes?: number;
}

export const noLanding: LandedFigures = { aggregateCount: 0, aggregateFoldedBytes: 0 };

export interface RemoteGroupStatus extends Watermarks, LandedFigures {
  readonly id: string;
  readonly name: string;
  readonly epoch: number;
  readonly state: GroupEngineState;
  /** Why it is not `open`. */
  readonly why?: string;
  /** The local appliance that is connected. */
  readonly peer?: string;
  /** Of the last record; 0: there is none. */
  readonly timeMicros: number;
  /** What was there at the start, and what has landed since. */
  readonly journalBytes: number;
  /** Data segments that are not sealed. */
  readonly segmentCount: number;
  /** Payload of closed segments that are not in the store yet. */
  readonly unsealedBytes: number;
  /** Why the oldest of them is not. */
  readonly sealWhy?: string;
  /** That does not pass by itself. */
  readonly isSealStuck?: boolean;
  readonly volumes: readonly RemoteVolume[];
  /** Batches that did not arrive as they were sent, and blocks that are not what was written, since the start. */
  readonly checksumErrors: number;
  /** Of these, blocks that were read back. */
  readonly journalErrors?: number;
}

/** Of one whose state cannot be read: nothing is known of it, not even its name. */
export function unreadableStatus(id: string, why: string): RemoteGroupStatus {
  return {
    id,
    name: id,
    epoch: 0,
    received: 0,
    durable: 0,
    stored: 0,
    state: "stopped",
    why,
    timeMicros: 0,
    journalBytes: 0,
    segmentCount: 0,
    unsealedBytes: 0,
    ...noLanding,
    volumes: [],
    checksumErrors: 0,
  };
}
