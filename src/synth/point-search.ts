/** Finds the point of a volume that somebody means, or the nearest ones and why there is none. */
import { recordTimeText } from "#src/core/record-time.ts";
import type { Clock } from "#src/host/clock.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { decodeExtra, recordType, wholeGroup } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { HistoryGaps } from "./history-gaps.ts";
import { historyParts } from "./history-parts.ts";
import { isPointByItself } from "./kept-snapshots.ts";
import { lossAt, lossInWords, lostBetween } from "./lost-records.ts";
import { isNewVolume } from "./new-volume.ts";
import type { OpenTail } from "./open-tail.ts";
import type { DamagedRecords } from "./piece-events.ts";
import type { NoPoint, Point, PointAnswer } from "./point-answer.ts";
import { isAhead, noteOfTime } from "./point-note.ts";
import { parsePoint } from "./point-words.ts";
import type { SealedPoints } from "./sealed-points.ts";
import type { TailChunk } from "./tail-chunk.ts";
import { timelineSnapshots } from "./timeline-snapshots.ts";
import { latestWithin, type TimelineSpan } from "./timeline-span.ts";
import { gapEndBehind } from "./unprotected-time.ts";
import { isPoint, type VolumeState } from "./volume-state.ts";
import { type StretchStart, StretchWalk, stretchKind, type VolumeStretch, whyNoPoint } from "./volume-stretches.ts";
import { type TimelinePart, TimelineWalk, type VolumeTimeline } from "./volume-timeline.ts";

export interface PointSearchParts {
  readonly sealed: SealedPoints;
  readonly tail: OpenTail;
  readonly gaps: HistoryGaps;
  readonly clock: Clock;
}

/** `loss`: what is lost; undefined: nothing that could be meant. */
const isLost = (loss: unknown): { readonly isLost?: true } => (loss === undefined ? {} : { isLost: true });
const untold = (damage: string): string => `what would say which volume it was is damaged: ${damage}`;

type StatesAt = (seq: number) => Promise<readonly VolumeState[]>;

export class PointSearch {
  readonly #parts: PointSearchParts;

  constructor(parts: PointSearchParts) {
    this.#parts = parts;
  }

  /** The last record that is durable and can be read. */
  get newestSeq(): number {
    const { sealed, tail } = this.#parts;
    const seen = Math.min(tail.durableSeq, tail.seenSeq);
    return Math.max(sealed.lastSeq, seen);
  }

  async resolve(volume: number, words: string, statesAt: StatesAt): Promise<PointAnswer> {
    const { clock, sealed } = this.#parts;
    const nowMicros = Math.round(clock.wallMs() * 1000);
    const wanted = parsePoint(words, nowMicros);
    switch (wanted.by) {
      case "now":
        return await this.#now(volume, statesAt);
      case "seq":
        return await this.pointOf(volume, wanted.seq, statesAt);
      case "snapshot":
        if (sealed.snapshotSeqs.includes(wanted.seq)) return await this.pointOf(volume, wanted.seq, statesAt);
        return await this.#none(volume, wanted.seq, `there is no snapshot ${wanted.seq}`);
      case "mark":
        return await this.#mark(volume, wanted.name, statesAt);
      case "time":
        return await this.#at(volume, wanted.timeMicros, nowMicros, statesAt);
    }
  }

