/** What a group of the local appliance is made of when it is opened. */
import type { FaultHook } from "#src/host/faults.ts";
import type { Machine } from "#src/host/machine.ts";
import type { BatchPool } from "#src/records/batch-pool.ts";
import type { GroupHello, GroupLink } from "#src/wire/group-link.ts";
import type { Crowd } from "../crowd.ts";
import type { GroupPolicy } from "./group-policy.ts";
import type { GroupStateFile } from "./group-state.ts";
import type { Spool } from "./spool.ts";
import type { SpoolFacts } from "./spool-facts.ts";

export interface LocalGroupParts {
  readonly machine: Machine;
  readonly policy: GroupPolicy;
  readonly pool: BatchPool;
  /** Of all groups that gather batches for a frame. */
  readonly crowd: Crowd;
  readonly state: GroupStateFile;
  readonly spool: Spool;
  readonly facts: SpoolFacts;
  readonly link: GroupLink;
  readonly hook: FaultHook | undefined;
  /** What the link says of this side when it connects. */
  readonly hello: () => GroupHello;
}
