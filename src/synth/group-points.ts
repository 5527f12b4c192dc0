/**
 * The points of one group as they can be read beside the running remote appliance: of its store's objects and of the journals in
 * its folder, read-only, by any process. It follows what lands, and falls over to sealed objects as files go.
 *
 * Use: `openGroupPoints(parts)` once per group and process; `resolve(volume, words)` answers a seq; `open(volume, seq)` answers
 * an image. What is new since the last look is looked for by each of them by itself.
 *
 * **Pins** (whoever opens an image sees to this, before `open`; durable when `GroupHistory.pin` resolves; what was listed before
 * that does not count, and `refreshNow` sees to it that the point is there with its pin): the pin
 * `{ id, seq, keeps: "history", reason }` with the image's seq keeps all that an image of this seq reads: a history that begins
 * at that seq or before, with all pieces behind it, and all blocks of those. No other pin is needed, also for what is not sealed
 * yet. For a point that is a snapshot (`snap:ID`) the cheaper `keeps: "snapshot"` with its seq does. Without a pin an image goes on
 * reading for as long as the point is there; then it throws an `ExpiredPointError`, or tells blocks as damaged, but never gives
 * wrong bytes. Objects in which it reads may go and be written anew beside it (another generation, a base instead of an older
 * snapshot): it finds the others by itself.
 *
 * Errors: a `RefuseError` for what is no point or no volume, with the nearest points in words; a `RetryError`; a `StopError`
 * where damage leaves nothing to tell.
 */
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { imageLooksMax, pointPagesBytes } from "#src/core/point-limits.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import { SegmentReader } from "#src/journals/segment-reader.ts";
import type { BlockReader } from "#src/store/block-reader.ts";
import { AbsentObjectError, type ReadableObjects } from "#src/store/objects.ts";
import type { PieceCrew } from "#src/store/piece-crew.ts";
import type { SealedSegments } from "#src/store/sealed-segments.ts";
import { DensitySearch } from "./density-search.ts";
import { HistoryGaps } from "./history-gaps.ts";
import { KeptPages } from "./kept-pages.ts";
import { ExpiredPointError, type ImageLayers, LayeredImage } from "./layered-image.ts";
import { type OpenJournal, OpenTail } from "./open-tail.ts";
import type { NoPoint, Point, PointAnswer } from "./point-answer.ts";
import { PointBlocks } from "./point-blocks.ts";
import { firstRanges, type PointDifference, pointChanges, type WantedDifference } from "./point-changes.ts";
import type { PointImage } from "./point-image.ts";
import { PointLayers } from "./point-layers.ts";
import { PointSearch } from "./point-search.ts";
import { parsePoint } from "./point-words.ts";
import { SealedPoints } from "./sealed-points.ts";
import { wholeSpan } from "./timeline-span.ts";
import type { VolumeIdentity, VolumeState } from "./volume-state.ts";
import type { VolumeTimeline } from "./volume-timeline.ts";
import type { DensitySpan, WriteDensity } from "./write-density.ts";

export type { OpenJournal } from "./open-tail.ts";

export interface GroupPointsParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly objects: ReadableObjects;
  /** Of the store; undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  /** 32 hexadecimal digits. */
  readonly group: string;
  /** Over the same objects; shared by all groups, as their caches are. */
  readonly segments: SealedSegments;
  readonly reader: BlockReader;
  /** Threads that help with reading much at a time, shared likewise; undefined: there are none. */
  readonly crew?: PieceCrew | undefined;
  /** Of all groups together; undefined: this one has its own. */
  readonly pages?: KeptPages;
  /** Asked at each look; undefined: there are no journals here, only the store. */
  readonly journal: () => OpenJournal | undefined;
}

export class GroupPoints {
  readonly group: string;
  readonly #clock: Clock;
  readonly #sealed: SealedPoints;
  readonly #tail: OpenTail;
  readonly #gaps: HistoryGaps;
  readonly #layers: PointLayers;
  readonly #search: PointSearch;
  readonly #blocks: PointBlocks;
  readonly #density: DensitySearch;
  #refreshing: Promise<void> | undefined;