  /** A seq that is the last of what counts together, and within the volume's points. */
  async pointOf(volume: number, seq: number, statesAt: StatesAt): Promise<PointAnswer> {
    const { sealed } = this.#parts;
    const { basedOn } = sealed.history;
    if (sealed.snapshotSeqs.includes(seq) && seq < basedOn) {
      return await this.#checked(volume, await this.#ofSnapshot(seq), statesAt, "");
    }
    if (seq > this.newestSeq) {
      const lost = await this.#lostBehind(await this.#upTo(this.newestSeq));
      const why = `record ${seq} is not durable here yet: the newest is ${this.newestSeq}`;
      const orLost = lost === undefined ? why : `record ${seq} is not durable here yet, or lost: ${lossInWords(lost)}`;
      return { ...(await this.#none(volume, seq, orLost)), mayCome: true };
    }
    const point = await this.#upTo(seq);
    if (point?.seq === seq) return await this.#checked(volume, point, statesAt, "");
    const kept = (await this.#isSnapshotAlone(seq)) ? await this.#ofSnapshot(seq) : undefined;
    if (kept !== undefined) return await this.#checked(volume, kept, statesAt, "");
    if (seq < basedOn) return await this.#none(volume, seq, `the history begins with record ${basedOn}`);
    const loss = await lossAt(this.#parts, seq);
    return { ...(await this.#none(volume, seq, loss ?? this.#whyNot(seq))), ...isLost(loss) };
  }

  #whyNot(seq: number): string {
    const { sealed } = this.#parts;
    if (seq === 0) return "the first record of a group is 1";
    if (!sealed.snapshotSeqs.includes(seq))
      return `${seq} is no point: it is within an aggregate, or between two epochs`;
    return `snapshot ${seq} is no point any more: nobody has asked for it, and what is kept of that time has fewer points`;
  }

  async #now(volume: number, statesAt: StatesAt): Promise<PointAnswer> {
    const newest = await this.#upTo(this.newestSeq);
    const lost = await this.#lostBehind(newest);
    if (lost !== undefined) return await this.#hidden(volume, "which point is the newest cannot be told", lost);
    return await this.#checked(volume, newest, statesAt, "nothing is durable here yet");
  }

  async #at(volume: number, timeMicros: number, nowMicros: number, statesAt: StatesAt): Promise<PointAnswer> {
    const time = recordTimeText(timeMicros);
    const newest = await this.#upTo(this.newestSeq);
    // The clock that records have their times from may be ahead of this one.
    const lastMicros = Math.max(nowMicros, newest?.timeMicros ?? 0);
    if (timeMicros > lastMicros) return await this.#none(volume, this.newestSeq + 1, `${time} is yet to come`);
    const found = await this.#made(timeMicros);
    const lost = await this.#lostBehind(found, (await this.#behind(found?.seq ?? 0))?.seq);
    if (lost !== undefined) return await this.#hidden(volume, `what was there at ${time} cannot be told`, lost);
    const why = `nothing is kept of ${time}: the history begins later`;
    if (found === undefined) return await this.#none(volume, 0, why);
    const answer = await this.#checked(volume, found, statesAt, why, timeMicros);
    if (answer.point === undefined || newest === undefined) return answer;
    const lastUntilNow = isAhead(newest, nowMicros) ? await this.#made(nowMicros) : undefined;
    const note = noteOfTime(answer.point, { timeMicros, nowMicros, newest, lastUntilNow });
    return note === undefined ? answer : { ...answer, note };
  }

  async #made(timeMicros: number): Promise<Point | undefined> {
    const { sealed, tail } = this.#parts;
    const newestSeq = this.newestSeq;
    for (const chunk of this.#chunks().reverse()) {
      const found = await tail.pointAt(chunk, timeMicros);
      if (found === undefined || found.seq <= sealed.lastSeq) continue;
      return found.seq <= newestSeq ? found : await this.#upTo(newestSeq);
    }
    return this.#notBeforeBase(await sealed.pointAt(timeMicros), (base) => base.timeMicros <= timeMicros);
  }

  async #mark(volume: number, name: string, statesAt: StatesAt): Promise<PointAnswer> {
    const found = await this.#findMark(volume, name);
    const lost = await this.#lostBehind(found);
    if (found === undefined) {
      const why = `no mark '${name}' has come here`;
      const orLost = lost === undefined ? why : `${why} that can be read: ${lossInWords(lost)}`;
      return { ...(await this.#none(volume, this.newestSeq + 1, orLost)), mayCome: true };
    }
    if (lost === undefined) return await this.#checked(volume, found, statesAt, "");
    // The last of its name is meant, which may be one that nobody can read: whoever means this one can say so by its seq.
    const last = `the last mark '${name}' that can be read is seq:${found.seq} (${recordTimeText(found.timeMicros)})`;
    return await this.#hidden(volume, `${last}, and a later one may be lost`, lost);
  }

  /** What may be meant instead of a point that was found. `nextSeq`: of the next one, which is not what is meant. */
  #lostBehind(found: Point | undefined, nextSeq = Number.POSITIVE_INFINITY): Promise<DamagedRecords | undefined> {
    return lostBetween(this.#parts, found?.seq ?? this.#parts.sealed.history.basedOn, nextSeq);
  }

  async #hidden(volume: number, what: string, lost: DamagedRecords): Promise<NoPoint> {
    return { ...(await this.#none(volume, lost.firstSeq, `${what}: ${lossInWords(lost)}`)), isLost: true };
  }

  /** The last of this name. */
  async #findMark(volume: number, name: string): Promise<Point | undefined> {
    const { sealed } = this.#parts;
    const isIt = (record: JournalRecord): boolean => {
      const isOfVolume = record.volume === wholeGroup || record.volume === volume;
      return record.type === recordType.mark && isOfVolume && decodeExtra(record.extra)?.name === name;
    };
    for (const chunk of this.#chunks().reverse()) {
      const found = chunk.summary.events.findLast((record) => record.seq <= this.newestSeq && isIt(record));
      if (found !== undefined) return { seq: found.seq, timeMicros: found.timeMicros, mark: name };
    }
    for (const identity of sealed.pieces.toReversed()) {
      const found = (await sealed.events(identity)).records.findLast(isIt);
      if (found === undefined) continue;
      return found.seq < sealed.history.basedOn
        ? undefined
        : { seq: found.seq, timeMicros: found.timeMicros, mark: name };
    }
    return undefined;
  }

  #chunks(): TailChunk[] {
    const { sealed, tail } = this.#parts;
    return tail.chunks.filter(({ firstSeq, lastSeq }) => lastSeq > sealed.lastSeq && firstSeq <= this.newestSeq);
  }

  // The group's points

  async isPoint(seq: number): Promise<boolean> {
    const { sealed } = this.#parts;
    if (seq < sealed.history.basedOn) return sealed.snapshotSeqs.includes(seq);
    return (await this.#upTo(seq))?.seq === seq || (await this.#isSnapshotAlone(seq));
  }

  /**
   * Of seqs that were points of the volume once: where it was folded, or history was let go of, one may be none any more, and so may one
   * of a time of which it was told later that the volume went on without protection.
   */
  async stillPoints(volume: number, seqs: readonly number[]): Promise<readonly number[]> {
    const { basedOn } = this.#parts.sealed.history;
    const stretches = await this.stretches(volume);
    const still: number[] = [];
    for (const seq of seqs) {
      // What was before the history begins, and is kept, is told as it was.
      const stretch = seq < basedOn ? undefined : stretches.findLast(({ fromSeq }) => fromSeq <= seq);
      if (stretch !== undefined && stretch.kind !== stretchKind.points) continue;
      const isAsItWas = seq >= basedOn && seq <= this.newestSeq && !this.#isInFolded(seq);
      if (isAsItWas || (await this.isPoint(seq))) still.push(seq);
    }
    return still;
  }

  /** Of a seq behind which no record says that there is a point: whether a snapshot makes it one. */
  async #isSnapshotAlone(seq: number): Promise<boolean> {
    const { sealed } = this.#parts;
    if (!sealed.snapshotSeqs.includes(seq)) return false;
    // Its record may be lost, and all that it comes to is there.
    return isPointByItself(sealed.history, seq) || (await lossAt(this.#parts, seq)) !== undefined;
  }

  async #upTo(seq: number): Promise<Point | undefined> {
    const { sealed, tail } = this.#parts;
    const limit = Math.min(seq, this.newestSeq);
    if (limit > sealed.lastSeq) {
      for (const chunk of this.#chunks().reverse()) {
        if (chunk.firstSeq > limit) continue;
        const found = await tail.pointUpTo(chunk, limit);
        if (found !== undefined) return found;
      }
    }
    return this.#notBeforeBase(await sealed.pointUpTo(limit), (base) => base.seq <= limit);
  }

  async #behind(seq: number): Promise<Point | undefined> {
    const { sealed, tail } = this.#parts;
    const { basedOn } = sealed.history;
    if (seq < basedOn) return await this.#ofSnapshot(basedOn);
    if (seq < sealed.lastSeq) {
      const found = await sealed.pointBehind(seq);
      if (found !== undefined) return found;
    }
    for (const chunk of this.#chunks()) {
      const found = await tail.pointBehind(chunk, Math.max(seq, sealed.lastSeq));
      if (found !== undefined) return found.seq <= this.newestSeq ? found : undefined;
    }
    return undefined;
  }

  /** Where the history begins with a snapshot that is the first point, which no piece has any more. */
  async #notBeforeBase(found: Point | undefined, isIt: (base: Point) => boolean): Promise<Point | undefined> {
    const { basedOn } = this.#parts.sealed.history;
    if (basedOn === 0 || (found !== undefined && found.seq >= basedOn)) return found;
    const base = await this.#ofSnapshot(basedOn);
    return base !== undefined && isIt(base) ? base : undefined;
  }

  async #ofSnapshot(seq: number): Promise<Point | undefined> {
    const held = await this.#parts.sealed.snapshot(seq);
    if (held instanceof ObjectDamageError) return undefined;
    return { seq, timeMicros: held.snapshot.numbers.timeMicros, isSnapshot: true };
  }

