/**
 * What operators may ask and order, whatever way they came: the API's routes are one. Facts come from the sides, as fresh
 * as they are to be had without waiting for a disk.
 */

import type { MarkRequest } from "#src/appliance/local/group-marks.ts";
import { assert } from "#src/core/assert.ts";
import { listed } from "#src/core/counted.ts";
import { RefuseError } from "#src/core/errors.ts";
import { statusPatienceMs } from "#src/core/limits.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Counters } from "#src/host/counters.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { formatNbdUri } from "#src/nbd/uri.ts";
import { everyWriteLevel } from "#src/records/level-record.ts";
import { agedFacts } from "./aged-facts.ts";
import { levelOfWords, type VolumeLevel, wordsOfLevel } from "./level-words.ts";
import { formatAddress } from "./listening-address.ts";
import { checkName } from "./name.ts";
import { groupNamed, groupOfVolume, volumeNamed } from "./named-group.ts";
import { marksFound, PointsOnTheWay } from "./points-on-the-way.ts";
import { type GroupReport, readinessOf } from "./readiness.ts";
import { RestoreControl } from "./restore-control.ts";
import type {
  GroupFacts,
  RemoteGroupFacts,
  RoleName,
  StoreFacts,
  TraceEntry,
  VolumeFacts,
  WantedMode,
} from "./role.ts";
import type { SideFacts, SideName } from "./side.ts";
import type { SideClient } from "./side-client.ts";
import { SnapshotControl } from "./snapshot-control.ts";
import { fencedOf, helpedOn, type SpoolMove, stillFencedOf, unfenceAll } from "./spool-move.ts";
import { StoreControl } from "./store-control.ts";
import { itemNamed } from "./unknown-name.ts";
import { ViewControl } from "./view-control.ts";
import type { ResizeRequest, VolumeKeeper, VolumeRemoval, VolumeRequest } from "./volume-keeper.ts";

/** As operators see a volume: with where to attach it. */
export interface VolumeReport extends VolumeFacts {
  readonly uris: readonly string[];
}

export interface StatusReport {
  readonly version: string;
  readonly roles: readonly RoleName[];
  /** Whether everything here can take writes. */
  readonly ready: boolean;
  /** Why not. */
  readonly why?: string;
  /** What else is not as it should be. */
  readonly problems: readonly string[];
  /** Sides that have owed an answer for so long; what is shown of them is what they last told. */
  readonly silent: readonly { readonly side: SideName; readonly seconds: number }[];
  readonly volumes: readonly VolumeReport[];
  readonly groups: readonly GroupReport[];
  readonly remoteGroups: readonly RemoteGroupFacts[];
  /** Where there is a remote appliance. */
  readonly store?: StoreFacts;
  /** Where hosts attach volumes, each by its name. */
  readonly nbd: readonly string[];
  /** Where local appliances find the remote one that runs here. */
  readonly wire?: string;
  /** Of the clock by which marks are late: nobody sets it, and it begins anew with the machine. */
  readonly clockMilliseconds: number;
  /** Since the program was started; true at this moment, whatever else is silent. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface MarkReport {
  readonly group: string;
  readonly name: string;
  /** Applications were at rest. */
  readonly quiesced: boolean;
  readonly epoch: number;
  readonly seq: number;
  readonly time: string;
}

export interface ControlPlaneParts {
  readonly version: string;
  readonly roles: readonly RoleName[];
  readonly sides: readonly SideClient[];
  /** Where there are interceptors. */
  readonly keeper: VolumeKeeper | undefined;
  readonly nbdWithTls: boolean;
  /** What a person must mend about the program itself. */
  readonly troubles?: () => readonly string[];
  readonly counters: Counters;
  readonly clock: Pick<Clock, "hostMs" | "monotonicMs" | "timer" | "wallMs">;
}

export class ControlPlane {
  readonly store: StoreControl;
  readonly views: ViewControl;
  readonly snapshots: SnapshotControl;
  readonly restores: RestoreControl;
  readonly #parts: ControlPlaneParts;
  readonly #onTheWay: PointsOnTheWay;

