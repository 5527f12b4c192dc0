/**
 * What the points that are kept reach, of all groups of a store: the trees of the bases and of earlier snapshots that pins
 * keep, and every record of the pieces that are kept, also what is overwritten within a piece, since each record is a point.
 * Later snapshots hold nothing else. What two snapshots hold alike is read once. Pieces that were folded are needed for as long as
 * they are there: where the folded one turns out not to be what it should be, they are the history again. Of one of those that cannot
 * be read all is needed that it may point to, and the rest goes on.
 *
 * Which segments are settled follows from the order of addresses: a group's slots are given out in the order of its records,
 * segment by segment. So where a sealed record, or what one said that is in a snapshot, points to a later segment of the same
 * journal, all records that point into an earlier one are sealed too. Of the latest one it is known too, where somebody knows how far
 * the journals were noted to be durable when its files had gone: nothing behind that points there.
 *
 * In memory: of each sealed segment which journal it is of, and the last record that may point there.
 */

import { RefuseError, StopError } from "#src/core/errors.ts";
import { foundPieces } from "#src/journals/pieces-in-force.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { chainFinding } from "#src/journals/sealed-piece-chain.ts";
import type { SealedPieceIdentity } from "#src/journals/sealed-piece-format.ts";
import { storedGroups } from "#src/journals/stored-group.ts";
import { holeAddress, segmentOf } from "#src/records/address.ts";
import { hasPayload } from "#src/records/record.ts";
import type { LiveBlocks, LiveMarks, SettledSegments } from "#src/store/live-blocks.ts";
import { decodeObjectHeader, objectHeaderBytes } from "#src/store/object-format.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { segmentObjectName, segmentOfObject } from "#src/store/segment-format.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { GatheredPace } from "./gathered-pace.ts";
import { type HistoryDocument, readHistory } from "./history-document.ts";
import { seqsOfSnapshots } from "./history-names.ts";
import { checkToldOf, isKept } from "./kept-snapshots.ts";
import { PieceSegments, type SegmentRange, sees } from "./piece-segments.ts";
import { Snapshot } from "./snapshot.ts";

export interface LiveHistoryParts {
  readonly objects: ReadableObjects;
  /** Of the store. */
  readonly key: Buffer | undefined;
  /** Segments whose files are still there, to be sealed or removed. */
  readonly segmentsWithFiles: () => Promise<ReadonlySet<number>>;
  /** Up to which record the journals of each group, by its id, are noted to be durable. Absent: nobody here knows. */
  readonly checkpoints?: () => ReadonlyMap<string, number>;
}

/** What is read of a snapshot for each. */
const extentBytesAbout = 10;

/** A data journal: of a group, at a level. */
type JournalName = `${string} ${number}`;

function journalName(group: string, level: number): JournalName {
  return `${group} ${level}`;
}

function groupOf(journal: JournalName): string {
  return journal.split(" ", 1)[0] as string;
}

export class LiveHistory implements LiveBlocks {
  readonly #parts: LiveHistoryParts;
  /** Once known it stays so. */
  readonly #journalOf = new Map<number, JournalName>();
  /** Of segments without files: no record behind it points there. */
  readonly #lastSeqOf = new Map<number, number>();
  /** By group, as of the last walk: segments that pieces may point to which cannot be read. */
  readonly #unsure = new Map<string, readonly SegmentRange[]>();

  constructor(parts: LiveHistoryParts) {
    this.#parts = parts;
  }