  // The volume's

  /** `timeMicros`: of the moment that was meant, where that is behind the point. */
  async #checked(
    volume: number,
    point: Point | undefined,
    statesAt: StatesAt,
    whyNone: string,
    timeMicros = point?.timeMicros ?? 0,
  ): Promise<PointAnswer> {
    if (point === undefined) return await this.#none(volume, 0, whyNone);
    const state = (await statesAt(point.seq)).find(({ number }) => number === volume);
    if (state !== undefined && isPoint(state)) {
      const gapEnd = await gapEndBehind(this.#parts, volume, { seq: point.seq, timeMicros });
      return gapEnd === undefined ? { point } : await this.#none(volume, gapEnd.seq, undefined);
    }
    if (state !== undefined) return await this.#none(volume, point.seq, undefined);
    const damage = await this.#whyUnknown(point.seq);
    const why = damage === undefined ? "the volume had not joined its group then" : untold(damage);
    return { ...(await this.#none(volume, point.seq, why)), ...isLost(damage) };
  }

  async #whyUnknown(seq: number): Promise<string | undefined> {
    const { sealed } = this.#parts;
    const earlier = sealed.pieces.filter(({ firstSeq }) => firstSeq <= seq);
    for (const identity of earlier.toReversed()) {
      const [damage] = (await sealed.events(identity)).damaged;
      if (damage !== undefined) return damage.finding;
    }
    return (await this.#parts.gaps.ofWhole()).findLast(({ firstSeq }) => firstSeq <= seq)?.finding;
  }

  /** `why` undefined: as the stretch says that the seq is in. */
  async #none(volume: number, seq: number, why: string | undefined): Promise<NoPoint> {
    const stretches = await this.stretches(volume);
    const index = stretches.findLastIndex(({ fromSeq }) => fromSeq <= seq);
    const here = stretches[index];
    const before = await this.#lastPoint(stretches.slice(0, index + 1), seq);
    const after = await this.#firstPoint(stretches.slice(Math.max(0, index)), seq);
    // Whoever is content with the point before it passes over what may have been others.
    const lost = before === undefined ? undefined : await lostBetween(this.#parts, before.seq, seq + 1);
    const none = {
      ...{ point: undefined, why: why ?? whyNoPoint(here?.kind ?? stretchKind.joined), before, after },
      ...(lost === undefined ? {} : { skipped: lossInWords(lost) }),
    };
    if (before !== undefined || after !== undefined) return none;
    const { sealed, tail } = this.#parts;
    const isNew = await isNewVolume({ sealed, tail, gaps: await this.#parts.gaps.ofWhole(), stretches });
    return isNew ? { ...none, isNew } : none;
  }

  async #lastPoint(stretches: readonly VolumeStretch[], seq: number): Promise<Point | undefined> {
    const last = stretches.findLast(({ kind }) => kind === stretchKind.points);
    if (last === undefined) return undefined;
    const point = await this.#upTo(Math.min(seq, (last.untilSeq ?? Number.MAX_SAFE_INTEGER) - 1));
    return point !== undefined && point.seq >= last.fromSeq ? point : undefined;
  }

  async #firstPoint(stretches: readonly VolumeStretch[], seq: number): Promise<Point | undefined> {
    for (const { kind, fromSeq, fromMicros, untilSeq } of stretches) {
      if (kind !== stretchKind.points) continue;
      if (fromSeq > seq) return { seq: fromSeq, timeMicros: fromMicros };
      const point = await this.#behind(seq);
      if (point !== undefined && point.seq < (untilSeq ?? Number.POSITIVE_INFINITY)) return point;
    }
    return undefined;
  }

  /** Of the whole history, in their order. */
  async stretches(
    volume: number,
    parts: Iterable<TimelinePart> | AsyncIterable<TimelinePart> = this.#historyParts(),
  ): Promise<readonly VolumeStretch[]> {
    const walk = new StretchWalk(volume, await this.#base());
    for await (const { records } of parts) for (const record of records) walk.saw(record);
    const stretches: VolumeStretch[] = [];
    for (const stretch of walk.stretches) stretches.push(await this.#withGap(stretches, stretch));
    return stretches;
  }

  /** What a resync ends began before its first record; what was before it ends there. */
  async #withGap(before: VolumeStretch[], stretch: VolumeStretch): Promise<VolumeStretch> {
    const { sinceMicros } = stretch;
    const last = before.at(-1);
    if (sinceMicros === undefined || last === undefined) return stretch;
    const fromMicros = Math.max(sinceMicros, last.fromMicros);
    const fromSeq = Math.max((await this.#made(fromMicros))?.seq ?? 0, last.fromSeq) + 1;
    before[before.length - 1] = { ...last, untilSeq: fromSeq, untilMicros: fromMicros };
    return { ...stretch, fromSeq, fromMicros };
  }

  async timeline(volume: number, span: TimelineSpan): Promise<VolumeTimeline> {
    // Both walks are of the same: more may come meanwhile.
    const parts = await Array.fromAsync(this.#historyParts());
    const stretches = await this.stretches(volume, parts);
    const walk = new TimelineWalk(volume, stretches);
    for (const gap of await this.#parts.gaps.ofWhole()) walk.sawDamage(gap);
    for (const part of parts) walk.saw(part);
    const newest = await this.#upTo(this.newestSeq);
    const { finding, seenSeq, durableSeq } = this.#parts.tail;
    if (finding !== undefined) walk.sawDamage({ firstSeq: seenSeq + 1, lastSeq: durableSeq, finding });
    const isThere = async (seq: number): Promise<boolean> => !this.#isInFolded(seq) || (await this.isPoint(seq));
    const snapshots = await timelineSnapshots(this.#parts, { volume, stretches, isThere });
    return latestWithin(walk.finish(newest?.seq ?? 0, newest?.timeMicros, snapshots), span);
  }

  #isInFolded(seq: number): boolean {
    const { sealed } = this.#parts;
    return sealed.pieces[sealed.indexOf(seq)]?.folded !== undefined;
  }

  async #base(): Promise<StretchStart> {
    const { sealed } = this.#parts;
    const { basedOn } = sealed.history;
    if (basedOn === 0) return { seq: 0, timeMicros: 0, states: [] };
    const held = await sealed.snapshot(basedOn);
    if (held instanceof ObjectDamageError) return { seq: basedOn, timeMicros: 0, states: [] };
    const { numbers, volumes } = held.snapshot;
    return { seq: basedOn, timeMicros: numbers.timeMicros, states: volumes };
  }

  /** All behind the base and up to the newest that is durable. */
  #historyParts(): AsyncGenerator<TimelinePart, void> {
    return historyParts(this.#parts.sealed, this.#chunks(), this.newestSeq);
  }
}
