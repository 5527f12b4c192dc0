/**
 * What the control plane asks of the parts that do the work, and what they tell of themselves. Each part lives in an I/O
 * thread and the control plane in the main thread, so all facts are plain data that can be sent from one to the other.
 */
import type { GroupFigures } from "#src/appliance/local/group-figures.ts";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import type { VolumeIdentity, VolumeLinks } from "#src/wire/volume-link.ts";

export type { Mode };

export const modes = ["sync", "async"] as const satisfies readonly Mode[];

export const roleNames = ["interceptor", "local", "remote"] as const;
export type RoleName = (typeof roleNames)[number];

/** What the catalogue keeps of a volume, for life. */
export interface VolumeDefinition extends VolumeIdentity {
  /** A file, a block device, or the URI of an export of an NBD server. */
  readonly source: string;
}

export const volumeStates = ["opening", "open", "waiting", "fenced", "failed"] as const;
/**
 * `opening`: what the source may lack is brought there, the export is not there yet. `waiting`: requests wait, for the
 * appliance, the remote or room. `fenced`: writes fail until a person has looked. `failed`: it could not be opened.
 */
export type VolumeState = (typeof volumeStates)[number];

export interface VolumeFacts {
  readonly name: string;
  readonly group: string;
  readonly source: string;
  readonly sizeBytes: number;
  readonly state: VolumeState;
  /** Why it is in a state other than `open`. */
  readonly why?: string;
  /** NBD connections. */
  readonly connections: number;
  /** Ordinals: what was handed over, what the mode acknowledged, what the source has, what it has durably. */
  readonly added: number;
  readonly acknowledged: number;
  readonly applied: number;
  readonly durable: number;
  /** Bytes in regions that may differ between source, spool and remote. */
  readonly markedBytes: number;
}

export type GroupFacts = GroupFigures;

/** A group as the remote appliance has it. */
export interface RemoteGroupFacts {
  readonly id: string;
  readonly name: string;
  readonly epoch: number;
  readonly received: number;
  readonly durable: number;
  readonly stored: number;
  readonly journalBytes: number;
  /** The local appliance that is connected. */
  readonly peer?: string;
  /** Why nothing is accepted, if so. */
  readonly why?: string;
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

/** The NBD server with its interceptors. What is thrown is said to whoever asked, so its message is for people. */
export interface InterceptorRole {
  /** Where NBD clients find the exports; several where there is both a port and a socket. */
  readonly addresses: readonly SocketAddress[];
  /** Looks at a source before it becomes a volume's: how large it is. */
  measure(source: string): Promise<number>;
  /** Resolves when the export is open: after the redo. */
  addVolume(volume: VolumeDefinition): Promise<void>;
  /** Ends the export and its connections, and lets go of the source, once that has all that was acknowledged. */
  removeVolume(name: string): Promise<void>;
  volumes(): readonly VolumeFacts[];
  trace(volumeName: string): readonly TraceEntry[];
  /** Answers what is under way, syncs the sources, notes how far they are. */
  stop(): Promise<void>;
}

/** The local appliance with its groups, and where interceptors of this and other processes find it. */
export interface LocalRole {
  readonly links: VolumeLinks;
  /** One that is there already stays as it is; all that ever were are opened at the start. */
  addGroup(name: string, mode: Mode): Promise<void>;
  /** Resolves when the switch has begun; `groups` shows when it is done. */
  setMode(groupName: string, mode: Mode): Promise<void>;
  groups(): readonly GroupFacts[];
  stop(): Promise<void>;
}

export interface RemoteRole {
  /** Where local appliances find it. */
  readonly address: SocketAddress;
  groups(): readonly RemoteGroupFacts[];
  stop(): Promise<void>;
}
