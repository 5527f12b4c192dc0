/**
 * The history of one group in the store, as the process that writes the store has it: snapshots are made and removed, points are
 * pinned, and what is to be kept no longer goes. One of these per group, for as long as the process lives; what is asked of it
 * is done one after the other.
 *
 * What the keeper calls:
 * - `snapshots()`, `newestSeq()`: what there is, for `snapshot ls` and status;
 * - `makeSnapshot(seq, control, isAsked)`: durable when it resolves; the same seq again answers the one that is there. One that
 *   somebody has asked for hurries, and is a point for as long as it is there. Pins do not wait for it;
 * - `removeSnapshot(seq)`: it is a point no more; its object goes with the next `retain`, once nobody points into it;
 * - `pin(pin)`, `unpin(id)`: durable when they resolve;
 * - `planRetention(wish)`: what would go, and why; changes nothing;
 * - `retain(wish, control)`: lets it go, in an order in which no crash loses a point that is kept: what was folded is compared with
 *   what it was made of, the base is durable, then the document says from where on the history is kept, then pieces go from the
 *   oldest on, then snapshots' objects. May be interrupted anywhere; the next one goes on. Blocks are for collection afterwards
 *   (`live-history.ts`).
 * - `age(policy, control)`: pieces that are old enough are folded into fewer points (`group-ageing.ts`);
 * - `foldLevels(marks, control)`: those that were written at a coarse level alone.
 *
 * Errors: a `RefuseError` for what cannot be, a `RetryError`, a `CancelledError` of the control, a `StopError` where something
 * is damaged.
 */
import { RefuseError } from "#src/core/errors.ts";
import { historyAskedMax, historyWithdrawnMax } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { ObjectDamageError } from "#src/store/object-damage.ts";
import { noReserve, type SpaceReserve } from "#src/store/space-reserve.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type AgeingPlan, type AgeingPolicy, holdsBehind } from "./ageing-plan.ts";
import { type AgeingMoment, GroupAgeing, type PlannedAgeing, type ReplacedRemoval } from "./group-ageing.ts";
import { GroupPieces } from "./group-pieces.ts";
import { GroupSnapshots } from "./group-snapshots.ts";
import {
  changeHistory,
  type FoundHistory,
  type HistoryDocument,
  type HistoryPin,
  readHistory,
} from "./history-document.ts";
import { checkToldOf, isKept, pointsByThemselves } from "./kept-snapshots.ts";
import type { LevelMeasure } from "./reach-forecast.ts";
import { type RetentionPlan, type RetentionWish, retentionPlan, type SnapshotPlace } from "./retention-plan.ts";
import { Snapshot } from "./snapshot.ts";
import type { SnapshotStoreParts } from "./snapshot-builder.ts";
import { thinnedSnapshots } from "./snapshot-thinning.ts";
import { type ClockReading, TrustedClock } from "./trusted-time.ts";

export interface FoldOutcome {
  /** What was left to do. */
  readonly plan: AgeingPlan;
  readonly foldedPieces: number;
  /** Of them. */
  readonly madePieces: number;
}

export interface AgeingOutcome extends FoldOutcome, ReplacedRemoval {}

export interface GroupHistoryParts extends SnapshotStoreParts {
  readonly clock: Clock;
  /** For the base that makes room. */
  readonly reserve?: SpaceReserve;
}

const nothingRemoved: ReplacedRemoval = { removedPieces: 0, findings: [] };

export class GroupHistory {
  readonly #parts: GroupHistoryParts;
  readonly #trusted = new TrustedClock();
  readonly #pieces: GroupPieces;
  readonly #snapshots: GroupSnapshots;
  readonly #ageing: GroupAgeing;
  /** Of what was folded, since `age` last told of it. */
  #removed = nothingRemoved;
  /** What is under way, with all that was asked for before. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The same of what adds and removes objects. It takes its turn among the others where it looks at the document or changes it. */
  #objectsTurn: Promise<unknown> = Promise.resolve();

  constructor(parts: GroupHistoryParts) {
    this.#parts = parts;
    this.#pieces = new GroupPieces(parts);
    this.#snapshots = new GroupSnapshots(parts, this.#pieces);
    this.#ageing = new GroupAgeing(parts);
  }

  /** Those that are kept, in their order. One that is damaged is told as its error. */
  snapshots(): Promise<(Snapshot | ObjectDamageError)[]> {
    return this.#inTurn(async () => this.#snapshots.kept((await this.#history()).document));
  }

  /** Those that are kept, in their order; none of them is opened. */
  snapshotSeqs(): Promise<number[]> {
    return this.#inTurn(async () => await this.#snapshots.keptSeqs((await this.#history()).document));
  }

