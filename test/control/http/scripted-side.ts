/** The control plane over a side that a test plays. */
import type { MarkRequest, PlacedMark } from "#src/appliance/local/group-marks.ts";
import type { MarkOnTheWay } from "#src/appliance/local/spool-facts.ts";
import { Catalogue } from "#src/control/catalogue.ts";
import { ControlPlane } from "#src/control/control-plane.ts";
import type { DensityReport, PointReport } from "#src/control/density.ts";
import type { DifferenceReport } from "#src/control/difference.ts";
import type { DrillReport } from "#src/control/drill.ts";
import { noFarewell } from "#src/control/farewell.ts";
import type { JobReport } from "#src/control/job.ts";
import { type GroupFacts, noFigures, type RemoteGroupFacts, type VolumeFacts } from "#src/control/role.ts";
import { noFacts, type SideActions, type SideFacts, type SideWord, type SourceHold } from "#src/control/side.ts";
import { SideClient } from "#src/control/side-client.ts";
import { serveSide } from "#src/control/side-server.ts";
import type { MadeSnapshot, SnapshotAnswer, SnapshotFacts } from "#src/control/snapshot-facts.ts";
import type { WorkKind } from "#src/control/store-work.ts";
import type { ViewFacts } from "#src/control/view.ts";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { VolumeKeeper } from "#src/control/volume-keeper.ts";
import { resized, unresized } from "#src/control/volume-resize.ts";
import type { HttpHandler } from "#src/host/http.ts";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";
import type { MessageLine } from "#src/host/thread.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ServedApi } from "./served-api.ts";

export const group: GroupFacts = {
  id: "0".repeat(32),
  name: "g",
  mode: "async",
  wantedMode: "async",
  state: "steady",
  volumeNames: [],
  epoch: 1,
  lastSeq: 9,
  spoolDurableSeq: 9,
  spoolBytes: 0,
  spoolLimitBytes: 1,
  pressure: 0,
  linkUp: true,
  shippedBytes: 0,
  wireBytes: 0,
  aggregates: 0,
  foldedBytes: 0,
  received: 9,
  durable: 9,
  stored: 9,
  lagRecords: 0,
  lagBytes: 0,
  lagSeconds: 0,
};

export const viewFacts: ViewFacts = {
  ...{ name: "disk-7", volume: "disk", group: "g", seq: 7, time: "2026-01-01T00:00:00.000Z" },
  ...{
    writable: true,
    leased: false,
    state: "open",
    opened: "2026-01-02T00:00:00.000Z",
    uri: "nbd+unix:///disk-7?socket=/v",
  },
  ...{ sizeBytes: 4096, connections: 0, writtenBytes: 0, changes: 0, findings: [] },
};

export function volumeFacts(name: string): VolumeFacts {
  return { name, group: "g", source: "/s", sizeBytes: 4096, baseMissing: false, state: "open", ...noFigures };
}

/** Both ends of a line of messages in one thread. */
export function memoryLine(host: SimHost): readonly [MessageLine, MessageLine] {
  const listeners: ((message: unknown) => void)[] = [];
  const end = (own: number): MessageLine => ({
    send: (message) => {
      const copy = structuredClone(message);
      host.clock.soon(() => listeners[1 - own]?.(copy));
    },
    receive: (listener) => {
      listeners[own] = listener;
    },
  });
  return [end(0), end(1)];
}

const drillReport: DrillReport = {
  ...{
    id: 1,
    volume: "disk",
    group: "g",
    seq: 7,
    time: "2026-01-01T00:00:00.000Z",
    outcome: "failed",
    command: "check",
  },
  ...{ by: "operator", started: "2026-01-02T00:00:00.000Z", seconds: 1.5 },
};

const refusedDrill: DrillReport = {
  ...{ id: 2, volume: "disk", group: "g", outcome: "failed", command: "check", why: "it is lost" },
  ...{ by: "operator", started: "2026-01-02T00:00:00.000Z", seconds: 0 },
};

function placedMark({ name, isQuiesced }: MarkRequest): PlacedMark {
  return { name, isQuiesced, epoch: 1, seq: 7, timeMicros: 0 };
}