  private constructor(parts: GroupPointsParts) {
    const { files, clock, objects, key, group, segments, reader, crew, journal } = parts;
    this.group = group;
    this.#clock = clock;
    const place = { pages: parts.pages ?? new KeptPages(pointPagesBytes), clock };
    this.#sealed = new SealedPoints({ objects, key, group, ...place });
    this.#tail = new OpenTail({ files, clock, group, journal });
    const read = { sealed: this.#sealed, tail: this.#tail };
    this.#gaps = new HistoryGaps(this.#sealed, this.#tail);
    this.#layers = new PointLayers({ ...read, gaps: this.#gaps, place });
    this.#search = new PointSearch({ ...read, gaps: this.#gaps, clock });
    this.#density = new DensitySearch(this.#sealed, this.#tail);
    const folder = journal()?.folder;
    const segmentFiles = folder === undefined ? undefined : new SegmentReader(files, folder, group);
    this.#blocks = new PointBlocks({ clock, group, segments, reader, files: segmentFiles, crew });
  }

  static async open(parts: GroupPointsParts): Promise<GroupPoints> {
    const points = new GroupPoints(parts);
    await points.refresh();
    return points;
  }

  /** The last record that is durable; 0: there is none. As of the last look. */
  get newestSeq(): number {
    return this.#search.newestSeq;
  }

  /** Looks what is new. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Looks what is there, however lately that was listed: what is no point then was none when this was called. */
  async refreshNow(): Promise<void> {
    while (this.#refreshing !== undefined) await this.#refreshing;
    this.#sealed.forgetList();
    await this.refresh();
  }

  async #refresh(): Promise<void> {
    let storedSeq: number | undefined;
    for (let look = 0; ; look++) {
      try {
        await this.#sealed.list(look > 0);
        const { lastSeq } = this.#sealed;
        await this.#tail.follow(lastSeq);
        const isGap = (this.#tail.beginSeq ?? 0) > lastSeq + 1;
        // Records may have been sealed and removed between the two; if nothing was, they are missing.
        if (!isGap || storedSeq === lastSeq || look >= imageLooksMax) return;
        storedSeq = lastSeq;
      } catch (error) {
        const hasChanged = error instanceof AbsentObjectError || error instanceof RetryError;
        if (!hasChanged || look >= imageLooksMax) throw error;
        this.#sealed.forget();
      }
    }
  }

  /** What is gone while it is read is looked for anew. */
  async #steady<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let look = 0; ; look++) {
      try {
        return await work();
      } catch (error) {
        const hasChanged = error instanceof AbsentObjectError || error instanceof RetryError;
        if (!hasChanged || look >= imageLooksMax) throw error;
        this.#sealed.forget();
        await this.refresh();
      }
    }
  }

  /** Which volumes there are, as of the newest record. */
  async volumes(): Promise<readonly VolumeState[]> {
    await this.refresh();
    return await this.#steady(() => this.#layers.states(this.newestSeq));
  }

  /** What the volume's history is, from its beginning to the newest that is durable, as far as it lies within the span. */
  async timeline(volume: number, span = wholeSpan): Promise<VolumeTimeline> {
    await this.refresh();
    return await this.#steady(() => this.#search.timeline(volume, span));
  }

  /** How densely the volume was written to, in a span of time. */
  async density(volume: number, span: DensitySpan): Promise<WriteDensity> {
    await this.refresh();
    return await this.#steady(() => this.#density.find(volume, span, this.newestSeq));
  }

