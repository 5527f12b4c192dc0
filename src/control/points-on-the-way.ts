/**
 * Points that were promised here and that the remote appliance is about to have: a mark is told of when it is as safe as a flush, which
 * except in sync it is without the remote. So is a volume that was just added, with all of its points. Whoever asks for one waits until
 * it is there, and hears why not if it does not come.
 *
 * Invariants: a mark that was promised is never said not to be there, and never taken for an earlier one of its name, and so it is with
 * volumes; who asks for what is there already waits for nothing. Of marks that were promised before the program was started this holds
 * from when the local appliance has told of its spool, which has those that have not arrived.
 */
import { notConnectedYet } from "#src/appliance/local/remote-knowledge.ts";
import type { MarkOnTheWay } from "#src/appliance/local/spool-facts.ts";
import { counted } from "#src/core/counted.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { marksOnTheWayMax, pointArrivalMs, pointLookMs } from "#src/core/point-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { volumeNamed } from "./named-group.ts";
import type { GroupFacts } from "./role.ts";
import type { SideFacts } from "./side.ts";

export type SourceGroup = Pick<
  GroupFacts,
  "name" | "volumeNames" | "lastSeq" | "durable" | "linkUp" | "linkWhy" | "refusal" | "lagSeconds"
>;

/** A volume that is protected here, and of which the remote appliance has not told yet. */
export interface NewVolume {
  readonly name: string;
  readonly group: string;
}

export interface PointsOnTheWayParts {
  /** As the local appliance tells of them now; none where it runs elsewhere. */
  readonly groups: () => Promise<readonly SourceGroup[]>;
  /** Of before the start: those in the spool that the remote appliance is not known to have. Undefined: the spool is not told of yet. */
  readonly marksFound: () => readonly MarkOnTheWay[] | undefined;
  /** As of the last that the remote appliance told, which is no older than what `groups` has answered. */
  readonly newVolumes: () => readonly NewVolume[];
  /** Whether that has told anything yet. */
  readonly hasRemoteTold: () => boolean;
  readonly clock: Pick<Clock, "monotonicMs" | "timer">;
}

export class PointsOnTheWay {
  readonly #parts: PointsOnTheWayParts;
  /** The newest is last. */
  #marks: MarkOnTheWay[] = [];

  constructor(parts: PointsOnTheWayParts) {
    this.#parts = parts;
  }

  promised(mark: MarkOnTheWay): void {
    this.#marks.push(mark);
    if (this.#marks.length > marksOnTheWayMax) this.#marks.shift();
  }

  /** Resolves when the volume, and all of these points in words, are where points are, as far as it is known that they come. */
  async arrived(volume: string, points: readonly string[]): Promise<void> {
    const { clock, marksFound } = this.#parts;
    const isAnyMark = points.some((words) => words.startsWith("mark:"));
    if (isAnyMark && marksFound() === undefined) await this.#parts.groups();
    const isPromised = (words: string): boolean => this.#known.some(({ name }) => words === `mark:${name}`);
    const wanted = points.filter((words) => words.startsWith("seq:") || isPromised(words));
    if (wanted.length === 0 && !this.#parts.newVolumes().some((one) => isNamed(one, volume))) return;
    for (const untilMs = clock.monotonicMs() + pointArrivalMs; ; ) {
      const groups = await this.#parts.groups();
      this.#forget(groups);
      const group = groupOf(groups, volume);
      const missing = this.#isNew(group, volume) ? itself : wanted.find((words) => this.#isOnItsWay(group, words));
      if (group === undefined || missing === undefined) return;
      // One that is just being made is waited for like what comes over it.
      const isDown = !group.linkUp && group.linkWhy !== notConnectedYet;
      if (isDown || clock.monotonicMs() >= untilMs) {
        const seq = this.#seqOf(group, missing) ?? group.lastSeq;
        throw new RetryError(`volume '${volume}': ${onItsWay(missing, seq, group)}`);
      }
      await new Promise<void>((resolve) => clock.timer(pointLookMs, resolve));
    }
  }

  /** Where the remote appliance has all of the group, or has not said anything yet, it tells by itself what it has. */
  #isNew(group: SourceGroup | undefined, volume: string): boolean {
    if (group === undefined || group.durable >= group.lastSeq || !this.#parts.hasRemoteTold()) return false;
    return this.#parts.newVolumes().some((one) => one.group === group.name && isNamed(one, volume));
  }

  #isOnItsWay(group: SourceGroup | undefined, words: string): boolean {
    const seq = group === undefined ? undefined : this.#seqOf(group, words);
    return group !== undefined && seq !== undefined && seq > group.durable && seq <= group.lastSeq;
  }

  #seqOf(group: SourceGroup, words: string): number | undefined {
    const [, digits] = /^seq:(\d{1,16})$/.exec(words) ?? [];
    if (digits !== undefined) return Number(digits);
    return this.#known.findLast((mark) => mark.group === group.name && words === `mark:${mark.name}`)?.seq;
  }

  get #known(): readonly MarkOnTheWay[] {
    return [...(this.#parts.marksFound() ?? []), ...this.#marks];
  }

  /** What is there is asked of whoever has it. */
  #forget(groups: readonly SourceGroup[]): void {
    const isThere = ({ group, seq }: MarkOnTheWay): boolean =>
      groups.some((one) => one.name === group && seq <= one.durable);
    this.#marks = this.#marks.filter((mark) => !isThere(mark));
  }
}

/** Those of before the start that a remote appliance which runs here has not told that it has. Undefined: nothing is told of any. */
export function marksFound(
  local: SideFacts | undefined,
  remote: SideFacts | undefined,
): readonly MarkOnTheWay[] | undefined {
  const durableSeqs = new Map((remote?.remoteGroups ?? []).map(({ id, durable }) => [id, durable]));
  const idOf = (group: string): string => local?.groups.find(({ name }) => name === group)?.id ?? "";
  return local?.marksOnTheWay?.filter(({ group, seq }) => seq > (durableSeqs.get(idOf(group)) ?? 0));
}

/** The volume, and not a point of it. */
const itself = "it";

function isNamed({ group, name }: NewVolume, wanted: string): boolean {
  return wanted === name || wanted === `${group}/${name}`;
}

/** What the local appliance does not know by that name is told by the remote one. */
function groupOf(groups: readonly SourceGroup[], volume: string): SourceGroup | undefined {
  try {
    return volumeNamed(groups, volume).group;
  } catch (error) {
    if (error instanceof RefuseError) return undefined;
    throw error;
  }
}

/** For people: `point` in words, which has this seq. */
export function onItsWay(
  point: string,
  seq: number,
  { linkUp, linkWhy, refusal, durable, lagSeconds }: Omit<SourceGroup, "name" | "volumeNames" | "lastSeq">,
): string {
  const begin = `${point} is on its way to the remote appliance`;
  if (!linkUp) {
    const why = refusal ?? linkWhy;
    return `${begin}, and the link is down${why === undefined ? "" : ` (${why})`}: it is there when the link is back`;
  }
  const lag = `${counted(seq - durable, "record")} up to it (a lag of ${Math.round(lagSeconds)} s)`;
  return `${begin}, which lacks ${lag}: give the link time, 'tidemark status' shows how far it is`;
}
