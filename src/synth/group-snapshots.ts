/**
 * The snapshots of one group as they lie in the store. What somebody has asked for, what a pin holds and what the history begins
 * with are points by themselves. All others are made so that points open soon: each is a point only as long as its record is one.
 */
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { noReserve, type SpaceReserve } from "#src/store/space-reserve.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { GroupPieces } from "./group-pieces.ts";
import type { HistoryDocument } from "./history-document.ts";
import { seqsOfSnapshots } from "./history-names.ts";
import { isKept, isPointByItself, unneededSnapshots } from "./kept-snapshots.ts";
import { Snapshot } from "./snapshot.ts";
import type { SnapshotStoreParts } from "./snapshot-builder.ts";
import { snapshotName, snapshotOfName } from "./snapshot-format.ts";
import { makeSnapshot, type SnapshotOrder } from "./snapshot-maker.ts";

export class GroupSnapshots {
  readonly #parts: SnapshotStoreParts;
  readonly #pieces: GroupPieces;
  /** That were made in the life of this process, and not removed: a list may be of before. */
  readonly #made = new Set<number>();

  constructor(parts: SnapshotStoreParts, pieces: GroupPieces) {
    this.#parts = parts;
    this.#pieces = pieces;
  }

  /** All that are there, in their order. */
  async seqs(): Promise<number[]> {
    const listed = await seqsOfSnapshots(this.#parts.objects, this.#parts.group);
    return [...new Set([...listed, ...this.#made])].sort((a, b) => a - b);
  }

  /** Those that are kept, in their order; none of them is opened. */
  async keptSeqs(history: HistoryDocument): Promise<number[]> {
    return (await this.seqs()).filter((seq) => isKept(history, seq));
  }

  /** The same. One that is damaged is told as its error. */
  async kept(history: HistoryDocument): Promise<(Snapshot | ObjectDamageError)[]> {
    const snapshots: (Snapshot | ObjectDamageError)[] = [];
    for (const seq of await this.keptSeqs(history)) {
      try {
        snapshots.push(await this.open(seq));
      } catch (error) {
        if (!(error instanceof ObjectDamageError)) throw error;
        snapshots.push(error);
      }
    }
    return snapshots;
  }

  open(seq: number): Promise<Snapshot> {
    const { objects, group, key } = this.#parts;
    return Snapshot.open(objects, { group, seq }, key);
  }

  async make(order: SnapshotOrder, reserve: SpaceReserve = noReserve): Promise<Snapshot> {
    const snapshot = await makeSnapshot({ ...this.#parts, reserve }, order);
    this.#made.add(snapshot.seq);
    return snapshot;
  }

  /** Whether one that is kept is a point. Undefined: nobody can tell for damage. */
  async isPoint(history: HistoryDocument, seq: number): Promise<boolean | undefined> {
    if (isPointByItself(history, seq)) return true;
    const folded = await this.#pieces.foldedWith(seq);
    return folded === undefined ? true : await this.#pieces.isPointOf(folded, seq);
  }

  /** Of all that are `there` those that nobody needs. */
  async removeUnneeded(history: HistoryDocument, there: readonly number[], control: WorkControl): Promise<void> {
    const { objects, group } = this.#parts;
    const kept = (await this.kept(history)).map((snapshot) => {
      if (snapshot instanceof Snapshot) {
        return { seq: snapshot.seq, sourceSeqs: snapshot.sources.map(({ seq }) => seq) };
      }
      // Whom one points into that is damaged is not known: into earlier ones, so all of these stay for now.
      const damagedSeq = snapshotOfName(snapshot.objectName)?.seq ?? Number.POSITIVE_INFINITY;
      return { seq: damagedSeq, sourceSeqs: there.filter((seq) => seq < damagedSeq) };
    });
    for (const seq of unneededSnapshots(there, kept)) {
      control.throwIfCancelled();
      await objects.remove(snapshotName({ group, seq }));
      this.#made.delete(seq);
    }
  }
}