  /** Those of them that surely are no points any more: what lies around them was folded. */
  snapshotsWithoutPoint(): Promise<ReadonlySet<number>> {
    return this.#inTurn(async () => {
      const { document } = await this.#history();
      const found = new Set<number>();
      for (const seq of await this.#snapshots.keptSeqs(document)) {
        if ((await this.#snapshots.isPoint(document, seq)) === false) found.add(seq);
      }
      return found;
    });
  }

  /** The last record that is sealed; 0: none is. */
  newestSeq(): Promise<number> {
    return this.#inTurn(async () => (await this.#pieces.newest())?.lastSeq ?? 0);
  }

  history(): Promise<HistoryDocument> {
    return this.#inTurn(async () => (await this.#history()).document);
  }

  /** The newest record that is sealed. */
  newestRecord(): Promise<{ readonly seq: number; readonly timeMicros: number } | undefined> {
    return this.#inTurn(async () => {
      const newest = await this.#pieces.newest();
      return newest === undefined ? undefined : { seq: newest.lastSeq, timeMicros: newest.latestMicros };
    });
  }

  /** From where the history begins to the newest record that is sealed. */
  spanMicros(): Promise<number> {
    return this.#inTurn(async () => await this.#pieces.spanMicros((await this.#history()).document));
  }

  /** What is kept at each level. */
  levelMeasures(): Promise<readonly LevelMeasure[]> {
    return this.#inTurn(async () => await this.#ageing.measures((await this.#history()).document));
  }

  /** Undefined: there is none. */
  newestSnapshot(): Promise<Snapshot | undefined> {
    return this.#inTurn(async () => {
      const seq = (await this.#snapshots.keptSeqs((await this.#history()).document)).at(-1);
      return seq === undefined ? undefined : await this.#snapshots.open(seq);
    });
  }

  /** `isAsked`: somebody wants it, and waits for it. */
  makeSnapshot(seq: number, control: WorkControl, isAsked = false): Promise<Snapshot> {
    return this.#inObjectsTurn(async () => {
      const history = await this.#inTurn(async () => (await this.#history()).document);
      if (isAsked && !history.asked.includes(seq) && history.asked.length >= historyAskedMax) {
        throw new RefuseError(`${historyAskedMax} snapshots were asked for and are kept: remove some of them first`);
      }
      await this.#compareFolded(control);
      const nowMicros = this.#now().wallMicros;
      const snapshot = await this.#snapshots.make({ seq, history, control, nowMicros, isHurried: isAsked });
      await this.#inTurn(() => this.#keep(snapshot.seq, isAsked));
      return snapshot;
    });
  }

  async #keep(seq: number, isAsked: boolean): Promise<void> {
    const found = await this.#history();
    const { document } = found;
    if (isAsked && (await this.#snapshots.isPoint(document, seq)) === false) {
      throw new RefuseError(`${seq} is no point any more: what is kept of that time has fewer points`);
    }
    const isNewlyAsked = isAsked && !document.asked.includes(seq);
    if (!isNewlyAsked && !document.withdrawn.includes(seq)) return;
    const withdrawn = document.withdrawn.filter((one) => one !== seq);
    const asked = isNewlyAsked ? inOrder([...document.asked, seq]) : document.asked;
    await this.#change(found, { ...document, withdrawn, asked });
  }

  removeSnapshot(seq: number): Promise<void> {
    return this.#inTurn(async () => {
      const found = await this.#history();
      const { document } = found;
      const isThere = (await this.#snapshots.seqs()).includes(seq);
      if (!isThere || !isKept(document, seq)) throw new RefuseError(`there is no snapshot ${seq}`);
      if (seq === document.basedOn) {
        throw new RefuseError(`the history begins with snapshot ${seq}: it goes when the history is to begin later`);
      }
      const pin = document.pins.find((one) => one.keeps === "snapshot" && one.seq === seq);
      if (pin !== undefined) throw new RefuseError(`snapshot ${seq} is held by '${pin.id}': ${pin.reason}`);
      if (document.withdrawn.length >= historyWithdrawnMax) {
        throw new RefuseError(
          `${historyWithdrawnMax} snapshots that were removed are still there, for others point into them: 'tidemark collect' comes first`,
        );
      }
      const asked = document.asked.filter((one) => one !== seq);
      await this.#change(found, { ...document, asked, withdrawn: inOrder([...document.withdrawn, seq]) });
    });
  }

  /** Of a snapshot that is to be kept it has to be there, and be a point. Another pin of the same id is moved. */
  pin(pin: HistoryPin): Promise<void> {
    return this.#inTurn(async () => {
      const found = await this.#history();
      const { document } = found;
      if (!(await this.#canPin(document, pin)))
        throw new RefuseError(`there is no point ${pin.seq} that could be held`);
      const pins = [...document.pins.filter(({ id }) => id !== pin.id), pin];
      // On a full disk somebody may want to look at a point most of all.
      await this.#change(found, { ...document, pins }, this.#parts.reserve);
    });
  }

  async #canPin(document: HistoryDocument, { keeps, seq }: HistoryPin): Promise<boolean> {
    if (keeps === "history") return seq >= document.basedOn;
    if (!(await this.#snapshots.keptSeqs(document)).includes(seq)) return false;
    return (await this.#snapshots.isPoint(document, seq)) !== false;
  }

  /** Nothing happens where there is none. */
  unpin(id: string): Promise<void> {
    return this.#inTurn(async () => {
      const found = await this.#history();
      const pins = found.document.pins.filter((pin) => pin.id !== id);
      if (pins.length < found.document.pins.length) await this.#change(found, { ...found.document, pins });
    });
  }

  planRetention(wish: RetentionWish): Promise<RetentionPlan> {
    return this.#inTurn(async () => (await this.#plan(wish, (await this.#history()).document)).plan);
  }

  /** Answers what was planned, all of which is done then. */
  retain(wish: RetentionWish, control: WorkControl): Promise<RetentionPlan> {
    return this.#inObjectsTurn(async () => {
      // What takes the place of pieces that go has to be what they were.
      await this.#removeReplaced(control);
      return await this.#inTurn(() => this.#retain(wish, control));
    });
  }

  async #retain(wish: RetentionWish, control: WorkControl): Promise<RetentionPlan> {
    const found = await this.#history();
    const { plan, trustedMicros } = await this.#plan(wish, found.document);
    let document = { ...found.document, trustedMicros };
    if (plan.base !== undefined) {
      const nowMicros = this.#now().wallMicros;
      const order = { seq: plan.base.seq, history: found.document, control, nowMicros };
      const base = await this.#snapshots.make(order, this.#parts.reserve);
      document = {
        ...document,
        basedOn: base.seq,
        behind: (await this.#pieces.linkBefore(base.seq)) ?? document.behind,
      };
    }
    const there = await this.#snapshots.seqs();
    await checkToldOf(this.#parts.objects, there, document, this.#parts.group);
    // What the history begins with is needed again, even where it was removed as a point.
    const isWithdrawn = (seq: number): boolean => there.includes(seq) && seq !== document.basedOn;
    const isAsked = (seq: number): boolean => there.includes(seq) && seq >= document.basedOn;
    const { withdrawn, asked } = document;
    document = { ...document, withdrawn: withdrawn.filter(isWithdrawn), asked: asked.filter(isAsked) };
    const isSaid = !found.isOfCopy && JSON.stringify(document) === JSON.stringify(found.document);
    if (!isSaid) await this.#change(found, document, this.#parts.reserve);
    await this.#pieces.remove(plan, control);
    await this.#snapshots.removeUnneeded(document, there, control);
    return plan;
  }

  /** What `age` would fold first, and why not more; changes nothing. */
  planAgeing(policy: AgeingPolicy): Promise<PlannedAgeing> {
    return this.#inTurn(async () => await this.#ageing.plan(await this.#ageingMoment(policy)));
  }

  /** Folds what has come of age, as long as there is something. May be interrupted anywhere. */
  async age(policy: AgeingPolicy, control: WorkControl): Promise<AgeingOutcome> {
    await this.#inObjectsTurn(() => this.#removeReplaced(control));
    const outcome = await this.#foldAll(policy, control);
    await this.#inObjectsTurn(() => this.#inTurn(() => this.#thinSnapshots()));
    const removal = this.#removed;
    this.#removed = nothingRemoved;
    return { ...removal, ...outcome };
  }

  /** Folds what was written at a coarse level, as far as its intervals are over. What it was made of goes with the next `age`. */
  foldLevels(marks: AgeingPolicy["marks"], control: WorkControl): Promise<FoldOutcome> {
    return this.#foldAll({ steps: [], marks, isPatient: true }, control);
  }

  async #foldAll(policy: AgeingPolicy, control: WorkControl): Promise<FoldOutcome> {
    let [foldedPieces, madePieces] = [0, 0];
    for (;;) {
      control.throwIfCancelled();
      const what = "folds what has come of age";
      control.progress({ done: foldedPieces, total: 0, unit: "pieces", what });
      const { plan, folded } = await this.#inObjectsTurn(() => this.#foldNext(policy, control));
      if (plan.folds.length === 0) return { plan, foldedPieces, madePieces };
      foldedPieces += folded;
      madePieces += folded > 0 ? 1 : 0;
    }
  }

  async #removeReplaced(control: WorkControl): Promise<void> {
    const history = await this.#inTurn(async () => (await this.#history()).document);
    this.#note(await this.#ageing.removeReplaced(history, control));
  }

  /** Nothing is made of what was folded before it was compared. */
  async #compareFolded(control: WorkControl): Promise<void> {
    const history = await this.#inTurn(async () => (await this.#history()).document);
    this.#note({ removedPieces: 0, findings: await this.#ageing.compareFolded(history, control) });
  }

  #note({ removedPieces, findings }: ReplacedRemoval): void {
    const { removedPieces: before, findings: found } = this.#removed;
    // What cannot be compared is found again whenever somebody looks.
    const told = [...new Set([...found, ...findings])];
    this.#removed = { removedPieces: before + removedPieces, findings: told };
  }

  async #foldNext(policy: AgeingPolicy, control: WorkControl): Promise<{ plan: AgeingPlan; folded: number }> {
    const moment = await this.#inTurn(() => this.#ageingMoment(policy));
    const plan = await this.#ageing.plan(moment);
    const [next] = plan.folds;
    if (next === undefined) return { plan, folded: 0 };
    // A pin that comes meanwhile does not wait for the fold, which then comes to nothing.
    const publish = <Done>(finish: () => Promise<Done>): Promise<Done | undefined> =>
      this.#inTurn(async () => {
        const { document } = await this.#history();
        const isHeld = document.pins.some((pin) => holdsBehind(pin, next.lastSeq));
        const news = pointsByThemselves(document).filter((seq) => !moment.pointSeqs.has(seq));
        const isMissed = news.some((seq) => seq >= next.firstSeq && seq < next.lastSeq);
        return isHeld || isMissed ? undefined : await finish();
      });
    const isFolded = await this.#ageing.fold(next, { ...moment, publish }, control);
    if (isFolded) await this.#compareFolded(control);
    return { plan, folded: isFolded ? next.pieceCount : 0 };
  }

  async #ageingMoment(policy: AgeingPolicy): Promise<AgeingMoment> {
    const { document: history } = await this.#history();
    const now = this.#now();
    const time = this.#trusted.read(now, history.trustedMicros, await this.#pieces.newestMicros());
    return { policy, history, time, pointSeqs: new Set(pointsByThemselves(history)), nowMicros: now.wallMicros };
  }

  /** Of snapshots that nobody has asked for one is left for each piece that was folded: it makes its points open as soon. */
  async #thinSnapshots(): Promise<void> {
    const found = await this.#history();
    const { document } = found;
    const folded = await this.#pieces.folded();
    const gone = thinnedSnapshots(document, await this.#snapshots.keptSeqs(document), folded);
    if (gone.length === 0) return;
    await this.#change(found, { ...document, withdrawn: inOrder([...document.withdrawn, ...gone]) });
  }

  // What there is

  #history(): Promise<FoundHistory> {
    return readHistory(this.#parts.objects, this.#parts.group);
  }

  #change({ version }: FoundHistory, document: HistoryDocument, reserve = noReserve): Promise<void> {
    return changeHistory(this.#parts.objects, this.#parts.group, document, version, reserve);
  }

  #now(): ClockReading {
    const { clock } = this.#parts;
    return { wallMicros: Math.round(clock.wallMs() * 1000), monotonicMicros: Math.round(clock.monotonicMs() * 1000) };
  }

  async #plan(wish: RetentionWish, history: HistoryDocument) {
    const newest = await this.#pieces.newest();
    const time = this.#trusted.read(this.#now(), history.trustedMicros, await this.#pieces.newestMicros());
    const pieces = await this.#pieces.oldest(wish, time.micros, newest);
    const snapshots: SnapshotPlace[] = [];
    for (const snapshot of await this.#snapshots.kept(history)) {
      if (!(snapshot instanceof Snapshot)) continue;
      const { seq, numbers } = snapshot;
      const isPoint = (await this.#snapshots.isPoint(history, seq)) === true;
      snapshots.push({ seq, timeMicros: numbers.timeMicros, isPoint });
    }
    return { plan: retentionPlan({ time, wish, history, pieces, snapshots }), trustedMicros: time.micros };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  #inObjectsTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#objectsTurn.then(work);
    this.#objectsTurn = result.catch(() => {});
    return result;
  }
}

function inOrder(seqs: readonly number[]): number[] {
  return [...seqs].sort((a, b) => a - b);
}