  async markLive(marks: LiveMarks, control: WorkControl): Promise<SettledSegments> {
    const { objects, segmentsWithFiles, checkpoints } = this.#parts;
    const sealed = new Map<number, number>();
    for await (const { name } of objects.list("segments/")) {
      const identity = segmentOfObject(name);
      if (identity !== undefined) sealed.set(identity.segment, identity.generation);
    }
    const withFiles = await segmentsWithFiles();
    // Afterwards: files only go behind a checkpoint at the last record that has anything there.
    const durableSeqs = checkpoints?.();
    const newest = new Map<JournalName, number>();
    const storedSeqs = new Map<string, number>();
    for (const group of await storedGroups(objects)) {
      storedSeqs.set(group, await this.#markGroup(group, marks, newest, control));
    }
    const settled = new Set<number>();
    for (const [segment, generation] of sealed) {
      if (withFiles.has(segment)) continue;
      const journal = this.#journalOf.get(segment) ?? (await this.#readJournal(segment, generation));
      const group = groupOf(journal);
      if (this.#unsure.get(group)?.some(({ first, last }) => first <= segment && segment <= last)) continue;
      const lastSeq = this.#lastSeqOf.get(segment) ?? durableSeqs?.get(group) ?? Number.POSITIVE_INFINITY;
      if (lastSeq < Number.POSITIVE_INFINITY) this.#lastSeqOf.set(segment, lastSeq);
      if (segment < (newest.get(journal) ?? 0) || lastSeq <= (storedSeqs.get(group) ?? 0)) settled.add(segment);
    }
    for (const known of [this.#journalOf, this.#lastSeqOf]) {
      for (const segment of known.keys()) if (!sealed.has(segment)) known.delete(segment);
    }
    return settled;
  }

  /** Answers up to which record the group is sealed. */
  async #markGroup(
    group: string,
    marks: LiveMarks,
    newest: Map<JournalName, number>,
    control: WorkControl,
  ): Promise<number> {
    const { document } = await readHistory(this.#parts.objects, group);
    let seen = { segment: 0, level: 0 };
    const mark = (address: number, blockCount: number, level: number): void => {
      marks.mark(address, blockCount);
      const segment = segmentOf(address);
      if (segment === seen.segment && level === seen.level) return;
      seen = { segment, level };
      const journal = journalName(group, level);
      this.#journalOf.set(segment, journal);
      if (segment > (newest.get(journal) ?? 0)) newest.set(journal, segment);
    };
    const storedSeq = await this.#markPieces(group, document, mark, control);
    await this.#markSnapshots(group, document, mark, control);
    return storedSeq;
  }

  /** Answers with which record they end. */
  async #markPieces(
    group: string,
    { behind }: HistoryDocument,
    mark: MarkLevel,
    control: WorkControl,
  ): Promise<number> {
    const { objects, key } = this.#parts;
    const isKept = ({ firstSeq }: SealedPieceIdentity): boolean => firstSeq > (behind?.lastSeq ?? -1);
    const found = await foundPieces(objects, group);
    const inForce = found.inForce.filter(isKept);
    const replaced = found.replaced.filter(isKept);
    const total = inForce.length + replaced.length;
    const segments = new PieceSegments();
    const unread: SealedPieceIdentity[] = [];
    let before = behind;
    for (const [index, identity] of [...inForce, ...replaced].entries()) {
      control.throwIfCancelled();
      control.progress({ done: index, total, unit: "pieces", what: "marks what points of the journal need" });
      if (index >= inForce.length) {
        if (!(await this.#isPieceMarked(identity, segments, mark, control))) unread.push(identity);
        continue;
      }
      const piece = await SealedPiece.open(objects, identity, key);
      // What one that is missing needs would be taken for dead.
      const finding = chainFinding(before, piece);
      if (finding !== undefined) throw new StopError(`${piece.name} does not follow what was before: ${finding}`);
      before = piece.link;
      await this.#markPiece(piece, segments, mark, control);
    }
    const ranges = unread.map(({ firstSeq, folded }) =>
      segments.around({ firstSeq, lastSeq: folded?.lastSeq ?? firstSeq }),
    );
    this.#unsure.set(group, ranges);
    return before?.lastSeq ?? 0;
  }

  /** False: it cannot be read. */
  async #isPieceMarked(
    identity: SealedPieceIdentity,
    segments: PieceSegments,
    mark: MarkLevel,
    control: WorkControl,
  ): Promise<boolean> {
    const { objects, key } = this.#parts;
    try {
      await this.#markPiece(await SealedPiece.open(objects, identity, key), segments, mark, control);
      return true;
    } catch (error) {
      if (error instanceof StopError || error instanceof RefuseError) return false;
      throw error;
    }
  }

  async #markPiece(piece: SealedPiece, segments: PieceSegments, mark: MarkLevel, control: WorkControl): Promise<void> {
    const row = segments.begin(piece.identity.firstSeq, piece.numbers.lastSeq);
    for await (const { type, address, blockCount, level } of piece.records()) {
      if (!hasPayload(type)) continue;
      mark(address, blockCount, level);
      sees(row, segmentOf(address), segmentOf(address + blockCount - 1));
    }
    segments.add(row);
    await control.pace(piece.sizeBytes);
  }

  async #markSnapshots(group: string, history: HistoryDocument, mark: MarkLevel, control: WorkControl): Promise<void> {
    const { objects, key } = this.#parts;
    const there = await seqsOfSnapshots(objects, group);
    await checkToldOf(objects, there, history, group);
    // Whatever later ones hold, the base or a piece says too.
    const { basedOn } = history;
    const kept = there.filter((seq) => basedOn > 0 && seq <= basedOn && isKept(history, seq));
    const pace = new GatheredPace(control);
    let before: Snapshot | undefined;
    for (const [index, seq] of kept.entries()) {
      control.throwIfCancelled();
      control.progress({ done: index, total: kept.length, unit: "objects", what: "marks what snapshots need" });
      const snapshot = await Snapshot.open(objects, { group, seq }, key);
      for (const { number } of snapshot.volumes) {
        // What was there at the one before it is marked.
        for await (const page of snapshot.changes(number, before?.seq ?? -1)) {
          for (const { address, blockCount, level } of page) {
            if (address !== holeAddress) mark(address, blockCount, level);
          }
          await pace.add(page.length * extentBytesAbout);
        }
      }
      before = snapshot;
    }
  }

  async #readJournal(segment: number, generation: number): Promise<JournalName> {
    const name = segmentObjectName({ segment, generation });
    const bytes = Buffer.alloc(objectHeaderBytes);
    const filledBytes = await this.#parts.objects.read(name, bytes, 0);
    const { group, level } = decodeObjectHeader(bytes.subarray(0, filledBytes), name);
    const journal = journalName(group, level);
    this.#journalOf.set(segment, journal);
    return journal;
  }
}

type MarkLevel = (address: number, blockCount: number, level: number) => void;