const madeSnapshot: MadeSnapshot = { seq: 7, isFirst: false, isAsked: true, heldBy: [], isNew: true, seconds: 0.25 };

export class ScriptedSide {
  readonly host: SimHost;
  readonly simulation: Simulation;
  readonly asked: unknown[] = [];
  readonly volumes = new Map<string, VolumeFacts>();
  readonly client: SideClient;
  /** The side that has the store. */
  readonly remote: SideClient;
  readonly keeper: VolumeKeeper;
  readonly control: ControlPlane;
  /** Until then a word is not answered. */
  readonly held = new Map<SideWord, Promise<unknown>>();
  readonly jobs: JobReport[] = [];
  readonly keys = [{ id: "11", isUsed: true }];
  difference: DifferenceReport | undefined;
  history: TimelineReport | undefined;
  density: DensityReport | undefined;
  point: PointReport | undefined;
  groups: readonly GroupFacts[] = [group];
  /** Of before the start. */
  marksOnTheWay: readonly MarkOnTheWay[] = [];
  /** As the remote side tells of them. */
  remoteGroups: readonly RemoteGroupFacts[] = [];
  /** Until then it tells nothing. */
  remoteHeld: Promise<unknown> | undefined;
  views: readonly ViewFacts[] = [];
  snapshots: readonly SnapshotFacts[] = [];
  snapshotAnswer: SnapshotAnswer = { made: madeSnapshot };
  readonly refusals = new Map<SideWord, Error>();
  /** Of the sources that are measured. */
  hasContent = false;
  /** Of the source of a volume that is removed. */
  hold: SourceHold | null = null;
  #served: ServedApi | undefined;
  /** What comes out when a volume that is to be resized has ended. */
  unfit: string | null = null;
  /** Why a volume that is resized keeps its size. */
  resizeRefusal: string | undefined;

  constructor() {
    this.simulation = new Simulation(1);
    this.host = this.simulation.host("a");
    const [ours, theirs] = memoryLine(this.host);
    serveSide(theirs, this.#actions());
    this.client = new SideClient("local", ours, this.host.clock);
    this.keeper = new VolumeKeeper({
      catalogue: Catalogue.open(this.host.files, "/volumes.json"),
      side: this.client,
      randomness: this.host.randomness,
      clock: this.host.clock,
      log: this.host.log,
    });
    this.remote = this.#remote();
    this.control = new ControlPlane({
      version: "1.2.3",
      roles: ["interceptor", "local", "remote"],
      sides: [this.client, this.remote],
      keeper: this.keeper,
      nbdWithTls: false,
      clock: this.host.clock,
      counters: countersOver(shareCounters(["writes_total"], [])),
    });
  }

  /** Whoever asks without a token may all, unless there is one. */
  handler(token?: string): HttpHandler {
    return this.served(token).handle;
  }

  served(token?: string): ServedApi {
    this.#served ??= new ServedApi(this.control, this.simulation.host("paper"), token);
    return this.#served;
  }

  #remote(): SideClient {
    const [ours, theirs] = memoryLine(this.host);
    serveSide(theirs, { ...this.#actions(), facts: () => this.#remoteFacts() });
    return new SideClient("remote", ours, this.host.clock);
  }

  async #remoteFacts(): Promise<SideFacts> {
    await this.remoteHeld;
    return { ...noFacts, remoteGroups: this.remoteGroups };
  }

  #job(kind: WorkKind): JobReport {
    const job: JobReport = {
      ...{ id: this.jobs.length + 1, kind, dryRun: false, by: "operator", state: "waiting" },
      made: new Date(0).toISOString(),
    };
    this.jobs.push(job);
    return job;
  }

