/**
 * The local appliance: its groups, and the door through which interceptors attach their volumes. A group is made when it
 * is first named, and opened again at every start.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { batchSlabBytes, batchSlabCountMax } from "#src/core/limits.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import { whenDone } from "#src/host/when-done.ts";
import { BatchPool } from "#src/records/batch-pool.ts";
import type {
  AttachedSource,
  Attachment,
  ForgetsVolumes,
  VolumeIdentity,
  VolumeLinks,
  VolumeReceiver,
} from "#src/wire/volume-link.ts";
import { Crowd } from "../crowd.ts";
import { attachVolume } from "./attachment.ts";
import type { WantedMode } from "./auto-mode.ts";
import type { GroupFigures } from "./group-figures.ts";
import type { MarkRequest, PlacedMark } from "./group-marks.ts";
import { type GroupSite, lacksRoomFor, type OpeningSite, openGroup } from "./group-opening.ts";
import { finishLateRemoval, refuseNeeded, removeGroupFiles } from "./group-removal.ts";
import { beginGroupSpool } from "./group-spool.ts";
import { type NewGroup, openGroupState } from "./group-start.ts";
import type { GroupStateFile } from "./group-state.ts";
import { LeftGroup, LeftGroups, readFound } from "./left-groups.ts";
import { LocalGroup } from "./local-group.ts";
import { lacksRoomToBegin, MovingGroup, refuseMove, spoolIsMoving, spoolIsOpening } from "./moving-group.ts";
import type { MarkOnTheWay } from "./spool-facts.ts";
import { type SpoolAnew, spoolAnew, spoolFolderOf } from "./spool-place.ts";
import { StoppedGroup } from "./stopped-group.ts";
import type { TracedRecord } from "./trace-log.ts";
import { type LostVolume, VolumeRemovals } from "./volume-removal.ts";
import { WorkUnderWay } from "./work-under-way.ts";

/** A group that could not be opened for want of room is tried again so much later. */
const openAgainMs = 5_000;

const isStopping = new RetryError("the local appliance is being stopped");

export interface LocalApplianceParts extends GroupSite {
  /** Of a group that an attaching volume names and that is not there yet. */
  readonly newGroupMode: WantedMode;
}

export class LocalAppliance implements VolumeLinks, ForgetsVolumes {
  readonly #parts: LocalApplianceParts;
  readonly #site: OpeningSite;
  readonly #groups = new Map<string, LocalGroup>();
  /** Those that could not be opened, as a rule since their spool is lost. */
  readonly #stopped = new Map<string, StoppedGroup>();
  readonly #moving = new Map<string, MovingGroup>();
  /** Those that wait for room to begin. */
  readonly #waiting = new Set<GroupStateFile>();
  readonly #opening = new Map<string, Promise<LocalGroup>>();
  readonly #left: LeftGroups;
  readonly #idsBegun = new Map<string, string>();
  readonly #removing = new Map<string, Promise<void>>();
  /** Whatever may come to open a group. */
  readonly #underWay: WorkUnderWay;
  #isOver = false;
  readonly #removals: VolumeRemovals;

