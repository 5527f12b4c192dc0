/** What is asked about points of volumes, of the process that serves views. */
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { historyPatienceMs } from "#src/core/point-limits.ts";
import { differenceRangesMax, viewSinceMax } from "#src/core/restore-limits.ts";
import { viewPatienceMs } from "#src/core/view-limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { inWords } from "#src/synth/group-points.ts";
import type { NoPoint, Point } from "#src/synth/point-answer.ts";
import { isWithin } from "#src/synth/timeline-span.ts";
import { type DensityReport, type DensityWish, densityReport } from "./density.ts";
import { type DifferenceReport, type DifferenceWish, differenceReport } from "./difference.ts";
import { type Drill, noPoint, type RefusedDrill } from "./drill.ts";
import type { DrillBook } from "./drill-book.ts";
import { checkName } from "./name.ts";
import { LostPointError, NoPointYetError } from "./point-refusals.ts";
import type { ViewSince } from "./view.ts";
import type { ViewProcess } from "./view-process.ts";
import type { PointPlace } from "./view-words.ts";
import { type HistoryWish, type TimelineReport, timelineReport } from "./volume-history.ts";
import { earlierNames, findVolume, type VolumesOfGroup } from "./volume-of-group.ts";

export interface ViewPointsParts {
  readonly server: Pick<ViewProcess, "ask">;
  readonly groups: () => readonly VolumesOfGroup[];
  readonly drills: DrillBook;
  readonly machine: Pick<Machine, "clock">;
}

export interface ResolvedPoint {
  readonly place: PointPlace;
  readonly point: Point;
  /** What else is to be said of it, for people. */
  readonly note?: string;
}

const cutOff = "; its local appliance is not connected, and what that has beyond this comes when the link is back";

const laterMark = "its local appliance is not connected, and may have set a later mark of that name";

export class ViewPoints {
  readonly #parts: ViewPointsParts;

  constructor(parts: ViewPointsParts) {
    this.#parts = parts;
  }

  /** What a view of a point would be of. Throws a `RefuseError` with the nearest points where it is none. */
  async resolve(volume: string, point: string, isNearest = false): Promise<ResolvedPoint> {
    const place = this.#placeOf(volume);
    const answer = await this.#parts.server.ask("resolve", { ...place, words: point }, viewPatienceMs);
    if (answer.point !== undefined) {
      const isPerhapsEarlier = point.startsWith("mark:") && !this.#isConnected(place);
      return { ...(isPerhapsEarlier ? { note: laterMark } : {}), ...answer, place };
    }
    if (isNearest && answer.before !== undefined) return { place, point: answer.before, ...noteOfSkipped(answer) };
    const isCutOff = answer.mayCome === true && !this.#isConnected(place);
    const why = `${inWords(answer)}${isCutOff ? cutOff : ""}${earlierInWords(this.#earlierOf(volume))}`;
    if (answer.isNew === true) throw new NoPointYetError(volume, why);
    if (answer.isLost === true) throw new LostPointError(volume, why);
    throw new RefuseError(`volume '${volume}': ${why}`);
  }

