/**
 * Two sites from one seed: a source site with local appliance, interceptors and their hosts, a remote site with its
 * journals, the network between them, and the oracle that watches both disks. Sites end and begin again; what they
 * leave behind stays.
 */
import { nbdError } from "#src/nbd/constants.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import type { SimPath } from "#test/sim/sim-path.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { Faults } from "./faults.ts";
import { GroupOracle } from "./group-oracle.ts";
import { HeldContent } from "./held-content.ts";
import { JournalWatch } from "./journal-watch.ts";
import { Mishaps } from "./mishaps.ts";
import { Protection } from "./protection.ts";
import type { RecordHistory } from "./record-history.ts";
import { RemoteDisks } from "./remote-disks.ts";
import { type RemoteSite, startRemoteSite } from "./remote-site.ts";
import { Removals } from "./removals.ts";
import { type NotedSize, Resizes } from "./resizes.ts";
import { type SourceSite, sizeBytesOf, startSourceSite } from "./source-site.ts";
import { SourceWatch } from "./source-watch.ts";
import { type SpoolKeeping, SpoolWatch } from "./spool-watch.ts";
import { cellBytes } from "./stamp.ts";
import { storeFolder } from "./store-process.ts";
import { StoreSide, wrappingKey } from "./store-side.ts";
import { demand, Violation } from "./violation.ts";
import { VolumeHost } from "./volume-host.ts";
import { drawWeather, type GroupPlan, type VolumePlan, type Weather } from "./weather.ts";

/** A process that could not start is started again after this, and after twice the time if it still cannot. */
const againMs = 1_000;
const againMsMax = 30_000;

/** Longer than whatever is waited for takes. */
const patienceMs = 600_000;
const lookEveryMs = 100;

/** Mostly wide: a narrow way takes many steps for the same bytes. */
const pipeCapacitiesBytes = [16_384, 262_144, 1_048_576, 1_048_576];

export class World {
  readonly simulation: Simulation;
  readonly weather: Weather;
  readonly sourceHost: SimHost;
  readonly remoteHost: SimHost;
  readonly faults: Faults;
  readonly mishaps: Mishaps;
  readonly resizes: Resizes;
  readonly removals: Removals;
  readonly groups: readonly GroupOracle[];
  readonly volumes: readonly VolumeHost[];
  readonly spool: SpoolWatch;
  readonly journal: JournalWatch;
  readonly remoteDisks: RemoteDisks;
  readonly store: StoreSide;
  readonly #sources: SourceWatch[] = [];
  /** Volumes whose writes may have been lost from memory since their hosts last saw them. */
  readonly #lostPower = new Set<VolumeHost>();
  source: SourceSite | undefined;
  remote: RemoteSite | undefined;
  /** Why the last try to start each site failed. */
  sourceFailure: Error | undefined;
  remoteFailure: Error | undefined;
  #failure: Error | undefined;
  /** What is read back when. */
  readonly readBackRandom: SeededRandom;
  /** Nothing goes wrong any more. */
  isHealed = false;
  #nextNumber = 1;
  /** When a site lost its power. */
  readonly #powerCutsMs: number[] = [];
  #lives = { source: 0, remote: 0 };
  #again = { source: againMs, remote: againMs };

