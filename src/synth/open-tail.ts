/**
 * The part of a group's open journal that is not sealed, followed as it grows, in chunks: a point within a chunk is made of its
 * records, and all chunks before it count whole. What is durable counts; what is behind is known already, and waits for that.
 *
 * Invariants: chunks follow each other without gaps; at most `recordsMax` records are in memory as they are, the newest, and
 * `rowsMax` rows of what all of a chunk come to; of the others it is known where they lie; a chunk that is full never changes.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import { tailChunkRecords, tailChunksReadMax, tailRecordsMax, tailRowsMax } from "#src/core/point-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import type { JournalStart } from "#src/journals/journal-start.ts";
import { type CursorPlace, MetadataCursor } from "#src/journals/metadata-cursor.ts";
import type { FoundUnit } from "#src/journals/metadata-unit.ts";
import type { ExtentRows } from "./extent-rows.ts";
import { LatestPromises } from "./latest-promises.ts";
import type { Point } from "./point-answer.ts";
import { TailChunk } from "./tail-chunk.ts";
import { TailRecords } from "./tail-records.ts";

/** What the remote appliance's own journals of the group are, now. */
export interface OpenJournal {
  readonly folder: JournalFolder;
  readonly incarnation: number;
  readonly start: JournalStart;
  /** Records up to there are durable, as far as it is known; those that are sealed are anyway. */
  readonly durableSeq: number;
}

export interface OpenTailParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly group: string;
  readonly journal: () => OpenJournal | undefined;
  /** Of a chunk, at least, and of all chunks that are in memory. */
  readonly chunkRecords?: number;
  readonly recordsMax?: number;
  readonly rowsMax?: number;
}

/** Units that are walked over before others get their turn. */
const unitsPerTurn = 256;

export class OpenTail {
  readonly #parts: OpenTailParts;
  #chunks: TailChunk[] = [];
  /** Of chunks that do not have them any more, lately. */
  readonly #readAgain = new LatestPromises<TailRecords>(tailChunksReadMax);
  /** Behind the last unit that was seen. */
  #place: CursorPlace | undefined;
  #incarnation: number | undefined;
  #beginSeq: number | undefined;
  /** What the store had when the journal was walked over from its beginning, while nothing of that was let go of. */
  #walkedFor: number | undefined;
  #durableSeq = 0;
  #finding: string | undefined;
  #following: Promise<void> | undefined;

  constructor(parts: OpenTailParts) {
    this.#parts = parts;
  }

  /** In their order. */
  get chunks(): readonly TailChunk[] {
    return this.#chunks;
  }

  /** As far as the journals say. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  /** Why what is durable cannot be read to its end. */
  get finding(): string | undefined {
    return this.#finding;
  }

  /** Of the last record that was seen, durable or not; 0: none was. */
  get seenSeq(): number {
    return this.#chunks.at(-1)?.lastSeq ?? 0;
  }

  /** All durable records from there on are here. Undefined: there is no journal. */
  get beginSeq(): number | undefined {
    return this.#beginSeq;
  }