  private constructor(parts: LocalApplianceParts) {
    this.#parts = parts;
    this.#underWay = new WorkUnderWay(parts.machine.clock);
    this.#left = new LeftGroups(parts.policy);
    const states = { groups: this.#groups, stopped: this.#stopped, moving: this.#moving };
    this.#removals = new VolumeRemovals({ ...states, left: this.#left });
    const pool = new BatchPool({
      slabBytes: batchSlabBytes,
      slabCountMax: batchSlabCountMax,
      freed: () =>
        parts.machine.clock.soon(() => {
          for (const group of this.#groups.values()) group.roomAgain();
        }),
    });
    const writer = parts.machine.randomness.bytes(16).toString("hex");
    this.#site = { ...parts, pool, writer, crowd: new Crowd() };
  }

  /**
   * Opens the groups that are there. One that cannot be opened, as a rule since its spool is lost, is stopped, one on a full
   * disk is opened when there is room, one whose state cannot be read is left, and none keeps another from its work.
   */
  static async open(parts: LocalApplianceParts): Promise<LocalAppliance> {
    const appliance = new LocalAppliance(parts);
    const { files } = parts.machine;
    files.makeFolder(`${parts.folder}/groups`);
    await whenDone((done) => files.syncFolder(parts.folder, done));
    for (const id of files.list(`${parts.folder}/groups`)) await appliance.#openFound(id);
    return appliance;
  }

  /** `id`: what its folder is called. */
  async #openFound(id: string): Promise<void> {
    const { machine, folder } = this.#parts;
    await finishLateRemoval(machine, `${folder}/groups/${id}`);
    const isTaken = (name: string): boolean =>
      [this.#groups, this.#stopped, this.#moving].some((groups) => groups.has(name));
    const found = readFound(machine, `${folder}/groups`, id, isTaken);
    if (found === undefined) return;
    if (found instanceof LeftGroup) return this.#leave(found);
    this.#left.delete(id);
    try {
      await this.#openKnown(found);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      this.#leave(new LeftGroup(id, found.state.name, error as Error));
    }
  }

  #leave(left: LeftGroup): void {
    const { clock, log } = this.#parts.machine;
    const { id, why, mayPass } = left;
    if (this.#left.get(id)?.why !== why) log.error("the folder of a group is left as it is", { group: id, why });
    this.#left.set(left);
    if (mayPass) clock.timer(openAgainMs, () => void (this.#isOver || this.#underWay.add(this.#openFound(id))));
  }

  /** A group that is there already is left as it is. */
  async addGroup(group: NewGroup): Promise<void> {
    await this.#groupNamed(group.name, group);
  }

  /** Resolves also when it waits for room, which may be for ever. */
  async #openWhenThereIsRoom(group: NewGroup): Promise<void> {
    const { policy } = this.#parts;
    const { promise: waits, resolve } = Promise.withResolvers<GroupStateFile>();
    const lacksRoom = (state: GroupStateFile): void => {
      // Nobody makes room for it now.
      if (this.#isOver) state.end();
      resolve(state);
    };
    const opening = this.#openOrStop(group, lacksRoom);
    const state = await Promise.race([opening.then(() => undefined), waits]);
    if (state === undefined) return;
    const { name } = state.state;
    this.#moving.set(name, new MovingGroup(state, policy, lacksRoomToBegin));
    const ended = (): void => {
      this.#moving.delete(name);
      this.#waiting.delete(state);
    };
    // Its file cannot even be read.
    const failed = (error: Error): void => {
      if (isOwnFault(error)) throw error;
      this.#keepStopped(state, error);
    };
    this.#waiting.add(state);
    void this.#underWay.add(opening.catch(failed).then(ended));
  }

  async #openOrStop(group: NewGroup, lacksRoom: (state: GroupStateFile) => void): Promise<void> {
    try {
      const { state } = await this.#openGroup(group, lacksRoom);
      this.#stopped.delete(state.state.name);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      if (this.#isOver) return;
      await this.#stopGroup(group, error as Error);
    }
  }

  /** As it was left: whoever could not go on with it may have changed it. `known`: where that cannot be read. */
  async #stopGroup(group: NewGroup, error: Error, known?: GroupStateFile): Promise<StoppedGroup> {
    const { machine, folder } = this.#parts;
    const read = openGroupState(machine, `${folder}/groups/${group.id}/group.json`, group);
    return this.#keepStopped(known === undefined ? await read : await read.catch(() => known), error);
  }

  #keepStopped(state: GroupStateFile, error: Error): StoppedGroup {
    const { machine, policy } = this.#parts;
    const { name } = state.state;
    if (!this.#stopped.get(name)?.hasFailedAs(error)) machine.log.error("a group is stopped", { group: name, error });
    const stopped = new StoppedGroup(state, error, policy);
    this.#stopped.set(name, stopped);
    if (stopped.mayPass) this.#openLater(stopped);
    return stopped;
  }

  #openLater(stopped: StoppedGroup): void {
    const { clock, log } = this.#parts.machine;
    const { name } = stopped.state.state;
    clock.timer(openAgainMs, () => {
      this.#underWay.add(this.#openAgain(stopped)).catch((error: Error) => {
        log.error("a group that is stopped cannot be looked at", { group: name, error });
        this.#openLater(stopped);
      });
    });
  }

  /** Unless somebody has begun another spool meanwhile. Until it is known how it is, nobody may change it. */
  async #openAgain(stopped: StoppedGroup): Promise<void> {
    const { name } = stopped.state.state;
    if (this.#isOver || this.#stopped.get(name) !== stopped) return;
    if (this.#opening.has(name)) return this.#openLater(stopped);
    await this.#openKnown(stopped.state);
  }

  async #openKnown(state: GroupStateFile): Promise<void> {
    const { id, name, mode } = state.state;
    const opened = new MovingGroup(state, this.#parts.policy, spoolIsOpening);
    this.#moving.set(name, opened);
    try {
      // A volume may just be forgotten through it.
      await state.handOver();
      await this.#openWhenThereIsRoom({ id, name, mode });
    } finally {
      if (this.#moving.get(name) === opened) this.#moving.delete(name);
    }
  }

  #groupNamed(name: string, create: NewGroup): Promise<LocalGroup> {
    const stopped = this.#stopped.get(name);
    if (stopped !== undefined) return Promise.reject(stopped.refusal);
    const removing = this.#removing.get(name);
    if (removing !== undefined) return removing.then(() => this.#groupNamed(name, create));
    const found = this.#groups.get(name);
    if (found !== undefined) return Promise.resolve(found);
    let opening = this.#opening.get(name);
    const waiting = this.#moving.get(name);
    if (opening === undefined && waiting !== undefined) return Promise.reject(waiting.refusal);
    if (opening === undefined) {
      const refusal = this.#isOver ? isStopping : this.#left.refusalOf(name);
      if (refusal !== undefined) return Promise.reject(refusal);
      opening = this.#underWay.add(this.#makeGroup(create)).finally(() => this.#opening.delete(name));
      this.#opening.set(name, opening);
    }
    return opening;
  }

  /** Where that failed half-way before, it goes on with what is there: two of one name would be at odds at the next start. */
  async #makeGroup(create: NewGroup): Promise<LocalGroup> {
    const id = this.#idsBegun.get(create.name) ?? create.id;
    this.#idsBegun.set(create.name, id);
    try {
      // Whoever names it may do so again when there is room.
      const group = await this.#openGroup({ ...create, id }, (state) => state.end());
      this.#idsBegun.delete(create.name);
      return group;
    } catch (error) {
      throw isLackOfRoom(error) ? lacksRoomFor(create.name, error as Error) : error;
    }
  }

  async #openGroup(create: NewGroup, lacksRoom = (_: GroupStateFile): void => {}): Promise<LocalGroup> {
    const group = await openGroup(this.#site, create, lacksRoom);
    this.#groups.set(group.state.state.name, group);
    return group;
  }

  async attach(
    identity: VolumeIdentity,
    durableOrdinal: number,
    receiver: VolumeReceiver,
    said: AttachedSource = {},
  ): Promise<Attachment> {
    const id = this.#parts.machine.randomness.bytes(16).toString("hex");
    const group = await this.#groupNamed(identity.group, { id, name: identity.group, mode: this.#parts.newGroupMode });
    this.#removals.refuse(identity);
    return attachVolume(group, identity, { durableOrdinal, ...said }, receiver);
  }

  readonly forgetVolume = (id: string): Promise<void> => this.#removals.forget(id);
  readonly forgetLost = (lost: LostVolume): Promise<void> => this.#removals.forgetLost(lost);

  setMode(groupName: string, mode: WantedMode): void {
    this.#group(groupName).setMode(mode);
  }

  async setLevel(groupName: string, volumeName: string, seconds: number): Promise<void> {
    await this.#group(groupName).levels.set(volumeName, seconds);
  }

  mark(groupName: string, request: MarkRequest): Promise<PlacedMark> {
    return this.#group(groupName).marks.place(request);
  }

  /**
   * Begins a new spool, in an existing folder elsewhere if one is named; what the old one had is journaled anew from the
   * sources. Only where the group does not work: its spool is lost, or has failed, or the remote refuses what is in it.
   */
  async moveSpool(name: string, parentFolder: string | undefined): Promise<void> {
    const { machine, policy, folder } = this.#parts;
    if (this.#opening.has(name)) throw new RefuseError(`group '${name}' is being opened: wait for that`);
    if (parentFolder !== undefined && !machine.files.exists(parentFolder)) {
      throw new RefuseError(`there is no folder ${parentFolder}`);
    }
    const opened = this.#moving.get(name);
    if (opened !== undefined) throw opened.refusal;
    if (this.#isOver) throw isStopping;
    const found = this.#stopped.get(name) ?? this.#group(name);
    if (found instanceof LocalGroup) refuseMove(found);
    this.#moving.set(name, new MovingGroup(found.state, policy, spoolIsMoving));
    const anew: SpoolAnew = {
      ...{ groupFolder: `${folder}/groups/${found.state.state.id}`, parentFolder, seqReserve: policy.seqReserve },
      ...{ incarnation: machine.randomness.integerBelow(2 ** 32), bootId: machine.bootId },
    };
    const moving = this.#underWay.add(this.#moveSpool(found, anew)).finally(() => {
      this.#opening.delete(name);
      this.#moving.delete(name);
    });
    this.#opening.set(name, moving);
    await moving;
  }

  /** Nothing has changed where the new one cannot be begun. */
  async #moveSpool(found: LocalGroup | StoppedGroup, anew: SpoolAnew): Promise<LocalGroup> {
    const { state } = found;
    const { id, name, mode } = state.state;
    const { incarnation, spoolFolder } = spoolAnew(state.state, anew);
    await beginGroupSpool(this.#parts, { id, incarnation }, spoolFolder);
    const same: NewGroup = { id, name, mode };
    if (found instanceof LocalGroup) {
      // Volumes may have come meanwhile, and the whole appliance may be about to end.
      if (this.#isOver) throw new RetryError(`group '${name}' is being stopped: it keeps its spool`);
      refuseMove(found);
      this.#groups.delete(name);
    }
    try {
      if (found instanceof LocalGroup) await found.stop();
      await state.update(spoolAnew(state.state, anew));
      this.#stopped.delete(name);
      return await this.#openGroup(same);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      // Whatever hinders it: it is still there, and who names it must not begin another one.
      throw (await this.#stopGroup(same, error as Error, state)).refusal;
    }
  }

  /** Refused while anybody needs it. `isAbandoned`: its volumes were removed, whatever their sources may lack. */
  async removeGroup(name: string, isAbandoned: boolean): Promise<void> {
    const group = this.#group(name);
    refuseNeeded(group, isAbandoned);
    this.#groups.delete(name);
    const folder = `${this.#parts.folder}/groups/${group.state.state.id}`;
    const spoolFolder = spoolFolderOf(folder, group.state.state);
    const { files } = this.#parts.machine;
    const failed = (error: Error): never => {
      // Nobody may begin another of its name: the next start would find both.
      if (files.exists(`${folder}/group.json`)) this.#keepStopped(group.state, error);
      throw error;
    };
    const removal = group.stop().then(() => removeGroupFiles(files, folder, spoolFolder));
    const removing = this.#underWay.add(removal.catch(failed));
    // Who names it meanwhile begins another one afterwards.
    this.#removing.set(
      name,
      removing.catch(() => {}).finally(() => this.#removing.delete(name)),
    );
    await removing;
  }

  figures(): GroupFigures[] {
    // What is moved may be in one of the other two as well, before and after.
    const all = new Map<string, { figures(): GroupFigures }>([...this.#groups, ...this.#stopped, ...this.#moving]);
    return [...[...all.values()].map((group) => group.figures()), ...this.#left.figures()];
  }

  /** Marks that were on their way to the remote one when this one was started, and still are as far as is known. */
  marksOnTheWay(): MarkOnTheWay[] {
    return [...this.#groups].flatMap(([group, { marks }]) => marks.onTheWay.map((mark) => ({ group, ...mark })));
  }

  /** Switches tracing on, and answers what there is so far. */
  trace(groupName: string, volumeName: string): readonly Readonly<TracedRecord>[] {
    const group = this.#group(groupName);
    group.trace.switchOn();
    const volume = group.state.state.volumes.findLast((one) => one.name === volumeName);
    return volume === undefined ? [] : group.trace.of(volume.number);
  }

  endTrace(groupName: string): void {
    this.#groups.get(groupName)?.trace.switchOff();
  }

  #group(name: string): LocalGroup {
    const moving = this.#moving.get(name);
    if (moving !== undefined) throw moving.refusal;
    const stopped = this.#stopped.get(name);
    if (stopped !== undefined) throw new RefuseError(stopped.refusal.message);
    const group = this.#groups.get(name);
    if (group !== undefined) return group;
    throw new RefuseError(this.#left.get(name)?.why ?? `there is no group '${name}'`);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    // Nobody makes room for them now: the next start goes on with them.
    for (const state of this.#waiting) state.end();
    for (const { state } of this.#stopped.values()) state.end();
    await this.#underWay.over();
    await Promise.all([...this.#groups.values()].map((group) => group.stop()));
    this.#groups.clear();
  }
}