  constructor(seed: number) {
    this.simulation = new Simulation(seed);
    const { random } = this.simulation;
    this.weather = drawWeather(random.fork("weather"));
    this.readBackRandom = random.fork("read back");
    this.sourceHost = this.simulation.host("source-site");
    this.remoteHost = this.simulation.host("remote-site");
    for (const path of this.#paths()) path.pipeCapacitiesBytes = pipeCapacitiesBytes;
    const { flips, sealing } = this.weather;
    const storeDisk = sealing === undefined ? undefined : this.remoteHost.mount(storeFolder);
    this.remoteDisks = new RemoteDisks(this.remoteHost.disk, storeDisk, {
      isHarmed: flips,
      wrappingKey: sealing?.isEncrypted === true ? wrappingKey : undefined,
      undo: (file, bytes) => this.store.flips?.undo(file, bytes),
    });
    const historyOf = (group: string): RecordHistory => this.#oracleOf(group).history;
    this.spool = new SpoolWatch(this.sourceHost.disk, historyOf, (group) => this.#keepingOf(group));
    this.journal = new JournalWatch(this.remoteDisks, historyOf, flips, {
      relies: (...told) => this.store.events.relies(...told),
      leaves: (...told) => this.store.events.leaves(...told),
    });
    this.groups = this.weather.groups.map((plan) => this.#watchGroup(plan));
    this.store = new StoreSide(this);
    this.volumes = this.weather.groups.flatMap((plan, index) => this.#makeVolumes(plan, index));
    this.faults = new Faults(this.simulation, this.weather, {
      source: this.sourceHost,
      remote: this.remoteHost,
      store: storeDisk,
      crash: (site, hadPower) => {
        if (site !== "remote") this.crashSource(hadPower);
        if (site !== "source") this.crashRemote(hadPower);
      },
      endStoreProcess: () => {
        const process = this.remote?.storeProcess();
        process?.kill();
        return process !== undefined;
      },
    });
    this.mishaps = new Mishaps(this);
    this.resizes = new Resizes(this);
    this.removals = new Removals(this);
    this.#observe();
  }

  #paths(): SimPath[] {
    const { network } = this.simulation;
    const [source, remote] = [this.sourceHost.name, this.remoteHost.name];
    return [network.path(source, remote), network.path(remote, source)];
  }

  #oracleOf(id: string): GroupOracle {
    return this.groups.find((group) => group.id === id) as GroupOracle;
  }

  #keepingOf(group: string): SpoolKeeping {
    const { sealing, spoolLimitBytes } = this.weather;
    // Not more than a quarter of it.
    const keepBytes = Math.min(sealing?.spoolKeepBytes ?? 0, spoolLimitBytes / 4);
    return { keepBytes, storedSeq: this.store.claimedSeq(group), knownStoredSeq: this.store.knownSeq(group) };
  }

  /** What either side says to be stored now. */
  lookAtStored(): void {
    this.store.lookAtStored();
    this.guard(() => this.spool.demandReleasable());
  }

  /** What was ever said to be stored is in the objects, and what they say is right. */
  async demandStored(): Promise<void> {
    this.lookAtStored();
    await this.store.demandStored();
  }

  #numberOf(name: string): number {
    return this.weather.groups.flatMap(({ volumes }) => volumes).findIndex((volume) => volume.name === name) + 1;
  }

  #watchGroup({ id, mode, volumes }: GroupPlan): GroupOracle {
    const watched = volumes.map(({ name, blockCount }) => ({ name, blockCount, volume: this.#numberOf(name) }));
    return new GroupOracle(id, mode, watched, this.spool, this.journal);
  }

  #makeVolumes(plan: GroupPlan, index: number): VolumeHost[] {
    const group = this.groups[index] as GroupOracle;
    return plan.volumes.map((volumePlan) => {
      const { name, blockCount } = volumePlan;
      const volume = this.#numberOf(name);
      const held = new HeldContent(this.#nextNumber++, volumePlan.held);
      const file = this.#makeSource(volumePlan, held);
      const receivedSeq = (): number => this.journal.receivedSeq(group.id);
      const isUnprotected = (): boolean =>
        this.removals.isLeft(name) || this.source?.volumes().get(name)?.status().state === "tracking";
      const source = new SourceWatch({ file, volume, blockCount, history: group.history, receivedSeq, isUnprotected });
      source.lookAgain();
      this.#sources.push(source);
      return new VolumeHost({
        ...{ name, volume, blockCount, held, group, source },
        cellCount: sizeBytesOf(volumePlan) / cellBytes,
        largeChance: this.weather.largeWrites ? 0.4 : 0.04,
        protection: new Protection(name, this.sourceHost, isUnprotected),
        random: this.simulation.random.fork(`host of ${name}`),
        nextNumber: () => this.#nextNumber++,
        note: (text) => this.simulation.trace.add(`host: ${text}`),
        guard: (check) => this.guard(check),
        isHarmed: this.weather.flips,
        mayFail: (error) => this.#mayFail(error),
      });
    });
  }

  #makeSource(plan: VolumePlan, held: HeldContent): SimFile {
    const { files, disk } = this.sourceHost;
    files.makeFolder(`/${plan.name}`);
    const handle = files.create(`/${plan.name}/source`);
    handle.truncateNow(sizeBytesOf(plan));
    handle.close();
    const file = disk.fileAt(`/${plan.name}/source`);
    held.writeTo(file, this.#numberOf(plan.name));
    file.makeDurable(file.changeCount);
    return file;
  }

  #mayFail(error: number): boolean {
    const { errors, flips, fullDisks, fullSources, whenFull } = this.weather;
    if (errors || flips) return true;
    if (fullSources && whenFull === "refuse" && error === nbdError.noSpace) return true;
    // A volume that was fenced for want of room answers nothing while it is being redone.
    return fullDisks && (error === nbdError.noSpace || error === nbdError.io);
  }

  #observe(): void {
    this.sourceHost.files.makeFolder("/local");
    const { root } = this.sourceHost.disk;
    for (const node of root.names.values()) if (node.kind === "folder") node.makeDurable(node.changeCount);
    root.makeDurable(root.changeCount);
    this.sourceHost.disk.observer = (file, change) =>
      this.guard(() => {
        this.spool.changed(file, change);
        for (const source of this.#sources) source.changed(file, change);
      });
    this.remoteHost.disk.observer = (file, change) => this.guard(() => this.journal.changed(file, change));
    this.remoteHost.disk.removalObserver = (path) => this.guard(() => this.journal.removing(path));
    const { store } = this.remoteDisks;
    if (store !== undefined) store.removalObserver = (path) => this.guard(() => this.store.removing(path));
  }

  /** What is found wrong must not pass for an error of a disk, so it is kept aside and ends the run at the next moment. */
  guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.simulation.trace.add(`failure: ${error.message}`);
  }

