/**
 * What operators may order of restores. What is restored onto a volume itself goes through its export: so it is journaled as any write,
 * and what was there before stays a point, which is marked first.
 */
import type { MarkRequest } from "#src/appliance/local/group-marks.ts";
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { markPatienceMs } from "#src/core/limits.ts";
import { realPath } from "#src/host/node/real-path.ts";
import { inWords } from "#src/host/system-words.ts";
import { formatNbdUri, isNbdUri, parseNbdUri } from "#src/nbd/uri.ts";
import type { MarkReport, VolumeReport } from "./control-plane.ts";
import type { DifferenceReport, DifferenceWish } from "./difference.ts";
import type { JobReport } from "./job.ts";
import { leadsTo } from "./own-places.ts";
import type { PointsOnTheWay } from "./points-on-the-way.ts";
import type { RestoreWish } from "./restore.ts";
import type { VolumeFacts } from "./role.ts";
import type { SideFacts } from "./side.ts";
import type { Standing, StandingAsk } from "./side-caller.ts";
import type { SideClient } from "./side-client.ts";
import type { ViewCopyWish } from "./view-copies.ts";
import { idDigits } from "./volume-of-group.ts";

interface MarkWish extends Omit<MarkRequest, "deadlineMs"> {
  readonly withinMs: number;
}

export interface RestoreControlParts {
  /** Undefined: there is no remote appliance here. */
  readonly side: SideClient | undefined;
  readonly volumes: () => Promise<readonly VolumeReport[]>;
  readonly mark: (group: string, request: MarkWish) => Promise<MarkReport>;
  /** As they are at that moment, or it rejects. */
  readonly localFacts: () => Promise<Pick<SideFacts, "volumes" | "groups" | "ownNbdAddress">>;
  readonly arrived: PointsOnTheWay["arrived"];
  readonly wallMs: () => number;
}

/** `confirm`: the name of the volume that it is restored onto. */
export type RestoreAsk = Omit<RestoreWish, "fromSeq" | "note"> & { readonly confirm?: string };

export interface RestoreReport extends JobReport {
  /** Of what the volume itself held before. */
  readonly mark?: MarkReport;
}

export class RestoreControl {
  readonly #parts: RestoreControlParts;

  constructor(parts: RestoreControlParts) {
    this.#parts = parts;
  }

  async difference(wish: DifferenceWish): Promise<DifferenceReport> {
    const remote = this.#remote;
    await this.#parts.arrived(wish.volume, [wish.first, wish.second]);
    return remote.ask("difference", wish);
  }

