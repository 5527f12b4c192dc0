/**
 * The history of one volume, for people and programs: in which ranges it has points, and how close they are; what lies between; marks,
 * snapshots, changes of mode, level and size; what is damaged.
 */
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { everyWriteLevel, levelSaid } from "#src/records/level-record.ts";
import { decodeExtra, recordType, recordTypeName, wholeGroup } from "#src/records/record.ts";
import { type DamagedRecords, eventTypes } from "./piece-events.ts";
import { type StretchKind, stretchKind, type VolumeStretch } from "./volume-stretches.ts";

/** How close points are: each write, each aggregate that was shipped, or one in so many seconds. */
export type Granularity = "every-write" | "aggregate" | `${number}s`;

export interface TimelineRange {
  readonly kind: StretchKind;
  /** Of points alone. */
  readonly granularity?: Granularity;
  /** The first record; where there are points this is the first. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly fromMicros: number;
  readonly toMicros: number;
}

export interface TimelineMark {
  readonly name: string;
  readonly seq: number;
  readonly timeMicros: number;
  readonly isQuiesced: boolean;
  /** Whether the volume has a point there. */
  readonly isPoint: boolean;
}

export interface TimelineEvent {
  readonly seq: number;
  readonly timeMicros: number;
  readonly type: string;
  /** What the record says, as it says it. */
  readonly says: Readonly<Record<string, unknown>>;
}

export interface TimelineSnapshot {
  readonly seq: number;
  /** Undefined: it is damaged. */
  readonly timeMicros: number | undefined;
}

export interface VolumeTimeline {
  readonly ranges: readonly TimelineRange[];
  readonly marks: readonly TimelineMark[];
  readonly events: readonly TimelineEvent[];
  readonly snapshots: readonly TimelineSnapshot[];
  readonly damaged: readonly DamagedRecords[];
  readonly newestSeq: number;
  /** Of that; undefined: there is no record. */
  readonly newestMicros: number | undefined;
  /** There is more within the span than is told, of before. */
  readonly isCut: boolean;
}

/** Records behind each other that lie together. */
export interface TimelinePart {
  readonly firstSeq: number;
  readonly fromMicros: number;
  /** The seconds between points, where it was folded; 0: it was not. */
  readonly level: number;
  readonly isFolded: boolean;
  readonly hasAggregates: boolean;
  readonly records: readonly JournalRecord[];
  readonly damaged: readonly DamagedRecords[];
}

interface OpenRange {
  readonly kind: StretchKind;
  readonly granularity: Granularity;
  readonly firstSeq: number;
  readonly fromMicros: number;
}

export class TimelineWalk {
  readonly #volume: number;
  /** In their order; those that the walk has not come to. */
  readonly #stretches: VolumeStretch[];
  /** Where the walk is; undefined: the volume is not there yet. */
  #kind: StretchKind | undefined;
  readonly #ranges: TimelineRange[] = [];
  readonly #marks: TimelineMark[] = [];
  readonly #events: TimelineEvent[] = [];
  readonly #damaged: DamagedRecords[] = [];
  #open: OpenRange | undefined;
  /** Undefined: nothing has said it yet. */
  #mode: string | undefined;
  #part: Pick<TimelinePart, "level" | "isFolded" | "hasAggregates"> = {
    ...{ level: 0, isFolded: false, hasAggregates: false },
  };
  /** Of the volume, in seconds. */
  #level = everyWriteLevel;

  constructor(volume: number, stretches: readonly VolumeStretch[]) {
    this.#volume = volume;
    this.#stretches = [...stretches];
  }

  /** Stretches begin where no record tells of it, too. */
  #reach(seq: number): void {
    for (let next = this.#stretches[0]; next !== undefined && next.fromSeq <= seq; next = this.#stretches[0]) {
      this.#stretches.shift();
      this.#kind = next.kind;
      this.#turn(next.fromSeq, next.fromMicros);
    }
  }

  saw(part: TimelinePart): void {
    this.#reach(part.firstSeq - 1);
    this.#part = part;
    this.#mode ??= modeBefore(part.records);
    this.#turn(part.firstSeq, part.fromMicros);
    for (const record of part.records) this.#sawRecord(record);
    this.#damaged.push(...part.damaged);
  }

  sawDamage(damaged: DamagedRecords): void {
    this.#damaged.push(damaged);
  }

  #sawRecord(record: JournalRecord): void {
    const { type, volume, seq, timeMicros } = record;
    this.#reach(seq - 1);
    const says = decodeExtra(record.extra) ?? {};
    if (type === recordType.mode && typeof says.to === "string") this.#mode = says.to;
    if (type === recordType.level && volume === this.#volume) this.#level = levelSaid(record.extra) ?? this.#level;
    this.#reach(seq);
    this.#turn(seq, timeMicros);
    if (volume !== wholeGroup && volume !== this.#volume) return;
    if (type === recordType.mark) this.#sawMark(record, says);
    else if (eventTypes.has(type)) this.#events.push({ seq, timeMicros, type: recordTypeName(type), says });
  }

  #sawMark({ seq, timeMicros }: JournalRecord, { name, quiesced }: Record<string, unknown>): void {
    const isPoint = this.#kind === stretchKind.points;
    this.#marks.push({ name: String(name), seq, timeMicros, isQuiesced: quiesced === true, isPoint });
  }

  #turn(seq: number, timeMicros: number): void {
    const kind = this.#kind;
    if (kind === undefined) return;
    const granularity = kind === stretchKind.points ? this.#granularity : "every-write";
    if (this.#open?.kind === kind && this.#open.granularity === granularity) return;
    this.#end(seq - 1, timeMicros);
    this.#open = { kind, granularity, firstSeq: seq, fromMicros: timeMicros };
  }

  get #granularity(): Granularity {
    const { level: partLevel, isFolded, hasAggregates } = this.#part;
    // What was folded to the level that it was written at has aggregates of that.
    const level = isFolded && hasAggregates ? Math.max(partLevel, this.#level) : partLevel;
    if (level > 0) return `${level}s`;
    const isAggregated = this.#mode === undefined ? hasAggregates : this.#mode === "aggregated";
    return isAggregated ? "aggregate" : "every-write";
  }

  #end(lastSeq: number, toMicros: number): void {
    if (this.#open === undefined || lastSeq < this.#open.firstSeq) return;
    const { granularity, ...range } = this.#open;
    const isPoints = range.kind === stretchKind.points;
    this.#ranges.push({ ...range, ...(isPoints ? { granularity } : {}), lastSeq, toMicros });
  }

  /** All of it. */
  finish(
    newestSeq: number,
    newestMicros: number | undefined,
    snapshots: readonly TimelineSnapshot[],
  ): Omit<VolumeTimeline, "isCut"> {
    this.#reach(newestSeq);
    this.#end(newestSeq, newestMicros ?? 0);
    const lists = { ranges: this.#ranges, marks: this.#marks, events: this.#events, snapshots, damaged: this.#damaged };
    return { ...lists, newestSeq, newestMicros };
  }
}

/** As the first switch says it. */
function modeBefore(records: readonly JournalRecord[]): string | undefined {
  const first = records.find(({ type }) => type === recordType.mode);
  const from = first === undefined ? undefined : decodeExtra(first.extra)?.from;
  return typeof from === "string" ? from : undefined;
}