  /** When the point in words was made, or was to be; undefined where nothing is asked, or `now`. */
  async timeOf(volume: number, words: string | undefined): Promise<number | undefined> {
    if (words === undefined || words === "now") return undefined;
    const wanted = parsePoint(words, Math.round(this.#clock.wallMs() * 1000));
    return wanted.by === "time" ? wanted.timeMicros : await this.pointTimeOf(volume, words);
  }

  /** When the point was made that the words mean. Throws a `RefuseError` where it is none. */
  async pointTimeOf(volume: number, words: string): Promise<number> {
    const answer = await this.resolve(volume, words);
    if (answer.point === undefined) throw new RefuseError(inWords(answer));
    return answer.point.timeMicros;
  }

  /**
   * Words: `now`, `seq:123`, an ISO time, `-5m` (s, m, h, d, w), `mark:NAME`, `snap:SEQ`. A time means the last record that was
   * made then or before. Throws a `RefuseError` for what are no such words.
   */
  async resolve(volume: number, words: string): Promise<PointAnswer> {
    await this.refresh();
    return await this.#steady(() => this.#search.resolve(volume, words, (seq) => this.#layers.states(seq)));
  }

  /** The same of a seq. */
  async pointOf(volume: number, seq: number): Promise<PointAnswer> {
    if (seq > this.newestSeq) await this.refresh();
    return await this.#steady(() => this.#search.pointOf(volume, seq, (one) => this.#layers.states(one)));
  }

  /** Of seqs that were points of the volume once, those that still are. */
  async stillPoints(volume: number, seqs: readonly number[]): Promise<readonly number[]> {
    await this.refresh();
    return await this.#steady(() => this.#search.stillPoints(volume, seqs));
  }

  /** See above who pins it. Throws a `RefuseError` with the nearest points where it is none. */
  async open(volume: number, seq: number): Promise<PointImage> {
    const answer = await this.pointOf(volume, seq);
    if (answer.point === undefined) throw new RefuseError(inWords(answer));
    const { timeMicros } = answer.point;
    return await this.#unfolded(async () => {
      const { sizeBytes } = await this.#identityAt(volume, seq);
      const layersAnew = () => this.#layersAnew(volume, seq);
      const layers = await this.#pointLayers(volume, seq);
      const facts = { group: this.group, volume, seq, timeMicros, sizeBytes };
      return new LayeredImage({ clock: this.#clock, facts, layers, blocks: this.#blocks, layersAnew });
    });
  }

  async #layersAnew(volume: number, seq: number): Promise<ImageLayers> {
    this.#sealed.forget();
    await this.refresh();
    return await this.#unfolded(() => this.#pointLayers(volume, seq));
  }

  /** Within what was folded meanwhile there is no state. */
  async #pointLayers(volume: number, seq: number): Promise<ImageLayers> {
    if (!(await this.#search.isPoint(seq))) {
      throw new ExpiredPointError(
        `point ${seq} of group ${this.group} is there no more: what is kept of that time has fewer points`,
      );
    }
    return await this.#layers.layers(volume, seq);
  }

  /** What is put together of pieces is of those before a folding, or of those behind it. */
  #unfolded<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#steady(async () => {
      const { foldings } = this.#sealed;
      const result = await work();
      if (foldings !== this.#sealed.foldings) throw new RetryError("pieces were folded while a point was opened");
      return result;
    });
  }

  /** Throws a `RefuseError` where one of them is no point. What holds the earlier one as a history holds all that this reads. */
  async difference(volume: number, wanted: WantedDifference): Promise<PointDifference> {
    const sizes = [await this.#sizeAt(volume, wanted.firstSeq), await this.#sizeAt(volume, wanted.secondSeq)] as const;
    const afterSeq = Math.min(wanted.firstSeq, wanted.secondSeq);
    const seq = Math.max(wanted.firstSeq, wanted.secondSeq);
    const later = { volume, afterSeq, seq, fromBlock: wanted.fromBlock };
    const parts = { sealed: this.#sealed, tail: this.#tail, gaps: this.#gaps };
    const found = await this.#unfolded(async () => {
      const changes = pointChanges(parts, await this.#layers.making(seq), later);
      // Of the second one, whichever is later: who has the first lacks what a cut between them took.
      return await firstRanges(changes, Math.ceil(sizes[1] / blockBytes), wanted.rangesMax);
    });
    return { firstBytes: sizes[0], secondBytes: sizes[1], ...found };
  }

  async #sizeAt(volume: number, seq: number): Promise<number> {
    const answer = await this.pointOf(volume, seq);
    if (answer.point === undefined) throw new RefuseError(inWords(answer));
    return (await this.#steady(() => this.#identityAt(volume, seq))).sizeBytes;
  }

  async #identityAt(volume: number, seq: number): Promise<VolumeIdentity> {
    const state = (await this.#layers.states(seq)).find(({ number }) => number === volume);
    if (state?.identity !== undefined) return state.identity;
    const [finding] = (await this.#layers.layers(volume, seq)).findings;
    if (finding === undefined) throw new StopError(`no record says what volume ${volume} of group ${this.group} is`);
    throw new RefuseError(`what would say which volume it was is damaged: ${finding}`);
  }

  /** Images that are open are closed by whoever opened them, before. */
  close(): void {
    this.#blocks.close();
  }
}

export function openGroupPoints(parts: GroupPointsParts): Promise<GroupPoints> {
  return GroupPoints.open(parts);
}

/** For people. */
export function inWords({ why, before, after }: NoPoint): string {
  const near = [
    before === undefined ? [] : [`before it ${pointInWords(before)}`],
    after === undefined ? [] : [`after it ${pointInWords(after)}`],
  ].flat();
  return near.length === 0 ? why : `${why}; the nearest points are ${near.join(" and ")}`;
}

function pointInWords({ seq, timeMicros }: Point): string {
  return `seq:${seq} (${recordTimeText(timeMicros)})`;
}
