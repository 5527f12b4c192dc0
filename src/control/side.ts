/**
 * The two sides that the work is divided into, each with an I/O thread of its own, and the words between them and the
 * control plane in the main thread.
 */
import type { MarkRequest, PlacedMark } from "#src/appliance/local/group-marks.ts";
import type { MarkOnTheWay } from "#src/appliance/local/spool-facts.ts";
import type { LostVolume } from "#src/appliance/local/volume-removal.ts";
import type { SharedCounters } from "#src/host/node/counters.ts";
import type { SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import type { SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import type { Config } from "./config-schema.ts";
import type { DensityReport, DensityWish, PointReport, PointWish } from "./density.ts";
import type { DifferenceReport, DifferenceWish } from "./difference.ts";
import type { DrillNote, DrillReport, DrillsReport, RefusedDrill } from "./drill.ts";
import type { Farewell } from "./farewell.ts";
import type { JobReport } from "./job.ts";
import type { SideMeasures } from "./metrics/measures.ts";
import type { RestoreWish } from "./restore.ts";
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
import type { SideError } from "./side-error.ts";
import type { SnapshotAnswer, SnapshotFacts, SnapshotWish } from "./snapshot-facts.ts";
import type { KeyFacts } from "./store-key-orders.ts";
import type { WorkRequest } from "./store-work.ts";
import type { ViewFacts, ViewRequest } from "./view.ts";
import type { ViewClosing } from "./view-closing.ts";
import type { ViewCopyWish } from "./view-copies.ts";
import type { HistoryWish, TimelineReport } from "./volume-history.ts";

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
  /** Marks from before the start, which may not have arrived. */
  readonly marksOnTheWay?: readonly MarkOnTheWay[];
  readonly remoteGroups: readonly RemoteGroupFacts[];
  /** Where there is a remote appliance. */
  readonly store?: StoreFacts;
  /** Where hosts attach volumes. */
  readonly nbdAddresses: readonly SocketAddress[];
  /** Where this program itself comes to the volumes, without certificates; absent: it comes as hosts do. */
  readonly ownNbdAddress?: SocketAddress;
  /** Where local appliances find the remote one. */
  readonly wireAddress?: SocketAddress;
  /** What only the metrics tell. */
  readonly measures?: SideMeasures;
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

/** What still holds the source of a volume that was removed: its being opened, which has not come to its end, or itself. */
export type SourceHold = "opening" | "source";

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
  /**
   * Ends a volume that is to be resized, if it may be now: it is to be added again. Answers why, that is, as it was: what was to be seen
   * only when it had ended is against it.
   */
  releaseVolume: {
    readonly ask: { readonly volume: VolumeDefinition; readonly sizeBytes: number };
    readonly answer: string | null;
  };
  /** `isForced`: although hosts are attached. */
  removeVolume: {
    readonly ask: { readonly name: string; readonly isForced: boolean };
    readonly answer: SourceHold | null;
  };
  /** Says to the local appliance that a volume was removed; resolves when it has taken note. */
  forgetVolume: { readonly ask: { readonly id: string }; readonly answer: null };
  /** Says it of one whose interceptor is lost. */
  forgetLost: { readonly ask: LostVolume; readonly answer: null };
  unfence: { readonly ask: { readonly name: string }; readonly answer: null };
  resync: { readonly ask: { readonly name: string }; readonly answer: null };
  /** `folder`: where the new spool is to be; beside the old one unless told. */
  moveSpool: { readonly ask: { readonly group: string; readonly folder?: string }; readonly answer: null };
  setMode: { readonly ask: { readonly group: string; readonly mode: WantedMode }; readonly answer: null };
  setLevel: {
    readonly ask: { readonly group: string; readonly volume: string; readonly seconds: number };
    readonly answer: null;
  };
  mark: { readonly ask: MarkRequest & { readonly group: string }; readonly answer: PlacedMark };
  /** `isAbandoned`: it is known that it has no volumes any more. */
  removeGroup: { readonly ask: { readonly group: string; readonly isAbandoned: boolean }; readonly answer: null };
  /** The newest is last. */
  jobs: { readonly ask: null; readonly answer: readonly JobReport[] };
  addJob: { readonly ask: WorkRequest; readonly answer: JobReport };
  cancelJob: { readonly ask: { readonly id: number }; readonly answer: JobReport };
  /** What could not be sealed is tried again at once. */
  retryStore: { readonly ask: { readonly isRemounted: boolean }; readonly answer: null };
  /** None: the store is not encrypted. */
  storeKeys: { readonly ask: null; readonly answer: readonly KeyFacts[] };
  /** Of a file on the remote appliance's machine. Answers the id of the copy that it opens. */
  addStoreKey: { readonly ask: { readonly keyFile: string }; readonly answer: string };
  removeStoreKey: { readonly ask: { readonly copyId: string }; readonly answer: null };
  /** Of the volume's group, the newest last. */
  snapshots: { readonly ask: { readonly volume: string }; readonly answer: readonly SnapshotFacts[] };
  /** What it needs is sealed first, as long as somebody waits. */
  makeSnapshot: { readonly ask: SnapshotWish; readonly answer: SnapshotAnswer };
  removeSnapshot: { readonly ask: { readonly volume: string; readonly seq: number }; readonly answer: null };
  inspectSnapshot: {
    readonly ask: { readonly volume: string; readonly seq: number };
    readonly answer: readonly SnapshotDescriptionItem[];
  };
  /** In the order in which they were opened. */
  views: { readonly ask: null; readonly answer: readonly ViewFacts[] };
  openView: { readonly ask: ViewRequest; readonly answer: ViewFacts };
  /** One that was put away. */
  reopenView: { readonly ask: { readonly name: string }; readonly answer: ViewFacts };
  /** It is put away, and a job copies it. */
  copyView: { readonly ask: ViewCopyWish; readonly answer: JobReport };
  /** Of one that goes by itself: somebody still holds it. */
  renewView: { readonly ask: { readonly name: string }; readonly answer: null };
  closeView: { readonly ask: { readonly name: string; readonly how: ViewClosing }; readonly answer: null };
  history: { readonly ask: HistoryWish; readonly answer: TimelineReport };
  density: { readonly ask: DensityWish; readonly answer: DensityReport };
  point: { readonly ask: PointWish; readonly answer: PointReport };
  difference: { readonly ask: DifferenceWish; readonly answer: DifferenceReport };
  /** Answers the job; its point is held. */
  addRestore: { readonly ask: RestoreWish; readonly answer: JobReport };
  drills: { readonly ask: null; readonly answer: DrillsReport };
  /** One whose point is refused since something is lost: it is looked at there once more. */
  noteRefusedDrill: { readonly ask: RefusedDrill; readonly answer: DrillReport };
  noteDrill: { readonly ask: DrillNote; readonly answer: DrillReport };
  trace: { readonly ask: { readonly volume: string }; readonly answer: readonly TraceEntry[] };
  /** Takes over what can be changed while it runs. */
  reconfigure: { readonly ask: { readonly config: Config }; readonly answer: null };
  stop: { readonly ask: null; readonly answer: Farewell };
}

export type SideWord = keyof SideWords;

/** What is asked where the store is. */
export type StoreSideWord =
  | ("jobs" | "addJob" | "cancelJob" | "retryStore")
  | ("storeKeys" | "addStoreKey" | "removeStoreKey")
  | ("snapshots" | "makeSnapshot" | "removeSnapshot" | "inspectSnapshot")
  | (
      | "views"
      | "openView"
      | "reopenView"
      | "renewView"
      | "copyView"
      | "closeView"
      | "drills"
      | "noteDrill"
      | "noteRefusedDrill"
      | "history"
      | "density"
      | "point"
      | "difference"
      | "addRestore"
    );

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
  | { readonly id: number; readonly error: SideError };

export const noFacts: SideFacts = { volumes: [], groups: [], remoteGroups: [], nbdAddresses: [] };
