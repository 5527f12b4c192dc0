/** The remote appliance with its door, as the configuration wants them. */
import { openRemoteAppliance, type RemoteAppliance } from "#src/appliance/remote/remote-appliance.ts";
import { RefuseError } from "#src/core/errors.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import { faultHook } from "#src/host/node/faults.ts";
import { startProcess } from "#src/host/node/process.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import type { SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import { GroupLinkServer } from "#src/wire/group-link-server.ts";
import type { Config } from "./config-schema.ts";
import { type DrillsReport, drillTroubles } from "./drill.ts";
import type { DrillBook } from "./drill-book.ts";
import {
  jobsPath,
  namesDoubtPath,
  privateWireSocket,
  roleFolder,
  storeFolder,
  storeIndexFolder,
} from "./folder-layout.ts";
import { type JobReport, jobTroubles } from "./job.ts";
import { JobRunner } from "./job-runner.ts";
import { listenInWords } from "./listening-address.ts";
import { lastDrills, lastJobs } from "./metrics/last-works.ts";
import type { SideMeasures } from "./metrics/measures.ts";
import { NamesDoubt } from "./names-doubt.ts";
import type { RestoreWish } from "./restore.ts";
import { openRestores } from "./restore-part.ts";
import type { Restores } from "./restores.ts";
import type { RemoteGroupFacts, StoreFacts } from "./role.ts";
import type { SideSettings } from "./side.ts";
import type { AskStanding } from "./side-caller.ts";
import type { SnapshotAnswer, SnapshotFacts, SnapshotWish } from "./snapshot-facts.ts";
import { SnapshotOrders } from "./snapshot-orders.ts";
import { StoreBinding } from "./store-binding.ts";
import { StoreClient, type StoreClientParts } from "./store-client.ts";
import { readStoreKey } from "./store-key.ts";
import type { KeyFacts } from "./store-key-orders.ts";
import { withLastCollection } from "./store-state.ts";
import { type StoreSettings, sentKey } from "./store-words.ts";
import { workPeriods } from "./store-works.ts";
import { ViewCopies } from "./view-copies.ts";
import { type ServedViews, serveViews } from "./view-part.ts";
import type { Views } from "./views.ts";
import { findVolume, type VolumeOfGroup } from "./volume-of-group.ts";

interface RemotePartParts {
  readonly appliance: RemoteAppliance;
  readonly door: GroupLinkServer;
  readonly address: SocketAddress;
  readonly store: StoreClient;
  readonly jobs: JobRunner;
  readonly served: ServedViews;
  readonly restores: Restores;
  readonly files: Files;
  readonly clock: Clock;
}

export class RemotePart {
  readonly address: SocketAddress;
  readonly #appliance: RemoteAppliance;
  readonly #door: GroupLinkServer;
  readonly jobs: JobRunner;
  readonly copies: ViewCopies;
  readonly #served: ServedViews;
  readonly #restores: Restores;
  readonly #files: Files;
  readonly #store: StoreClient;
  readonly #orders: SnapshotOrders;