  /**
   * What came of a drill whose point is refused, by whoever asks; looked at here once more. Throws a `RefuseError` where nothing is
   * lost: what is only not there has not failed. Durable when it resolves.
   */
  async noteRefused({ volume, point, command }: RefusedDrill): Promise<Drill> {
    const refusal = await this.resolve(volume, point).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refusal instanceof LostPointError) return this.noteUnopened(volume, { command, why: refusal.why }, "operator");
    throw refusal ?? new RefuseError(`volume '${volume}': ${point} is there: a drill of it opens it as a view`);
  }

  /** A drill for which no point could be opened. */
  noteUnopened(name: string, what: Required<Pick<Drill, "command" | "why">>, by: Drill["by"]): Promise<Drill> {
    const { group, volume } = findVolume(this.#parts.groups(), name);
    return this.#parts.drills.add({
      ...{ group: group.id, groupName: group.name, volume: volume.number, volumeName: volume.name },
      ...{ ...noPoint, outcome: "failed", ...what, by, durationMs: 0 },
      startedMs: Math.round(this.#parts.machine.clock.wallMs()),
    });
  }

  /** Points that a view is compared with. Unless told otherwise each is called by its mark, or by its record. */
  async since(volume: string, wanted: readonly string[]): Promise<ViewSince[]> {
    if (wanted.length > viewSinceMax) throw new RefuseError(`a view is compared with ${viewSinceMax} points at most`);
    const found: ViewSince[] = [];
    for (const one of wanted) {
      const [, named, words = one] = /^([^=]*)=(.*)$/s.exec(one) ?? [];
      const { point } = await this.resolve(volume, words);
      const name = named ?? /^mark:(.*)$/s.exec(words)?.[1] ?? `seq-${point.seq}`;
      checkName(name, "a point since when");
      if (found.some((other) => other.name === name))
        throw new RefuseError(`two points since when are called '${name}'`);
      found.push({ name, seq: point.seq });
    }
    return found;
  }

  /** The first ranges of bytes from a position on, and where to ask for more. */
  async difference(wish: DifferenceWish): Promise<DifferenceReport> {
    const { place, point: first } = await this.resolve(wish.volume, wish.first);
    const { point: second } = await this.resolve(wish.volume, wish.second);
    const fromBlock = Math.floor(wish.fromByte / blockBytes);
    const wanted = { firstSeq: first.seq, secondSeq: second.seq, fromBlock, rangesMax: differenceRangesMax };
    const found = await this.#parts.server.ask("difference", { ...place, ...wanted }, viewPatienceMs);
    return differenceReport(wish.volume, [first, second], found);
  }

  async history({ volume, from, to }: HistoryWish): Promise<TimelineReport> {
    const place = this.#placeOf(volume);
    const ask = { ...place, from, to };
    const { timeline, span } = await this.#parts.server.ask("history", ask, historyPatienceMs);
    const isOfVolume = (drill: Drill): boolean =>
      drill.group === place.group && drill.volume === place.volume && drill.seq !== noPoint.seq;
    const drills = this.#parts.drills.all.filter((drill) => isOfVolume(drill) && isWithin(drill, span));
    const seqs = [...new Set(drills.map(({ seq }) => seq))];
    const still =
      seqs.length === 0 ? [] : await this.#parts.server.ask("stillPoints", { ...place, seqs }, historyPatienceMs);
    const report = timelineReport(volume, timeline, drills, new Set(still));
    const earlier = this.#earlierOf(volume);
    return earlier.length === 0 ? report : { ...report, earlier };
  }

  async density({ volume, ...wish }: DensityWish): Promise<DensityReport> {
    const ask = { ...this.#placeOf(volume), ...wish };
    return densityReport(volume, await this.#parts.server.ask("density", ask, historyPatienceMs));
  }

  #earlierOf(name: string): readonly string[] {
    return earlierNames(findVolume(this.#parts.groups(), name), name);
  }

  #isConnected({ group }: PointPlace): boolean {
    return this.#parts.groups().find(({ id }) => id === group)?.peer !== undefined;
  }

  #placeOf(name: string): PointPlace {
    const { group, volume } = findVolume(this.#parts.groups(), name);
    return { group: group.id, volume: volume.number, durableSeq: group.durable };
  }
}

/** Where nothing is lost between it and what was asked for, the point before that is all that there can be. */
function noteOfSkipped({ skipped }: NoPoint): Pick<ResolvedPoint, "note"> {
  if (skipped === undefined) return {};
  return { note: `there may have been later points before what was asked for: ${skipped}` };
}

/** For people: what was protected under this name before is other volumes' history. */
function earlierInWords(names: readonly string[]): string {
  if (names.length === 0) return "";
  return `; what the name stood for before it was removed and added again is ${names.join(", ")}`;
}
