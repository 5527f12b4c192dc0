/** What a remote appliance tells of a group. */
import type { Watermarks } from "#src/wire/group-link.ts";
import type { RemoteVolume } from "./volume-table.ts";

export type GroupEngineState = "opening" | "open" | "full" | "stopped";

export interface RemoteGroupStatus extends Watermarks {
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
  readonly volumes: readonly RemoteVolume[];
  /** Since the journals were opened: aggregates taken, and payload that they left out because it was overwritten. */
  readonly aggregateCount: number;
  readonly aggregateFoldedBytes: number;
  /** Batches that did not arrive as they were sent, and blocks that are not what was written, since the start. */
  readonly checksumErrors: number;
}