  private constructor(parts: RemotePartParts) {
    this.jobs = parts.jobs;
    this.#served = parts.served;
    this.copies = new ViewCopies({
      views: parts.served.views,
      jobs: parts.jobs,
      restore: (wish) => this.restore(wish),
      forget: (copy) => parts.restores.forget(copy),
      groups: () => this.groups(),
    });
    this.#restores = parts.restores;
    this.#files = parts.files;
    this.#store = parts.store;
    this.#appliance = parts.appliance;
    this.#door = parts.door;
    this.address = parts.address;
    this.#orders = new SnapshotOrders({
      clock: parts.clock,
      groups: () => parts.appliance.status(),
      sealUpTo: (group, seq) => parts.appliance.sealUpTo(group, seq),
      make: (ask) => parts.store.keeper.ask("makeSnapshot", ask),
    });
  }

  static async start(
    machine: Machine,
    { config, roles, secrets }: SideSettings,
    standing: AskStanding,
  ): Promise<RemotePart> {
    const { sockets, clock, randomness, log } = machine;
    const hook = faultHook(config.faults);
    let jobs: JobRunner | undefined;
    let opened: RemoteAppliance | undefined;
    const store = await openStoreClient(machine, config, {
      lackedRoom: () => jobs?.roomIsNeeded(),
      recall: async (group, wanted) => (await opened?.recall(group, wanted)) ?? [],
    });
    const appliance = await openRemoteAppliance({
      machine,
      folder: roleFolder(config, "remote"),
      options: { sealAfterMs: config.store.sealAfterSeconds * 1000, sealBehindBytesMax: config.store.sealBehind },
      sealer: store,
      ...(hook === undefined ? {} : { hook }),
    });
    opened = appliance;
    const isPrivate = roles.includes("local");
    const tls = isPrivate || secrets.wireTls === undefined ? {} : { tls: secrets.wireTls };
    const door = new GroupLinkServer({ sockets, clock, randomness, log, token: secrets.wireToken, ...tls }, appliance);
    const address = await listenInWords(
      isPrivate ? privateAddress(config) : publicAddress(config),
      { forWhom: "local appliances", settings: isPrivate ? "another data folder" : "wire.port or wire.socket" },
      (where) => door.listen(where),
    );
    // What is wrong with it is said by whatever is asked of it next.
    void store.wake().catch(() => {});
    const groups = () => appliance.status();
    const served = await serveViews({ machine, config, tls: secrets.nbdTls, store, groups });
    const resolve = (volume: string, point: string) => served.views.resolve(volume, point);
    const restores = await openRestores({ machine, config, store, groups, resolve, standing });
    jobs = JobRunner.open({ machine, path: jobsPath(config), store, restores, everyMs: workPeriods(config) });
    void restores.sweep(jobs.all);
    return new RemotePart({ appliance, door, address, store, jobs, served, restores, files: machine.files, clock });
  }

  groups(): readonly RemoteGroupFacts[] {
    return this.#appliance.status();
  }

  get store(): StoreFacts {
    const { segmentCount, figures, trouble, state } = this.#store;
    const jobs = this.jobs.reports();
    const job = jobs.find((one) => one.state === "running" && one.kind !== "restore");
    return {
      segmentCount,
      sealed: figures,
      jobTroubles: [...jobTroubles(jobs), ...drillTroubles(this.drills.last), ...this.views.troubles],
      ...(state === undefined ? {} : { state: withLastCollection(state, jobs) }),
      ...(trouble === undefined ? {} : { trouble }),
      ...(job === undefined ? {} : { job }),
    };
  }

  get measures(): SideMeasures {
    return { drills: lastDrills(this.drills.last), jobs: lastJobs(this.jobs.reports()) };
  }

  /** What could not be sealed is tried again at once. */
  retryStore({ isRemounted }: { readonly isRemounted: boolean }): void {
    if (isRemounted) this.#store.trustNames();
    this.#appliance.trySealing();
  }

  keys(): Promise<readonly KeyFacts[]> {
    return this.#store.keys();
  }

  async addKey(keyFile: string): Promise<string> {
    return this.#store.addKey(WrappingKey.readFile(this.#files, keyFile));
  }

  removeKey(copyId: string): Promise<void> {
    return this.#store.removeKey(copyId);
  }

  snapshots(name: string): Promise<readonly SnapshotFacts[]> {
    const { group, volume } = this.#volume(name);
    return this.#store.keeper.ask("snapshots", { group: group.id, volume: volume.number });
  }

  async makeSnapshot(wish: SnapshotWish): Promise<SnapshotAnswer> {
    const { group, volume } = this.#volume(wish.volume);
    const seq = wish.seq ?? (await this.#seqOf(wish, group.id));
    return await this.#orders.make({ group: group.id, volume: volume.number, seq, waitMs: wish.waitMs });
  }

  async #seqOf({ volume, point = "now" }: SnapshotWish, group: string): Promise<number> {
    if (point !== "now") return (await this.views.resolve(volume, point)).point.seq;
    const newestSeq = this.#appliance.status().find(({ id }) => id === group)?.received ?? 0;
    if (newestSeq === 0) throw new RefuseError(`nothing of volume '${volume}' has come here yet`);
    return newestSeq;
  }

  removeSnapshot(name: string, seq: number): Promise<null> {
    return this.#store.keeper.ask("removeSnapshot", { group: this.#volume(name).group.id, seq });
  }

  inspectSnapshot(name: string, seq: number): Promise<readonly SnapshotDescriptionItem[]> {
    return this.#store.keeper.ask("inspectSnapshot", { group: this.#volume(name).group.id, seq });
  }

  #volume(name: string): VolumeOfGroup {
    return findVolume(this.#appliance.status(), name);
  }

  async restore(wish: RestoreWish): Promise<JobReport> {
    const request = await this.#restores.hold(wish, this.jobs.all);
    const job = await this.jobs.add(request);
    if (job.restore?.id === request.restore?.id) return job;
    this.#restores.over(request, false);
    // Somebody has asked for the same before, and gets that.
    const { seq, volume, view } = request.restore ?? {};
    const isSame = job.restore?.seq === seq && job.restore?.volume === volume && job.restore?.view === view?.name;
    if (isSame) return job;
    throw new RefuseError(`job ${job.id} restores another point there: 'tidemark job cancel ${job.id}' ends it`);
  }

  get views(): Views {
    return this.#served.views;
  }

  async reconfigure(config: Config): Promise<void> {
    await this.#served.reconfigure(config);
  }

  listDrills(): Promise<DrillsReport> {
    return this.#served.listDrills();
  }

  get drills(): DrillBook {
    return this.#served.drills;
  }

  async stop(): Promise<void> {
    this.jobs.stop();
    await this.#restores.stop();
    await this.#served.stop();
    await this.#door.close();
    // Groups let go of what is being sealed of them, and read what the store has until they have stopped.
    await this.#appliance.stop();
    await this.#store.stop();
    await this.#store.close();
  }
}