  async #facts(): Promise<SideFacts> {
    await this.held.get("facts");
    const nbdAddresses = [{ kind: "unix", path: "/n" } as const];
    const { groups, marksOnTheWay } = this;
    return { ...noFacts, volumes: [...this.volumes.values()], groups, marksOnTheWay, nbdAddresses };
  }

  #actions(): SideActions {
    const acted = async <Answer>(word: SideWord, ask: unknown, answer: () => Answer): Promise<Answer> => {
      this.asked.push({ [word]: ask });
      await this.held.get(word);
      const refusal = this.refusals.get(word);
      if (refusal !== undefined) throw refusal;
      return answer();
    };
    return {
      start: (ask) => acted("start", ask, () => null),
      reconfigure: (ask) => acted("reconfigure", ask, () => null),
      stop: (ask) => acted("stop", ask, () => noFarewell),
      facts: () => this.#facts(),
      measure: (ask) => acted("measure", ask, () => ({ sizeBytes: 8192, hasContent: this.hasContent })),
      unmake: (ask) => acted("unmake", ask, () => null),
      addVolume: (ask) =>
        acted("addVolume", ask, () => {
          const added = (this.resizeRefusal === undefined ? resized : unresized)(ask.volume);
          const { name, group, sizeBytes } = added;
          this.volumes.set(name, { ...volumeFacts(name), group, sizeBytes });
          return { volume: added, ...(this.resizeRefusal === undefined ? {} : { refusal: this.resizeRefusal }) };
        }),
      releaseVolume: (ask) =>
        acted("releaseVolume", ask, () => {
          this.volumes.delete(ask.volume.name);
          return this.unfit;
        }),
      removeVolume: (ask) =>
        acted("removeVolume", ask, () => {
          this.volumes.delete(ask.name);
          return this.hold;
        }),
      forgetVolume: (ask) => acted("forgetVolume", ask, () => null),
      forgetLost: (ask) => acted("forgetLost", ask, () => null),
      unfence: (ask) => acted("unfence", ask, () => null),
      resync: (ask) => acted("resync", ask, () => null),
      moveSpool: (ask) => acted("moveSpool", ask, () => null),
      setMode: (ask) => acted("setMode", ask, () => null),
      setLevel: (ask) => acted("setLevel", ask, () => null),
      mark: (ask) => acted("mark", ask, () => placedMark(ask)),
      removeGroup: (ask) => acted("removeGroup", ask, () => null),
      trace: (ask) => acted("trace", ask, () => []),
      jobs: (ask) => acted("jobs", ask, () => this.jobs),
      addJob: (ask) => acted("addJob", ask, () => this.#job(ask.kind)),
      cancelJob: (ask) => acted("cancelJob", ask, () => ({ ...this.#job("verify"), ...ask })),
      retryStore: (ask) => acted("retryStore", ask, () => null),
      storeKeys: (ask) => acted("storeKeys", ask, () => this.keys),
      addStoreKey: (ask) => acted("addStoreKey", ask, () => "22"),
      removeStoreKey: (ask) => acted("removeStoreKey", ask, () => null),
      snapshots: (ask) => acted("snapshots", ask, () => this.snapshots),
      makeSnapshot: (ask) => acted("makeSnapshot", ask, () => this.snapshotAnswer),
      removeSnapshot: (ask) => acted("removeSnapshot", ask, () => null),
      inspectSnapshot: (ask) =>
        acted("inspectSnapshot", ask, () => [{ kind: "pointers", into: "snapshot", seq: 3, pointers: 8 }]),
      difference: (ask) => acted("difference", ask, () => this.difference as DifferenceReport),
      addRestore: (ask) => acted("addRestore", ask, () => this.jobs[0] as JobReport),
      history: (ask) => acted("history", ask, () => this.history as TimelineReport),
      density: (ask) => acted("density", ask, () => this.density as DensityReport),
      point: (ask) => acted("point", ask, () => this.point as PointReport),
      views: (ask) => acted("views", ask, () => this.views),
      openView: (ask) => acted("openView", ask, () => viewFacts),
      reopenView: (ask) => acted("reopenView", ask, () => viewFacts),
      copyView: (ask) => acted("copyView", ask, () => this.jobs[0] as JobReport),
      renewView: (ask) => acted("renewView", ask, () => null),
      drills: (ask) => acted("drills", ask, () => ({ drills: [], waiting: [] })),
      noteDrill: (ask) => acted("noteDrill", ask, () => drillReport),
      noteRefusedDrill: (ask) => acted("noteRefusedDrill", ask, () => refusedDrill),
      closeView: (ask) => acted("closeView", ask, () => null),
    };
  }
}
