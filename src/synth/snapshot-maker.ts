/**
 * Makes the snapshot of any seq that a group's history has, of the newest one before it that can be read. Where many pieces lie
 * between, it is made in steps, of which each leaves a snapshot: so memory is bounded, and whoever is interrupted goes on
 * from the last of them.
 */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { synthesisPiecesMax } from "#src/core/store-limits.ts";
import { piecesInForce } from "#src/journals/pieces-in-force.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import type { SealedPieceIdentity } from "#src/journals/sealed-piece-format.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { HistoryDocument } from "./history-document.ts";
import { seqsOfSnapshots } from "./history-names.ts";
import { isKept } from "./kept-snapshots.ts";
import { Snapshot } from "./snapshot.ts";
import type { SnapshotStoreParts } from "./snapshot-builder.ts";
import { synthesize } from "./synthesis.ts";

export interface SnapshotOrder {
  readonly history: HistoryDocument;
  readonly seq: number;
  readonly nowMicros: number;
  readonly control: WorkControl;
  /** Somebody waits for it. */
  readonly isHurried?: boolean;
}

/**
 * Within an aggregate there is no state: then it is that of the last seq before. Throws a `RefuseError` where the history does
 * not reach there.
 */
export async function makeSnapshot(parts: SnapshotStoreParts, order: SnapshotOrder): Promise<Snapshot> {
  const { history, seq, nowMicros, control, isHurried = false } = order;
  if (seq < history.basedOn) {
    throw new RefuseError(`the history of group ${parts.group} begins with record ${history.basedOn}`);
  }
  let base = await newestReadable(parts, history, seq);
  const all = await piecesInForce(parts.objects, parts.group);
  const ahead = all.filter((piece) => piece.firstSeq <= seq && isAhead(piece, base));
  if (all.every(({ firstSeq }) => firstSeq <= seq)) await checkSealed(parts, all.at(-1), seq);
  for (let first = 0; first < ahead.length; first += synthesisPiecesMax) {
    control.throwIfCancelled();
    control.progress({ done: first, total: ahead.length, unit: "pieces", what: "makes a snapshot" });
    const some = ahead.slice(first, first + synthesisPiecesMax);
    const pieces = await Promise.all(some.map((piece) => open(parts, piece)));
    const lastSeq = pieces.at(-1)?.numbers.lastSeq ?? 0;
    const isLast = first + some.length === ahead.length;
    if (isLast && seq > lastSeq)
      throw new RefuseError(`record ${seq} is not sealed yet: the pieces end with ${lastSeq}`);
    base = await synthesize(parts, { base, pieces, seq: Math.min(seq, lastSeq), nowMicros, control, isHurried });
  }
  if (base === undefined) throw new RefuseError(`group ${parts.group} has no sealed record up to ${seq}`);
  return base;
}

/** One that is damaged is passed over, as long as there are the pieces that it was made of. */
async function newestReadable(
  { objects, key, group }: SnapshotStoreParts,
  history: HistoryDocument,
  seq: number,
): Promise<Snapshot | undefined> {
  const seqs = await seqsOfSnapshots(objects, group);
  let damage: ObjectDamageError | undefined;
  for (const one of seqs
    .filter((other) => other <= seq && other >= history.basedOn && isKept(history, other))
    .reverse()) {
    try {
      return await Snapshot.open(objects, { group, seq: one }, key);
    } catch (error) {
      if (!(error instanceof ObjectDamageError)) throw error;
      damage ??= error;
    }
  }
  if (history.basedOn === 0) return undefined;
  throw (
    damage ?? new StopError(`the store has lost snapshot ${history.basedOn}, with which the history of ${group} begins`)
  );
}

/** Whether the piece has records behind the base. */
function isAhead({ firstSeq, folded }: SealedPieceIdentity, base: Snapshot | undefined): boolean {
  if (base === undefined) return true;
  // Which of those that it was made of have the base is not asked: none of them is there any more.
  if (folded !== undefined) return folded.lastSeq > base.seq;
  const { firstSeq: throughFirst, lastSeq: throughLast } = base.through;
  return throughLast <= base.seq ? firstSeq > throughFirst : firstSeq >= throughFirst;
}

async function checkSealed(
  parts: SnapshotStoreParts,
  newest: SealedPieceIdentity | undefined,
  seq: number,
): Promise<void> {
  const lastSeq = newest === undefined ? 0 : (await open(parts, newest)).numbers.lastSeq;
  if (seq > lastSeq) throw new RefuseError(`record ${seq} is not sealed yet: the pieces end with ${lastSeq}`);
}

function open({ objects, key }: SnapshotStoreParts, identity: SealedPieceIdentity): Promise<SealedPiece> {
  return SealedPiece.open(objects, identity, key);
}