async function openStoreClient(
  machine: Machine,
  config: Config,
  others: Pick<StoreClientParts, "lackedRoom" | "recall">,
): Promise<StoreClient> {
  const folder = storeFolder(config);
  const wrappingKey = await readStoreKey(machine.files, config);
  const binding = await openBinding(machine, config);
  const doubt = NamesDoubt.open(machine, namesDoubtPath(config));
  const sent = wrappingKey === undefined ? undefined : sentKey(wrappingKey);
  const common = { config, folder, indexFolder: storeIndexFolder(config), wrappingKey: sent };
  const startKeeper = (isIndexSuspect: boolean) => {
    const { holder, store } = binding;
    const settings: StoreSettings = { ...common, isIndexSuspect, binding: { holder, store } };
    return startProcess(new URL("./store-keeper.ts", import.meta.url), settings);
  };
  return StoreClient.open({ machine, folder, startKeeper, wrappingKey, binding, doubt, ...others });
}

async function openBinding(machine: Machine, config: Config): Promise<StoreBinding> {
  const place = storeFolder(config);
  const objects = FolderObjects.openToRead(machine, place);
  try {
    const binding = await StoreBinding.open({ machine, folder: roleFolder(config, "remote"), objects, place });
    if (binding.trouble !== undefined) machine.log.error("the store cannot be used", { why: binding.trouble });
    return binding;
  } finally {
    await objects.close();
  }
}

function privateAddress(config: Config): SocketAddress {
  return { kind: "unix", path: privateWireSocket(config) };
}

function publicAddress({ wire }: Config): SocketAddress {
  if (wire.socket !== undefined) return { kind: "unix", path: wire.socket };
  return { kind: "tcp", host: wire.host, port: wire.port ?? 0 };
}
