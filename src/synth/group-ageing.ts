/**
 * Folds the pieces of one group's history that have come of age, one fold at a time, beside whatever else is asked of the history.
 *
 * What a folded piece took the place of stays until the next run: whoever reads it has until then. The folded one is read back and
 * compared with it before anything is made of it, and again before it goes; one that is not what it should be goes instead, and the
 * old ones count again. Where damage of those hides whether it is, they stay, and all else goes on: what is in force is sound by
 * itself, and is all that there is of what is damaged.
 */

import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { type FoldOrder, foldFinding, foldPieces } from "#src/journals/piece-fold.ts";
import { foundPieces } from "#src/journals/pieces-in-force.ts";
import type { FoldRule } from "#src/journals/record-fold.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { decodeExtra } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectName } from "#src/store/objects.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type AgeingPiece, type AgeingPlan, type AgeingPolicy, ageingPlan, type PlannedFold } from "./ageing-plan.ts";
import type { HistoryDocument } from "./history-document.ts";
import type { LevelMeasure } from "./reach-forecast.ts";
import type { SnapshotStoreParts } from "./snapshot-builder.ts";
import type { TrustedTime } from "./trusted-time.ts";

/** What is known when a fold is begun. */
export interface AgeingMoment {
  readonly policy: AgeingPolicy;
  readonly history: HistoryDocument;
  readonly time: TrustedTime;
  /** Points that stay whatever the level. */
  readonly pointSeqs: ReadonlySet<number>;
  readonly nowMicros: number;
}

export interface FoldMoment extends AgeingMoment, Pick<FoldOrder, "publish"> {}

export interface PlannedAgeing extends AgeingPlan {
  /** What was folded before: it goes first, where it is not found to be the history still. */
  readonly replacedCount: number;
}

export interface ReplacedRemoval {
  readonly removedPieces: number;
  /** Of folded pieces that were not what they should be, or of which that cannot be said. */
  readonly findings: readonly string[];
}

/** `same`: it is what it should be. `hidden`: nobody can say, since what it was made of is damaged. */
type Comparison = { readonly kind: "same" } | { readonly kind: "other" | "hidden"; readonly finding: string };

interface FoldedWithOwn {
  readonly identity: SealedPieceIdentity;
  readonly own: readonly SealedPieceIdentity[];
}

export class GroupAgeing {
  readonly #parts: SnapshotStoreParts;
  /** Of pieces that were looked at: they never change. */
  readonly #known = new Map<ObjectName, AgeingPiece>();
  /** Folded pieces that were found to be what they should be, with their hashes. */
  readonly #compared = new Map<ObjectName, Buffer>();
  /** What begins there comes to too much for one piece, or to one that is not what it should be, and would again. */
  readonly #hopeless = new Set<number>();

  constructor(parts: SnapshotStoreParts) {
    this.#parts = parts;
  }