  /** Lets time pass; ends early after so many events, and says so. */
  async pass(durationMs: number, eventsMax = Number.POSITIVE_INFINITY): Promise<boolean> {
    let events = 0;
    // What a request or a fault has begun goes on before anything else happens.
    await promisesSettled();
    const isEarly = await this.simulation.clock.pass(
      durationMs,
      () => ++events >= eventsMax || this.#failure !== undefined,
    );
    if (this.#failure !== undefined) throw this.#failure;
    return isEarly;
  }

  /** Lets time pass until that is over. */
  async passUntil<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    work.catch((error: Error) => this.fail(error)).finally(over);
    const endMs = this.simulation.clock.nowMs + patienceMs;
    do await this.pass(lookEveryMs);
    while (!isOver && this.simulation.clock.nowMs < endMs);
    demand("liveness", isOver, () => `something takes longer than ${patienceMs} ms`);
    return work;
  }

  unfence(name: string): void {
    const volume = this.volumes.find((one) => one.name === name) as VolumeHost;
    // It may fail again, and is tried again then.
    this.source
      ?.volumes()
      .get(name)
      ?.unfence()
      .then(() => {
        // What was written while it went on unprotected no spool has: hosts were told that its sync had failed.
        if (this.weather.overflow === "track") this.guard(() => volume.lostUnprotected());
      })
      .catch((error: Error) => this.#couldNotStart(name, error));
  }

  // The sites' lives

  startSource(): void {
    const life = ++this.#lives.source;
    const isCurrent = (): boolean => life === this.#lives.source;
    const opened = (name: string, export_: NbdExport): void => {
      const volume = this.volumes.find((one) => one.name === name) as VolumeHost;
      if (!isCurrent()) return;
      this.simulation.trace.add(`source-site: ${name} is open`);
      this.resizes.opened(name, export_.sizeBytes);
      this.guard(() => volume.attach(export_, !this.#lostPower.has(volume)));
      this.#lostPower.delete(volume);
    };
    const failed = (error: Error): void => {
      if (!isCurrent()) return;
      this.#couldNotStart("source-site", error);
      this.sourceFailure = error;
    };
    const opening = (name: string): void => {
      const source = this.#sources[this.volumes.findIndex((one) => one.name === name)];
      source?.beginAgain();
      // A sync that failed may have thrown away what was written.
      if (this.weather.errors) source?.lookAgain();
    };
    const spoolLost = (group: string): void => this.guard(() => this.#oracleOf(group).spoolLost());
    const size = (plan: VolumePlan): NotedSize => this.resizes.noted(plan.name, sizeBytesOf(plan));
    const events = { opening, opened, size, spoolLost, isGone: (name: string) => this.removals.isGone(name), failed };
    startSourceSite(this.sourceHost, this.remoteHost.name, this.weather, events).then(
      (site) => {
        if (isCurrent()) this.source = site;
        this.#again.source = againMs;
      },
      (error: Error) => {
        failed(error);
        if (isCurrent()) this.crashSource(true, this.#again.source);
        this.#again.source = Math.min(againMsMax, 2 * this.#again.source);
      },
    );
  }

  startRemote(): void {
    const life = ++this.#lives.remote;
    const isCurrent = (): boolean => life === this.#lives.remote;
    startRemoteSite(this.remoteHost, this.store.remoteStore(life)).then(
      (site) => {
        if (isCurrent()) this.remote = site;
        this.#again.remote = againMs;
        this.remoteFailure = undefined;
      },
      (error: Error) => {
        if (!isCurrent()) return;
        this.#couldNotStart("remote-site", error);
        this.remoteFailure = error;
        this.crashRemote(true, this.#again.remote);
        this.#again.remote = Math.min(againMsMax, 2 * this.#again.remote);
      },
    );
  }

  #couldNotStart(site: string, error: Error): void {
    this.simulation.trace.add(`${site}: could not start: ${error.stack}`);
    if (error.name === "AssertionError" || error instanceof TypeError || error instanceof Violation) this.fail(error);
  }

  powerCutsWithin(lastMs: number): number {
    const { nowMs } = this.simulation.clock;
    return this.#powerCutsMs.filter((cutMs) => nowMs - cutMs <= lastMs).length;
  }

  /** The site ends as it stands, and is started again some time later. */
  crashSource(hadPower: boolean, downMs = this.#drawDownMs()): void {
    if (!hadPower) this.#powerCutsMs.push(this.simulation.clock.nowMs);
    this.#lives.source++;
    const spool = this.mishaps.spoolToLose();
    this.lookAtStored();
    this.source = undefined;
    if (hadPower) this.sourceHost.kill();
    else this.sourceHost.cutPower();
    // A failed sync may have thrown away what was written, though the machine went on.
    const hasKept = hadPower && !this.weather.errors;
    this.spool.crash(hasKept);
    if (!hasKept) for (const source of this.#sources) source.lookAgain();
    if (spool !== undefined) this.mishaps.loseSpool(spool);
    for (const group of this.groups) group.sourceCrashed();
    for (const orders of [this.resizes, this.removals]) orders.sourceCrashed();
    for (const volume of this.volumes) {
      volume.crash();
      // And where an unsynced end of the spool is damaged, it is dropped.
      if (!hasKept || this.weather.flips) this.#lostPower.add(volume);
    }
    const life = this.#lives.source;
    this.simulation.clock.schedule(downMs, () => {
      if (life === this.#lives.source) this.startSource();
    });
  }

  crashRemote(hadPower: boolean, downMs = this.#drawDownMs()): void {
    if (!hadPower) this.#powerCutsMs.push(this.simulation.clock.nowMs);
    for (const { id, durable } of this.remote?.groups() ?? []) this.guard(() => this.journal.said(id, durable));
    this.lookAtStored();
    this.journal.crash();
    const isFolderLost = this.store.folder?.isDoomed() === true;
    this.#lives.remote++;
    this.remote = undefined;
    if (hadPower) this.remoteHost.kill();
    else this.remoteHost.cutPower();
    if (!hadPower || this.weather.errors || this.weather.flips) this.journal.lost();
    if (isFolderLost) this.store.folder?.lose();
    else this.mishaps.loseIndexPerhaps();
    const life = this.#lives.remote;
    this.simulation.clock.schedule(downMs, () => {
      if (life === this.#lives.remote) this.startRemote();
    });
  }

  #drawDownMs(): number {
    const random = this.simulation.random.fork(`down ${this.simulation.clock.nowMs}`);
    return random.integerBelow(random.pick([1, 50, 2_000, 30_000])) + 1;
  }
}