  constructor(parts: ControlPlaneParts) {
    this.#parts = parts;
    const remote = parts.sides.find(({ name }) => name === "remote");
    const local = parts.sides.find(({ name }) => name === "local");
    const { clock } = parts;
    this.#onTheWay = new PointsOnTheWay({
      groups: () => this.#groupsNow(),
      marksFound: () => (local === undefined ? [] : marksFound(local.known().facts, remote?.known().facts)),
      newVolumes: () => parts.keeper?.unknownTo(remote?.known().facts.remoteGroups ?? []) ?? [],
      hasRemoteTold: () => Number.isFinite(remote?.known().ageSeconds),
      clock,
    });
    const arrived = (volume: string, points: readonly string[]) => this.#onTheWay.arrived(volume, points);
    this.store = new StoreControl(remote);
    this.views = new ViewControl(remote, arrived);
    this.snapshots = new SnapshotControl(remote, arrived);
    this.restores = new RestoreControl({
      side: remote,
      volumes: async () => (await this.status()).volumes,
      mark: (group, { withinMs, ...request }) =>
        this.mark(group, { ...request, deadlineMs: clock.hostMs() + withinMs }),
      localFacts: async () => this.#local("local").ask("facts", null),
      arrived,
      wallMs: () => clock.wallMs(),
    });
    remote?.answerCalls((ask) => this.restores.standing(ask));
  }

  async status(): Promise<StatusReport> {
    const known = await Promise.all(this.#parts.sides.map((side) => side.freshFacts(statusPatienceMs)));
    const silent = this.#parts.sides.flatMap((side, index) => {
      const seconds = Math.floor(known[index]?.silentSeconds ?? 0);
      return seconds > 0 ? [{ side: side.name, seconds }] : [];
    });
    const facts = known.map(agedFacts);
    const volumes = this.#report(facts);
    const groups = this.#reportGroups(facts);
    const remoteGroups = facts.flatMap((one) => one.remoteGroups);
    const store = facts.find((one) => one.store !== undefined)?.store;
    const { obstacles, problems } = readinessOf({ silent, volumes, groups, remoteGroups, store });
    const [why, ...more] = obstacles;
    const wire = facts.find((one) => one.wireAddress !== undefined)?.wireAddress;
    return {
      version: this.#parts.version,
      roles: this.#parts.roles,
      ready: why === undefined,
      ...(why === undefined ? {} : { why }),
      problems: [...more, ...problems, ...(this.#parts.troubles?.() ?? [])],
      silent,
      volumes,
      groups,
      remoteGroups,
      ...(store === undefined ? {} : { store }),
      nbd: facts.flatMap((one) => one.nbdAddresses).map((address) => this.#uri(address, "")),
      ...(wire === undefined ? {} : { wire: formatAddress(wire) }),
      clockMilliseconds: Math.floor(this.#parts.clock.hostMs()),
      counters: this.#parts.counters.read(),
    };
  }

  /** Of a local appliance that runs here. What its remote one has told is as new then, if that runs here too. */
  async #groupsNow(): Promise<readonly GroupFacts[]> {
    const told = await Promise.all(this.#parts.sides.map((side) => side.freshFacts(statusPatienceMs)));
    return told.flatMap(({ facts }) => facts.groups);
  }

  /** Which volumes a group has is known where they are added; a local appliance alone knows those that were attached to it. */
  #reportGroups(facts: readonly SideFacts[]): GroupReport[] {
    const groups = facts.flatMap((one) => one.groups);
    return this.#parts.keeper?.describeGroups(groups) ?? groups;
  }

  #report(facts: readonly SideFacts[]): VolumeReport[] {
    const addresses = facts.flatMap((one) => one.nbdAddresses);
    const volumes = this.#parts.keeper?.describe(facts.flatMap((one) => one.volumes)) ?? [];
    return volumes.map((volume) => ({
      ...volume,
      uris: addresses.map((address) => this.#uri(address, volume.name)),
    }));
  }

  #uri(address: SocketAddress, exportName: string): string {
    assert(address.kind !== "inherited", "volumes are attached where the configuration says");
    return formatNbdUri({ address, exportName, tls: this.#parts.nbdWithTls });
  }

  /** Where nobody keeps volumes it is told who does. */
  async volumes(): Promise<readonly VolumeReport[]> {
    const { volumes, groups, remoteGroups } = await this.status();
    if (this.#parts.keeper !== undefined) return volumes;
    const known = knownVolumes(groups, remoteGroups);
    throw new RefuseError(`${volumesElsewhere}${known.length === 0 ? "" : `; here is known of ${known.join(", ")}`}`);
  }

  async groups(): Promise<readonly GroupReport[]> {
    if (!this.#parts.roles.includes("local")) throw new RefuseError(groupsElsewhere);
    return (await this.status()).groups;
  }

  async volume(name: string): Promise<VolumeReport> {
    // Where nobody keeps volumes none of them is missing.
    this.#keeper();
    const { volumes } = await this.status();
    return itemNamed(name, volumes, "volume");
  }

  async addVolume(request: VolumeRequest): Promise<VolumeReport> {
    if (request.mode !== undefined && !this.#parts.roles.includes("local")) {
      throw new RefuseError(
        "a group's mode is the local appliance's, which does not run here: add the volume without, and then " +
          `'tidemark mode ${request.group ?? request.name} ${request.mode}' with the --api URL of that`,
      );
    }
    const { name } = await this.#keeper().add(request);
    return this.volume(name);
  }

  /** `isForced`: although hosts are attached. `isConfirmed`: the name was given once more. */
  async removeVolume(
    name: string,
    { isForced, isConfirmed }: { isForced: boolean; isConfirmed: boolean },
  ): Promise<VolumeRemoval> {
    await this.volume(name);
    if (!isConfirmed) {
      throw new RefuseError(
        `volume '${name}' would not be protected any more, and protecting it again begins with a copy of all of it: ` +
          `--confirm ${name} says that this is meant`,
      );
    }
    return this.#keeper().remove(name, isForced);
  }

  async resizeVolume(name: string, request: ResizeRequest): Promise<VolumeReport> {
    await this.volume(name);
    await this.#keeper().resize(name, request);
    return this.volume(name);
  }

  async resync(name: string): Promise<VolumeReport> {
    await this.volume(name);
    await this.#local("interceptor").ask("resync", { name });
    return this.volume(name);
  }

  /** A volume's name stands for its group's. */
  async moveSpool(groupOrVolume: string, folder: string | undefined): Promise<SpoolMove> {
    const side = this.#local("local");
    const { name } = groupOfVolume((await this.status()).groups, groupOrVolume);
    const fenced = async () => fencedOf(name, (await this.status()).volumes);
    try {
      await side.ask("moveSpool", { group: name, ...(folder === undefined ? {} : { folder }) });
    } catch (error) {
      throw helpedOn(error as Error, await fenced().catch(() => []));
    }
    const outcomes = await unfenceAll(side, await fenced());
    const { groups, volumes } = await this.status();
    const stillFenced = stillFencedOf(name, volumes, outcomes);
    return { ...itemNamed(name, groups, "group"), ...(stillFenced.length === 0 ? {} : { stillFenced }) };
  }

  async unfence(name: string): Promise<VolumeReport> {
    await this.volume(name);
    await this.#local("interceptor").ask("unfence", { name });
    return this.volume(name);
  }

  async trace(volume: string): Promise<readonly TraceEntry[]> {
    await this.volume(volume);
    return this.#local("interceptor").ask("trace", { volume });
  }

  /** A volume's name stands for its group's. */
  async setMode(groupOrVolume: string, mode: WantedMode): Promise<GroupFacts> {
    const side = this.#local("local");
    const name = await this.#groupOf(groupOrVolume);
    await side.ask("setMode", { group: name, mode });
    return itemNamed(name, (await this.status()).groups, "group");
  }

  /** Answers the level as it is written. */
  async setLevel(wanted: string, words: string): Promise<VolumeLevel> {
    const side = this.#local("local");
    const seconds = levelOfWords(words);
    const { group, name: volume } = volumeNamed((await this.status()).groups, wanted);
    const { name, levels = [], volumeNames } = group;
    await side.ask("setLevel", { group: name, volume, seconds });
    const secondsOf = (other: string): number => levels.find((one) => one.volume === other)?.seconds ?? everyWriteLevel;
    const finer = volumeNames.filter((other) => other !== volume && secondsOf(other) < seconds);
    return { volume, group: name, level: wordsOfLevel(seconds), seconds, finer };
  }

  async #groupOf(groupOrVolume: string): Promise<string> {
    return groupNamed((await this.status()).groups, groupOrVolume).name;
  }

  /** A volume's name stands for its group's. */
  async mark(groupOrVolume: string, request: MarkRequest): Promise<MarkReport> {
    const side = this.#local("local");
    checkName(request.name, "a mark");
    const group = await this.#groupOf(groupOrVolume);
    const { name, isQuiesced, epoch, seq, timeMicros } = await side.ask("mark", { group, ...request });
    this.#onTheWay.promised({ group, name, seq });
    return { group, name, quiesced: isQuiesced, epoch, seq, time: recordTimeText(timeMicros) };
  }

  /**
   * A volume whose interceptor is lost, and whose group would wait for it for ever. `isConfirmed`: its name was given once more. What
   * the remote appliance has of it stays.
   */
  async forgetLost(group: string, name: string, isConfirmed: boolean): Promise<void> {
    const side = this.#local("local");
    if (!isConfirmed) {
      throw new RefuseError(
        `volume '${name}' of group '${group}' could not come back, not with what its source may lack either: --confirm ${name} says ` +
          "that its interceptor is lost",
      );
    }
    await side.ask("forgetLost", { group, name, keptIds: this.#parts.keeper?.ids ?? [] });
  }

  /** What the remote appliance has of it stays. */
  async removeGroup(name: string): Promise<void> {
    const side = this.#local("local");
    const { volumes } = itemNamed(name, (await this.status()).groups, "group");
    if (volumes !== undefined && volumes > 0) {
      throw new RefuseError(
        `group '${name}' has ${volumes === 1 ? "a volume" : `${volumes} volumes`}: remove what it has`,
      );
    }
    await side.ask("removeGroup", { group: name, isAbandoned: volumes === 0 });
  }

  #keeper(): VolumeKeeper {
    const { keeper } = this.#parts;
    if (keeper === undefined) throw new RefuseError(volumesElsewhere);
    return keeper;
  }

  #local(role: RoleName): SideClient {
    const side = this.#parts.sides.find((one) => one.name === "local");
    if (side === undefined || !this.#parts.roles.includes(role)) {
      const where = role === "local" ? "the local appliance" : "the interceptor";
      throw new RefuseError(`${where} can do that, and it does not run here: name its API, with --api URL`);
    }
    return side;
  }
}

const volumesElsewhere = "volumes are the interceptor's, which does not run here: name its API, with --api URL";
const groupsElsewhere = "groups are the local appliance's, which does not run here: name its API, with --api URL";

/** `GROUP/VOLUME`, as far as a line has room for them. */
function knownVolumes(groups: readonly GroupReport[], remoteGroups: readonly RemoteGroupFacts[]): readonly string[] {
  const all = new Set([
    ...groups.flatMap(({ name, volumeNames }) => volumeNames.map((volume) => `${name}/${volume}`)),
    ...remoteGroups.flatMap(({ name, volumes }) => volumes.map((volume) => `${name}/${volume.name}`)),
  ]);
  return listed([...all]);
}