  async plan({ policy, history, time }: AgeingMoment): Promise<PlannedAgeing> {
    const { inForce, replaced } = await foundPieces(this.#parts.objects, this.#parts.group);
    const pieces = await this.#looked(inForce);
    const plan = ageingPlan({ time, policy, history, pieces });
    const folds = plan.folds.filter(({ firstSeq }) => !this.#hopeless.has(firstSeq));
    return { ...plan, folds, replacedCount: replaced.length };
  }

  /** What there is at each level, of all that is kept. */
  async measures({ behind }: HistoryDocument): Promise<LevelMeasure[]> {
    const { inForce } = await foundPieces(this.#parts.objects, this.#parts.group);
    const measures = new Map<number, LevelMeasure>();
    let last: AgeingPiece | undefined;
    for (const piece of await this.#looked(inForce)) {
      if (piece.lastSeq <= (behind?.lastSeq ?? 0)) continue;
      const { level, recordCount, earliestMicros, latestMicros } = piece;
      const before = measures.get(level) ?? { level, recordCount: 0, spanMicros: 0 };
      // A group at rest has that level too. One piece that stayed behind at another level says nothing of the time until now.
      const pauseMicros = last?.level === level ? Math.max(0, earliestMicros - last.latestMicros) : 0;
      const spanMicros = before.spanMicros + pauseMicros + latestMicros - earliestMicros;
      measures.set(level, { level, recordCount: before.recordCount + recordCount, spanMicros });
      last = piece;
    }
    return [...measures.values()];
  }

  async #looked(inForce: readonly SealedPieceIdentity[]): Promise<AgeingPiece[]> {
    const pieces: AgeingPiece[] = [];
    for (const identity of inForce)
      pieces.push(this.#known.get(sealedPieceName(identity)) ?? (await this.#look(identity)));
    const names = new Set(inForce.map(sealedPieceName));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    return pieces;
  }

  async #look(identity: SealedPieceIdentity): Promise<AgeingPiece> {
    const { numbers, level } = await SealedPiece.open(this.#parts.objects, identity, this.#parts.key);
    const { lastSeq, earliestMicros, latestMicros, coarseLevel, recordCount } = numbers;
    const { firstSeq } = identity;
    const piece = { firstSeq, lastSeq, earliestMicros, latestMicros, coarseLevel, recordCount, level };
    this.#known.set(sealedPieceName(identity), piece);
    return piece;
  }

  /** Answers whether there is a folded piece now. */
  async fold(planned: PlannedFold, moment: FoldMoment, control: WorkControl): Promise<boolean> {
    const { objects, group, key } = this.#parts;
    const { inForce } = await foundPieces(objects, group);
    const chosen = inForce.filter(({ firstSeq }) => firstSeq >= planned.firstSeq && firstSeq <= planned.lastSeq);
    const pieces: SealedPiece[] = [];
    for (const identity of chosen) pieces.push(await SealedPiece.open(objects, identity, key));
    const rule = ruleOf(planned, moment);
    const { nowMicros, publish } = moment;
    const outcome = await foldPieces(this.#parts, { pieces, rule, nowMicros, publish, control });
    if (outcome === "tooMuch") this.#hopeless.add(planned.firstSeq);
    return outcome === "folded";
  }

  /** What was folded by this process or another one, and was not compared here yet. Answers what was found. */
  async compareFolded(history: HistoryDocument, control: WorkControl): Promise<readonly string[]> {
    const findings: string[] = [];
    for (const { identity, own } of await this.#withReplaced(history)) {
      if (this.#compared.has(sealedPieceName(identity))) continue;
      findings.push(...(await this.#check(identity, own, control)));
    }
    return findings;
  }

  /** What was replaced before now. */
  async removeReplaced(history: HistoryDocument, control: WorkControl): Promise<ReplacedRemoval> {
    const findings: string[] = [];
    let removedPieces = 0;
    for (const { identity, own } of await this.#withReplaced(history)) {
      const found = await this.#check(identity, own, control);
      findings.push(...found);
      if (found.length > 0) continue;
      for (const other of own) await this.#parts.objects.remove(sealedPieceName(other));
      removedPieces += own.length;
    }
    return { removedPieces, findings };
  }

  /** Folded pieces of which some are there that they took the place of, with these. */
  async #withReplaced({ behind }: HistoryDocument): Promise<FoldedWithOwn[]> {
    const { inForce, replaced } = await foundPieces(this.#parts.objects, this.#parts.group);
    return inForce.flatMap((identity) => {
      const { folded, firstSeq } = identity;
      if (folded === undefined || folded.lastSeq <= (behind?.lastSeq ?? 0)) return [];
      const own = replaced.filter((other) => other.firstSeq >= firstSeq && other.firstSeq <= folded.lastSeq);
      return own.length === 0 ? [] : [{ identity, own }];
    });
  }

  /** Nothing: it is what it should be. Otherwise it has gone, or nobody can say, and nothing goes. */
  async #check(
    identity: SealedPieceIdentity,
    own: readonly SealedPieceIdentity[],
    control: WorkControl,
  ): Promise<string[]> {
    const name = sealedPieceName(identity);
    const found = await this.#compare(identity, own, control);
    if (found.kind === "same") return [];
    if (found.kind === "hidden")
      return [`${name} cannot be compared with what it was made of, which stays: ${found.finding}`];
    await this.#parts.objects.remove(name);
    this.#hopeless.add(identity.firstSeq);
    return [`${name} is removed, and what it was made of counts again: ${found.finding}`];
  }

  async #compare(
    identity: SealedPieceIdentity,
    own: readonly SealedPieceIdentity[],
    control: WorkControl,
  ): Promise<Comparison> {
    control.throwIfCancelled();
    const folded = await SealedPiece.open(this.#parts.objects, identity, this.#parts.key);
    const direct = piecesOf(folded, own);
    // Where some of them are gone it was compared with all of them before the first one went.
    const found = direct === undefined ? same : await this.#compareWith(folded, direct, own, control);
    if (found.kind === "same") this.#compared.set(folded.name, folded.hash);
    return found;
  }

  async #compareWith(
    folded: SealedPiece,
    direct: readonly SealedPieceIdentity[],
    own: readonly SealedPieceIdentity[],
    control: WorkControl,
  ): Promise<Comparison> {
    // What was folded once more goes with what it was made of, and so has to be that too.
    for (const other of direct) {
      const inner = this.#compared.has(sealedPieceName(other)) ? [] : own.filter((one) => isWithin(one, other));
      const found = inner.length === 0 ? same : await this.#compare(other, inner, control);
      if (found.kind !== "same") return found;
    }
    const { objects, key } = this.#parts;
    try {
      const pieces: SealedPiece[] = [];
      for (const other of direct) pieces.push(await SealedPiece.open(objects, other, key));
      const finding = await foldFinding(folded, pieces, control);
      return finding === undefined ? same : { kind: "other", finding };
    } catch (error) {
      const isOfAnother = error instanceof ObjectDamageError && error.objectName !== folded.name;
      if (!isOfAnother) throw error;
      // It is all that there is of what is damaged, so it has to be sound itself.
      await folded.verify();
      const wasSame = this.#compared.get(folded.name)?.equals(folded.hash) === true;
      return wasSame ? same : { kind: "hidden", finding: error.message };
    }
  }
}

const same: Comparison = { kind: "same" };

/** Those that it was made of. Undefined: some of them are gone. */
function piecesOf(
  { folding }: SealedPiece,
  own: readonly SealedPieceIdentity[],
): readonly SealedPieceIdentity[] | undefined {
  const nameOf = (firstSeq: number, generation: number): string => `${firstSeq} ${generation}`;
  const names = new Map(own.map((other) => [nameOf(other.firstSeq, other.folded?.generation ?? 0), other]));
  const pieces: SealedPieceIdentity[] = [];
  for (const { firstSeq, generation } of folding?.replaced ?? []) {
    const piece = names.get(nameOf(firstSeq, generation));
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  return pieces;
}

/** Whether the other one took its place. */
function isWithin(piece: SealedPieceIdentity, { firstSeq, folded }: SealedPieceIdentity): boolean {
  const isLower = folded !== undefined && (piece.folded?.generation ?? 0) < folded.generation;
  return isLower && piece.firstSeq >= firstSeq && piece.firstSeq <= folded.lastSeq;
}

function ruleOf({ level }: PlannedFold, { policy, time, pointSeqs }: AgeingMoment): FoldRule {
  return {
    level,
    keepsPoint: (seq) => pointSeqs.has(seq),
    keepsMark: (mark) => {
      const { quiescedMicros, otherMicros } = policy.marks;
      const keptMicros = isQuiesced(mark) ? quiescedMicros : otherMicros;
      return time.alarm !== undefined || time.micros - mark.timeMicros < keptMicros;
    },
  };
}

/** Applications were at rest. */
function isQuiesced({ extra }: JournalRecord): boolean {
  return decodeExtra(extra)?.quiesced === true;
}