  async add({ confirm, ...wish }: RestoreAsk): Promise<RestoreReport> {
    const remote = this.#remote;
    checkWords(wish.target);
    const live = (await this.#parts.volumes()).find((volume) => isItsOwn(volume, wish.target));
    const uri =
      live === undefined ? undefined : checkLive(live, wish.target, await this.#isOf(live, wish.volume), confirm);
    await this.#parts.arrived(wish.volume, [wish.point]);
    if (live === undefined || uri === undefined) return remote.ask("addRestore", wish);
    // What cannot be is refused before anything is marked.
    const { volume } = wish;
    const { seq, note } = await remote.ask("point", { volume, point: wish.point, isNearest: false });
    // Behind the mark '-5m' would be another point than the one that was looked at.
    const point = `seq:${seq}`;
    await this.#refuseUntold(remote, volume, point);
    const mark = await this.#mark(live);
    const found = { ...wish, point, ...(note === undefined ? {} : { note }) };
    const job = await remote.ask("addRestore", { ...found, target: uri, fromSeq: mark.seq });
    return { ...job, mark };
  }

  /** What differs from the newest is all that is written: where something of that is lost, a mark would not help. */
  async #refuseUntold(remote: SideClient, volume: string, point: string): Promise<void> {
    try {
      await remote.ask("difference", { volume, first: point, second: "now", fromByte: 0 });
    } catch (error) {
      // There may be very much of it: that is looked at again when it is written.
      if (error instanceof RetryError) return;
      if (isOwnFault(error)) throw error;
      const why = `what differs from ${point} cannot be told, so it is not brought back straight onto its volume`;
      throw new RefuseError(`${inWords(error)}; ${why}: restore it to another target`, { cause: error });
    }
  }

  /** A view as a disk of its own, with what was written to it. */
  async copyView(wish: ViewCopyWish): Promise<JobReport> {
    const remote = this.#remote;
    checkWords(wish.target);
    const live = (await this.#parts.volumes()).find((volume) => isItsOwn(volume, wish.target));
    return remote.ask("copyView", live === undefined ? wish : { ...wish, takenBy: live.name });
  }

  /**
   * At each begin of a restore onto its volume, also after a restart, and before it looks a last time: what is before the
   * answered seq is all that may have changed the volume so far.
   */
  async standing({ group: id, volume, isBegin }: StandingAsk): Promise<Standing> {
    const known = await this.#parts.volumes();
    const { groups, volumes, ownNbdAddress: own } = await this.#parts.localFacts();
    const uriOf = (live: VolumeFacts) => {
      if (own !== undefined && own.kind !== "inherited") {
        return formatNbdUri({ address: own, exportName: live.name, tls: false });
      }
      return known.find((one) => isNamed(one, `${live.group}/${live.name}`))?.uris[0];
    };
    const group = groups.find((one) => one.id === id);
    const live = volumes.find((one) => one.group === group?.name && isNamed(one, volume, id));
    const uri = live === undefined ? undefined : uriOf(live);
    if (group === undefined || live?.state !== "open" || uri === undefined) {
      throw new RetryError(
        `volume '${volume}' is ${live?.state ?? "not there"}, and nothing can be restored onto it now`,
      );
    }
    if (isBegin) refuseHosts(live);
    return { seq: group.lastSeq, uri };
  }

  /** Where another group has had the name of its group, its own is named by its id. */
  async #isOf(live: VolumeReport, words: string): Promise<boolean> {
    if (isNamed(live, words)) return true;
    const { groups } = await this.#parts.localFacts();
    return isNamed(live, words, groups.find(({ name }) => name === live.group)?.id);
  }

  #mark({ group }: VolumeReport): Promise<MarkReport> {
    const time = new Date(this.#parts.wallMs()).toISOString().replace(/[:.]/g, "-");
    return this.#parts.mark(group, { name: `before-restore-${time}`, isQuiesced: false, withinMs: markPatienceMs });
  }

  get #remote(): SideClient {
    const { side } = this.#parts;
    if (side !== undefined) return side;
    throw new RefuseError("points are the remote appliance's, which does not run here: name its API, with --api URL");
  }
}

function checkWords(target: string): void {
  if (isNbdUri(target) || target.startsWith("/")) return;
  throw new RefuseError(`a target is an absolute path or an NBD URI, unlike '${target}'`);
}

/** Whether the target is the volume's source, or its export. */
function isItsOwn({ source, uris }: VolumeReport, target: string): boolean {
  if (!isNbdUri(target)) return !isNbdUri(source) && realPath(source) === realPath(target);
  return [source, ...uris].filter(isNbdUri).some((uri) => {
    const [own, other] = [parseNbdUri(uri), parseNbdUri(target)];
    return own.exportName === other.exportName && leadsTo(own.address, other.address);
  });
}

/** Answers where it is written to. */
function checkLive(live: VolumeReport, target: string, isOfIt: boolean, confirm?: string): string {
  const { name, state, uris } = live;
  if (!isOfIt) {
    throw new RefuseError(`${target} is volume '${name}', onto which only its own points are restored`);
  }
  if (confirm !== name) {
    throw new RefuseError(
      `${target} is volume '${name}' itself: what it holds would be replaced; --confirm ${name} says that this is meant ` +
        "(what it holds now is marked first, and stays a point)",
    );
  }
  refuseHosts(live);
  const [uri] = uris;
  if (state !== "open" || uri === undefined) throw new RefuseError(`volume '${name}' is ${state}, and has no export`);
  return uri;
}

/** `groupId`: of its group, where that is known. */
function isNamed({ name, group }: Pick<VolumeReport, "name" | "group">, words: string, groupId?: string): boolean {
  const groups = groupId === undefined ? [group] : [group, groupId.slice(0, idDigits)];
  return words === name || groups.some((one) => words === `${one}/${name}`);
}

function refuseHosts({ name, connections }: Pick<VolumeReport, "name" | "connections">): void {
  if (connections === 0) return;
  // One host may have several.
  const hosts = connections === 1 ? "a host is attached" : `hosts are attached (${connections} connections)`;
  throw new RefuseError(`${hosts} to volume '${name}', and would not expect what is restored: detach first`);
}
