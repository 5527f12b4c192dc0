/**
 * What the control plane asks of the parts that do the work, and what they tell of themselves. Each part lives in an I/O
 * thread and the control plane in the main thread, so all facts are plain data that can be sent from one to the other.
 */

import type { WantedMode } from "#src/appliance/local/auto-mode.ts";
import type { GroupFigures } from "#src/appliance/local/group-figures.ts";
import type { RemoteGroupStatus } from "#src/appliance/remote/remote-group-status.ts";
import type { CopyProgress } from "#src/interceptor/copy-regions.ts";
import type { VolumeStatus } from "#src/interceptor/volume-status.ts";
import type { SealFigures } from "#src/store/segment-store.ts";
import type { VolumeIdentity } from "#src/wire/volume-link.ts";

import type { JobReport } from "./job.ts";
import type { StoreState } from "./store-state.ts";

export type { CopyProgress, WantedMode };

export const wantedModes = ["sync", "async", "aggregated", "auto"] as const satisfies readonly WantedMode[];

export const roleNames = ["interceptor", "local", "remote"] as const;
export type RoleName = (typeof roleNames)[number];

/** The view that a volume was made of. */
export interface ViewOrigin {
  readonly name: string;
  /** When it was opened for the first time: there may be another one of its name by now. */
  readonly opened: string;
}

/** What the catalogue keeps of a volume, for life. */
export interface VolumeDefinition extends VolumeIdentity {
  /** A file, a block device, or the URI of an export of an NBD server. */
  readonly source: string;
  /** The source had content before it was protected. */
  readonly baseMissing: boolean;
  /** What it is being resized to: an order that holds until it is carried out. */
  readonly resizeTo?: number;
  /** Its source is a copy of this view. Absent: it is of none, or nobody said so. */
  readonly ofView?: ViewOrigin;
}

/** `opening`: what the source may lack is brought there, and there is no export yet. `failed`: it could not be opened. */
export type VolumeState = VolumeStatus["state"] | "opening" | "failed";

export interface VolumeFacts {
  readonly name: string;
  readonly group: string;
  readonly source: string;
  readonly sizeBytes: number;
  /** What it is being resized to. */
  readonly resizeTo?: number;
  /** What the source held before it was protected is not all in the journal yet. */
  readonly baseMissing: boolean;
  readonly ofView?: ViewOrigin;
  readonly state: VolumeState;
  /** Why it is in a state other than `open`. */
  readonly why?: string;
  /** Where it is fenced. `volume`: for its source or region map, at which a person must look. */
  readonly fencedBy?: "group" | "volume";
  /** The source is being copied into the journal: no point lies in that. */
  readonly copy?: CopyProgress;
  /** NBD connections. */
  readonly connections: number;
  /** Ordinals: what was handed over, what the mode acknowledged, what the source has, what it has durably. */
  readonly added: number;
  readonly acknowledged: number;
  readonly applied: number;
  readonly durable: number;
  /** So long nothing was done of what hosts wait for, of reads, writes or flushes; absent: for less than a second. */
  readonly hostWaitSeconds?: number;
  /** What that is, where it is no disk: in sync flushes wait for a resync to come to its end. */
  readonly hostWaitFor?: "resync";
  /** Bytes in regions that may differ between source, spool and remote. */
  readonly markedBytes: number;
  /** Since the program was started. */
  readonly writes: number;
  readonly writeBytes: number;
  readonly reads: number;
  readonly readBytes: number;
  readonly flushes: number;
}

export type VolumeFigures = Omit<
  VolumeFacts,
  "name" | "group" | "source" | "sizeBytes" | "resizeTo" | "baseMissing" | "ofView" | "connections"
>;

/** Of a volume that is not open. */
export const noFigures = {
  ...{ connections: 0, added: 0, acknowledged: 0, applied: 0, durable: 0, markedBytes: 0 },
  ...{ writes: 0, writeBytes: 0, reads: 0, readBytes: 0, flushes: 0 },
} as const;

export type GroupFacts = GroupFigures;

/** A group as the remote appliance has it. */
export type RemoteGroupFacts = RemoteGroupStatus;

/** What the remote appliance keeps for long. */
export interface StoreFacts {
  /** Sealed data segments that are there. */
  readonly segmentCount: number;
  /** What was sealed since the process that does it was started. */
  readonly sealed: SealFigures;
  /** Undefined: the process that keeps the store was not asked for anything yet. */
  readonly state?: StoreState;
  /** Long works that went wrong, or have found what a person must see, each the last of its kind. */
  readonly jobTroubles: readonly string[];
  /** Why nothing gets done there, in words. */
  readonly trouble?: string;
  /** The long work that is under way. */
  readonly job?: JobReport;
}

export const traceSteps = ["acknowledged", "sourceWritten", "replied", "received", "durable", "stored"] as const;
export type TraceStep = (typeof traceSteps)[number];

/** The life of a single write. */
export interface TraceEntry {
  readonly ordinal: number;
  readonly seq?: number;
  readonly kind: "write" | "trim" | "zero";
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly atWallMs: number;
  /** Microseconds since the write arrived; a step that is not there has not come yet. */
  readonly steps: Readonly<Partial<Record<TraceStep, number>>>;
}