  /** Looks what is new behind what the store has. Rejects with a `RetryError` where files went meanwhile: look again. */
  follow(storedSeq: number): Promise<void> {
    this.#following ??= this.#follow(storedSeq).finally(() => {
      this.#following = undefined;
    });
    return this.#following;
  }

  async #follow(storedSeq: number): Promise<void> {
    const journal = this.#parts.journal();
    if (journal === undefined) return;
    if (journal.incarnation !== this.#incarnation) {
      this.#forget();
      this.#incarnation = journal.incarnation;
    }
    this.#letGo(storedSeq);
    this.#durableSeq = Math.max(this.#durableSeq, journal.durableSeq);
    const cursor = this.#cursor(journal, storedSeq);
    cursor.takePlain();
    try {
      await this.#walk(cursor, storedSeq);
    } finally {
      cursor.close();
    }
    this.#bound();
  }

  #forget(): void {
    this.#chunks = [];
    this.#readAgain.clear();
    this.#place = undefined;
  }

  /** What is sealed is read from there. The last chunk stays where it goes on. */
  #letGo(storedSeq: number): void {
    for (const { lastSeq } of this.#chunks) {
      if (lastSeq > storedSeq) break;
      this.#beginSeq = lastSeq + 1;
      this.#walkedFor = undefined;
    }
    this.#chunks = this.#chunks.filter(({ lastSeq }) => lastSeq > storedSeq);
  }

  #cursor({ folder, incarnation, start }: OpenJournal, storedSeq: number): MetadataCursor {
    const { files, group } = this.#parts;
    const identity = { group, incarnation };
    try {
      // The store may have lost what was let go of here.
      const isWhole = (this.#beginSeq ?? 0) <= storedSeq + 1 || this.#walkedFor === storedSeq;
      if (isWhole && this.#place !== undefined && this.#place.expectedSeq > storedSeq) {
        const cursor = MetadataCursor.from(files, folder, identity, this.#place);
        if (cursor !== undefined) return cursor;
      }
      this.#forget();
      const cursor = new MetadataCursor(files, folder, identity, storedSeq + 1, start);
      this.#beginSeq = cursor.expectedSeq;
      this.#walkedFor = storedSeq;
      return cursor;
    } catch (error) {
      throw goneWhileRead(error);
    }
  }

  async #walk(cursor: MetadataCursor, storedSeq: number): Promise<void> {
    this.#finding = undefined;
    for (let count = 1; ; count++) {
      const { epoch } = cursor;
      const unit = nextOf(cursor);
      if (unit.finding !== "sound") {
        const isDamage = cursor.expectedSeq <= this.#durableSeq;
        if (isDamage) this.#finding = `the journal is damaged at record ${cursor.expectedSeq} (${unit.finding})`;
        break;
      }
      this.#durableSeq = Math.max(this.#durableSeq, unit.durableSeq);
      if (unit.lastSeq > storedSeq) {
        this.#chunkFor(unit, epoch, cursor).add(unit);
      } else this.#beginSeq = unit.lastSeq + 1;
      this.#place = cursor.place;
      if (count % unitsPerTurn === 0) await new Promise<void>((resolve) => this.#parts.clock.soon(resolve));
    }
  }

  /** `epoch`: in which the walk stood before the unit. */
  #chunkFor({ firstSeq, offset }: FoundUnit, epoch: number, cursor: MetadataCursor): TailChunk {
    const { chunkRecords = tailChunkRecords } = this.#parts;
    const last = this.#chunks.at(-1);
    if (last !== undefined && !last.isFull && (last.records?.recordCount ?? 0) < chunkRecords) return last;
    last?.fill();
    this.#bound();
    const place = { ...(cursor.place as CursorPlace), offset, expectedSeq: firstSeq, epoch };
    const chunk = new TailChunk(firstSeq, place);
    this.#chunks.push(chunk);
    return chunk;
  }

  #bound(): void {
    const { recordsMax = tailRecordsMax, rowsMax = tailRowsMax } = this.#parts;
    let [recordCount, rowCount] = [0, 0];
    for (const chunk of this.#chunks.toReversed()) {
      recordCount += chunk.records?.recordCount ?? 0;
      if (rowCount + chunk.rowCount > rowsMax) chunk.dropRows();
      if (recordCount > recordsMax && chunk.isFull) chunk.dropRecords();
      rowCount += chunk.rowCount;
    }
  }

  /** What those of a chunk up to this one say of the volume. Rejects as `recordsOf` does. */
  async rowsOf(chunk: TailChunk, volume: number, seq: number): Promise<ExtentRows> {
    if (!chunk.isFull || seq < chunk.lastSeq) return (await this.recordsOf(chunk)).rowsUpTo(volume, seq);
    return chunk.rowsOf(volume) ?? (await this.recordsOf(chunk)).rowsOf(volume);
  }

  /** The last point at or before the seq; undefined: it is before all of the chunk's. */
  async pointUpTo(chunk: TailChunk, seq: number): Promise<Point | undefined> {
    const { firstPoint, lastPoint } = chunk.summary;
    if (firstPoint === undefined || firstPoint.seq > seq) return undefined;
    return lastPoint !== undefined && lastPoint.seq <= seq ? lastPoint : (await this.recordsOf(chunk)).pointUpTo(seq);
  }

  /** The first behind it. */
  async pointBehind(chunk: TailChunk, seq: number): Promise<Point | undefined> {
    const { firstPoint, lastPoint } = chunk.summary;
    if (lastPoint === undefined || lastPoint.seq <= seq) return undefined;
    return firstPoint !== undefined && firstPoint.seq > seq
      ? firstPoint
      : (await this.recordsOf(chunk)).pointBehind(seq);
  }

  /** The last that was made then or before. */
  async pointAt(chunk: TailChunk, timeMicros: number): Promise<Point | undefined> {
    const { firstPoint, lastPoint } = chunk.summary;
    if (firstPoint === undefined || firstPoint.timeMicros > timeMicros) return undefined;
    const isBehind = lastPoint !== undefined && lastPoint.timeMicros <= timeMicros;
    return isBehind ? lastPoint : (await this.recordsOf(chunk)).pointAt(timeMicros);
  }

  /** Those of a chunk, read again if need be. Rejects with a `RetryError` where they are not here any more. */
  async recordsOf(chunk: TailChunk): Promise<TailRecords> {
    return chunk.records ?? (await this.#readAgain.get(String(chunk.firstSeq), () => this.#read(chunk)));
  }

  async #read(chunk: TailChunk): Promise<TailRecords> {
    const journal = this.#parts.journal();
    const { files, group, clock } = this.#parts;
    const records = new TailRecords();
    const identity = { group, incarnation: journal?.incarnation ?? 0 };
    const cursor = journal && MetadataCursor.from(files, journal.folder, identity, chunk.place);
    if (cursor === undefined) throw new RetryError(`the journal of group ${group} was sealed while it was read`);
    cursor.takePlain();
    try {
      for (let count = 1; cursor.expectedSeq <= chunk.lastSeq; count++) {
        const unit = nextOf(cursor);
        if (unit.finding !== "sound")
          throw new StopError(`record ${cursor.expectedSeq} of group ${group} cannot be read`);
        records.add(unit);
        if (count % unitsPerTurn === 0) await new Promise<void>((resolve) => clock.soon(resolve));
      }
    } finally {
      cursor.close();
    }
    return records;
  }
}

function nextOf(cursor: MetadataCursor): ReturnType<MetadataCursor["next"]> {
  try {
    return cursor.next();
  } catch (error) {
    throw goneWhileRead(error);
  }
}

function goneWhileRead(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error;
  return new RetryError("a piece of the journal was removed while it was read", { cause: error });
}
