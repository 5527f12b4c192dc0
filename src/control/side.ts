/**
 * The two sides that the work is divided into, each with an I/O thread of its own, and the words between them and the
 * control plane in the main thread.
 */
import type { MarkRequest, PlacedMark } from "#src/appliance/local/group-marks.ts";
import type { SharedCounters } from "#src/host/node/counters.ts";
import type { SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import type { Config } from "./config-schema.ts";
import type { Farewell } from "./farewell.ts";
import type {
  GroupFacts,
  RemoteGroupFacts,
  RoleName,
  StoreFacts,
  TraceEntry,
  VolumeDefinition,
  VolumeFacts,
  WantedMode,
} from "./role.ts";

/** `local`: the NBD server with its interceptors, and the local appliance. `remote`: the remote appliance. */
export type SideName = "local" | "remote";

export interface SideSettings {
  readonly config: Config;
  readonly roles: readonly RoleName[];
  /** Certificates and tokens are read once, in the main thread, and are not in the configuration. */
  readonly secrets: SideSecrets;
  readonly counters: SharedCounters;
}

export interface SideSecrets {
  readonly nbdTls: TlsCredentials | undefined;
  readonly wireTls: TlsCredentials | undefined;
  readonly wireToken: string;
}

/** All that a side tells of itself. A part that does not run has nothing to tell. */
export interface SideFacts {
  readonly volumes: readonly VolumeFacts[];
  readonly groups: readonly GroupFacts[];
  readonly remoteGroups: readonly RemoteGroupFacts[];
  /** Where there is a remote appliance. */
  readonly store?: StoreFacts;
  /** Where hosts attach volumes. */
  readonly nbdAddresses: readonly SocketAddress[];
  /** Where local appliances find the remote one. */
  readonly wireAddress?: SocketAddress;
}

export interface AddVolume {
  readonly volume: VolumeDefinition;
  /** It was not there before: what stands against it is to be said at once. */
  readonly isNew: boolean;
  /** Of the group that it begins. */
  readonly mode?: WantedMode;
}

/** `refusal`: why it does not have the size that it was to be resized to. */
export interface AddedVolume {
  readonly volume: VolumeDefinition;
  readonly refusal?: string;
}

/** A source that is to be protected. */
export interface Measured {
  readonly sizeBytes: number;
  /** It may hold something: nobody has it from before it was protected. */
  readonly hasContent: boolean;
}

/** What can be asked of a side: for each word what goes with it, and what comes back. */
export interface SideWords {
  start: { readonly ask: null; readonly answer: null };
  facts: { readonly ask: null; readonly answer: SideFacts };
  /** Looks at a source; makes a sparse file of `createBytes` first, where that is given. */
  measure: { readonly ask: { readonly source: string; readonly createBytes?: number }; readonly answer: Measured };
  /** Takes away a file that `measure` made, where nothing came of the volume. */
  unmake: { readonly ask: { readonly source: string }; readonly answer: null };
  addVolume: { readonly ask: AddVolume; readonly answer: AddedVolume };
  /** Ends a volume that is to be resized, if it may be now: it is to be added again. */
  releaseVolume: {
    readonly ask: { readonly volume: VolumeDefinition; readonly sizeBytes: number };
    readonly answer: null;
  };
  /** `isForced`: although hosts are attached. */
  removeVolume: { readonly ask: { readonly name: string; readonly isForced: boolean }; readonly answer: null };
  unfence: { readonly ask: { readonly name: string }; readonly answer: null };
  resync: { readonly ask: { readonly name: string }; readonly answer: null };
  /** `folder`: where the new spool is to be; beside the old one unless told. */
  moveSpool: { readonly ask: { readonly group: string; readonly folder?: string }; readonly answer: null };
  setMode: { readonly ask: { readonly group: string; readonly mode: WantedMode }; readonly answer: null };
  mark: { readonly ask: MarkRequest & { readonly group: string }; readonly answer: PlacedMark };
  /** `isAbandoned`: it is known that it has no volumes any more. */
  removeGroup: { readonly ask: { readonly group: string; readonly isAbandoned: boolean }; readonly answer: null };
  trace: { readonly ask: { readonly volume: string }; readonly answer: readonly TraceEntry[] };
  stop: { readonly ask: null; readonly answer: Farewell };
}

export type SideWord = keyof SideWords;

/** How a side acts on each word. */
export type SideActions = {
  readonly [Word in SideWord]: (ask: SideWords[Word]["ask"]) => Promise<SideWords[Word]["answer"]>;
};

export interface SideAsk {
  readonly id: number;
  readonly word: SideWord;
  readonly ask: unknown;
}

export type SideAnswer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

export const noFacts: SideFacts = { volumes: [], groups: [], remoteGroups: [], nbdAddresses: [] };
