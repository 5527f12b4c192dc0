/**
 * The scrub of a store: reads everything once in a round, object by object in the order of names, so that what was checked
 * longest ago comes next; repairs what it can, and keeps what it has found until that is repaired or gone.
 *
 * For the process that keeps the store. `open` once, when the store is open: from then on nothing new points to what is known
 * to be damaged. `run` goes on where the last run ended, up to the end of the round; a round is due at `dueMicros`. It may run
 * beside sealing, and not beside a collection: what that lets the index forget, this would bring back. Whatever ends it in
 * the middle, the next run goes on; at most some objects are checked twice.
 *
 * Where damage is left when all that the store has was tried, the local appliances are asked for what their spools still have.
 *
 * I/O of a round: all bytes of the store, and the directories of segments and all pieces again where damage is found.
 * Memory: 16 MiB, and the notes, which have at most 1 MiB in the store.
 */
import {
  metDamageMax,
  scrubListCount,
  scrubNoteBytes,
  scrubNoteObjects,
  suspectPauseMs,
} from "#src/core/store-limits.ts";
import { AbsentObjectError, type ObjectName } from "#src/store/objects.ts";
import type { FinishedRound, ScrubRound } from "#src/store/scrub-document.ts";
import { isReadingHurt, isRemnant, type ScrubFinding } from "#src/store/scrub-finding.ts";
import { type Flaw, findingOf } from "#src/store/scrub-flaws.ts";
import { ScrubNotebook } from "#src/store/scrub-notebook.ts";
import { anyCopies } from "#src/store/second-copies.ts";
import { segmentObjectName, segmentOfObject } from "#src/store/segment-format.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { reachOf } from "./damage-reach.ts";
import { scrubDocuments } from "./document-scrub.ts";
import { findLostSnapshots } from "./lost-snapshots.ts";
import { ObjectScrubs, type StoreScrubParts } from "./object-scrubs.ts";
import { type LostWrite, LostWrites } from "./recalled-copies.ts";
import { ScrubRecall } from "./scrub-recall.ts";
import { sealedPieceOfName } from "./sealed-piece-format.ts";
import { groupOfSnapshot, snapshotReaches } from "./snapshot-reach.ts";

export interface ScrubState {
  /** Undefined: none is under way. */
  readonly round: ScrubRound | undefined;
  /** Undefined: none was finished yet. */
  readonly last: FinishedRound | undefined;
  readonly findings: readonly ScrubFinding[];
  /** There are so many more. */
  readonly unlistedCount: number;
  /** Known to be unreadable, those that were damaged when they were sealed included. */
  readonly damagedBlocks: number;
  /** Since the start of this process. */
  readonly checkedBytes: number;
  readonly repairedCount: number;
  /** Blocks of these that came from spools; and what of which object that was, in words, in the last run. */
  readonly recalledCount: number;
  readonly repairs: readonly string[];
  /** Found damaged that was not known to be, and not repaired at once. */
  readonly flawCount?: number;
  /** Kept blocks that the index did not know, and does again. */
  readonly reindexedCount: number;
}

export interface ScrubWish {
  /** From the first object on, wherever the last run has ended. */
  readonly isAnew: boolean;
  /** By this such a wish is known when it is told again after an interruption: then it goes on where it was. */
  readonly askedMicros?: number | undefined;
}

export class StoreScrub {
  readonly #parts: StoreScrubParts;
  readonly #notebook: ScrubNotebook;
  readonly #scrubs: ObjectScrubs;
  readonly #recall: ScrubRecall;
  #checkedBytes = 0;
  #repairedCount = 0;
  #flawCount = 0;
  #unnotedBytes = 0;
  #unnotedCount = 0;
  /** Segments in which a read has met damage, which are checked before others, and from when on. */
  readonly #suspects = new Map<number, number>();

  private constructor(parts: StoreScrubParts, notebook: ScrubNotebook) {
    this.#parts = parts;
    this.#notebook = notebook;
    this.#recall = new ScrubRecall(parts, (object, control) => this.#checkOne(object, control));
    const copies = anyCopies([parts.copies, this.#recall.copies]);
    this.#scrubs = new ObjectScrubs({ ...parts, copies }, notebook);
  }

  static async open(parts: StoreScrubParts): Promise<StoreScrub> {
    const scrub = new StoreScrub(parts, await ScrubNotebook.open(parts.objects, parts.log));
    for (const { object } of scrub.#notebook.notes.findings) scrub.#scrubs.noteDamage(object);
    return scrub;
  }

  get state(): ScrubState {
    const { round, last, findings, unlistedCount } = this.#notebook.notes;
    const { reindexedCount } = this.#scrubs;
    const figures = {
      ...{ checkedBytes: this.#checkedBytes, repairedCount: this.#repairedCount },
      ...{ recalledCount: this.#recall.blockCount, repairs: this.#recall.repairs },
      ...{ flawCount: this.#flawCount, reindexedCount },
    };
    const { blockCount: damagedBlocks } = this.#parts.store.damaged;
    return { round, last, findings, unlistedCount, damagedBlocks, ...figures };
  }

  /** When there is something to do, if all is to be checked once in such a period. */
  dueMicros(periodMicros: number): number {
    const { round, last } = this.#notebook.notes;
    if (round !== undefined || last === undefined) return 0;
    return last.begunMicros + periodMicros;
  }

  /** Rejects as `control` says, or with a `RetryError`. */
  async run(control: WorkControl, { isAnew, askedMicros }: ScrubWish): Promise<ScrubState> {
    this.#recall.beginRun();
    const { round } = this.#notebook.notes;
    const isSame = askedMicros !== undefined && round?.askedMicros === askedMicros;
    if (round === undefined || (isAnew && !isSame)) this.#beginRound(askedMicros);
    try {
      await scrubDocuments(this.#parts, this.#notebook, control);
      await this.#checkAll(control);
      await this.#checkAgain(control);
      await this.#scrubs.judgeStrays(control);
      await this.#scrubs.checkHeads();
      await this.#checkSnapshots();
      await this.#trace(control);
      await this.#traceSnapshots(control);
      this.#endRound();
    } finally {
      await this.#note();
    }
    return this.state;
  }

  /** Somebody has met damage there. */
  suspect(segment: number): void {
    if (this.#suspects.size < metDamageMax) this.#suspects.set(segment, 0);
  }

  /** Blocks of it were damaged when it was sealed. */
  sealedDamaged(segment: number, group: string): void {
    this.#recall.sealed(segment, group);
  }

  get hasSuspects(): boolean {
    return this.#dueSuspects().length > 0 || this.#recall.isDue;
  }

  #dueSuspects(): number[] {
    if (this.#suspects.size === 0) return [];
    const nowMs = this.#parts.clock.monotonicMs();
    return [...this.#suspects].filter(([, dueMs]) => dueMs <= nowMs).map(([segment]) => segment);
  }

  /** Only those in which somebody has met damage, or sealing has. As `run`, not beside one. */
  async checkSuspects(control: WorkControl): Promise<void> {
    try {
      await this.#checkSuspects(control);
      await this.#trace(control);
    } finally {
      await this.#note();
    }
  }

  async #checkSuspects(control: WorkControl): Promise<void> {
    await this.#recall.checkSealed(control);
    for (const segment of this.#dueSuspects()) {
      control.throwIfCancelled();
      // Where it cannot be checked just now it is not forgotten, and keeps nothing else waiting.
      const againMs = this.#parts.clock.monotonicMs() + suspectPauseMs;
      this.#suspects.set(segment, againMs);
      const generation = this.#parts.store.segments.generationOf(segment);
      if (generation !== undefined) await this.#checkOne(segmentObjectName({ segment, generation }), control);
      // Another read may have met something meanwhile.
      if (this.#suspects.get(segment) === againMs) this.#suspects.delete(segment);
    }
  }

  #beginRound(askedMicros: number | undefined): void {
    const number = (this.#notebook.notes.last?.number ?? 0) + 1;
    const round = { number, begunMicros: this.#nowMicros(), position: "", objectCount: 0, checkedBytes: 0 };
    const asked = askedMicros === undefined ? {} : { askedMicros };
    this.#notebook.change({ round: { ...round, repairedCount: 0, ...asked } });
    this.#notebook.forgetUnlisted();
  }

  #endRound(): void {
    const { round } = this.#notebook.notes;
    if (round === undefined) return;
    const { position: _, askedMicros: __, ...facts } = round;
    this.#notebook.change({ last: { ...facts, endedMicros: this.#nowMicros() } });
    this.#notebook.endRound();
  }

  #nowMicros(): number {
    return Math.round(this.#parts.clock.wallMs() * 1000);
  }

  async #checkAll(control: WorkControl): Promise<void> {
    for (;;) {
      const names = await this.#namesBehind(this.#notebook.notes.round?.position ?? "");
      if (names.length === 0) return;
      for (const { name, sizeBytes } of names) {
        this.#tell(control);
        await this.#checkSuspects(control);
        await this.#checkOne(name, control);
        await this.#advance(name, sizeBytes);
      }
    }
  }

  #tell(control: WorkControl): void {
    const { round } = this.#notebook.notes;
    const what = `checks all objects, the ${round?.number ?? 1}. time`;
    control.progress({ done: round?.objectCount ?? 0, total: 0, unit: "objects", what });
  }

  async #namesBehind(position: string): Promise<{ name: ObjectName; sizeBytes: number }[]> {
    const names: { name: ObjectName; sizeBytes: number }[] = [];
    for await (const info of this.#parts.objects.list("")) {
      if (info.name > position) names.push(info);
      if (names.length === scrubListCount) break;
    }
    return names;
  }

  async #advance(name: ObjectName, sizeBytes: number): Promise<void> {
    const { round } = this.#notebook.notes;
    this.#checkedBytes += sizeBytes;
    this.#unnotedBytes += sizeBytes;
    this.#unnotedCount++;
    if (round === undefined) return;
    const { objectCount, checkedBytes } = round;
    const counted = { objectCount: objectCount + 1, checkedBytes: checkedBytes + sizeBytes };
    this.#notebook.change({ round: { ...round, position: name, ...counted } });
    if (this.#unnotedBytes >= scrubNoteBytes || this.#unnotedCount >= scrubNoteObjects) await this.#note();
  }

  async #note(): Promise<void> {
    this.#unnotedBytes = 0;
    this.#unnotedCount = 0;
    await this.#notebook.save();
  }

  /** Answers whether something was repaired. */
  async #checkOne(name: ObjectName, control: WorkControl): Promise<boolean> {
    try {
      const { flaws, repairedCount } = await this.#scrubs.scrub(name, control);
      this.#countRepairs(repairedCount);
      this.#found(name, flaws);
      return repairedCount > 0;
    } catch (error) {
      if (!(error instanceof AbsentObjectError)) throw error;
      // Collected meanwhile, or another generation has taken its place.
      this.#found(name, []);
      return false;
    }
  }

  #countRepairs(count: number): void {
    const { round } = this.#notebook.notes;
    this.#repairedCount += count;
    if (round !== undefined && count > 0) {
      this.#notebook.change({ round: { ...round, repairedCount: round.repairedCount + count } });
    }
  }

  #found(object: ObjectName, flaws: readonly Flaw[]): void {
    const foundMicros = this.#nowMicros();
    const findings = flaws.map((flaw) => findingOf(object, flaw, foundMicros));
    const before = this.#notebook.findingsOf(object);
    for (const { thing, finding } of findings) {
      if (before.some((one) => one.thing === thing)) continue;
      this.#flawCount++;
      this.#parts.log.error("the store is damaged", { object, thing, finding });
    }
    this.#notebook.found(object, findings);
    this.#scrubs.noteDamage(object);
  }

  /** What was damaged, with what the others have that were checked since; and what is not there any more. */
  async #checkAgain(control: WorkControl): Promise<void> {
    const objects = new Set(this.#notebook.notes.findings.map(({ object }) => object));
    for (const object of objects) {
      const isObject = segmentOfObject(object) !== undefined || sealedPieceOfName(object) !== undefined;
      if (isObject) await this.#checkOne(object, control);
      else if (!object.endsWith(".json") && !(await this.#scrubs.isStillThere(object))) this.#found(object, []);
    }
  }

  async #checkSnapshots(): Promise<void> {
    const { snapshots } = this.#parts;
    if (snapshots !== undefined) await findLostSnapshots(snapshots, this.#notebook, this.#nowMicros());
  }

  async #traceSnapshots(control: WorkControl): Promise<void> {
    const { snapshots } = this.#parts;
    if (snapshots === undefined) return;
    const { findings } = this.#notebook.notes;
    const groups = new Set(findings.map(({ object }) => groupOfSnapshot(object)));
    for (const group of groups) {
      if (group === undefined) continue;
      const reachOfObject = await snapshotReaches(snapshots, group, control);
      for (const finding of findings) {
        if (groupOfSnapshot(finding.object) !== group) continue;
        const { affected, isCut, seqs } = reachOfObject(finding.object);
        this.#notebook.reached(finding, affected, isCut, seqs);
      }
    }
  }

  /** What can be had from spools is repaired; of the rest it is told whom it hurts. */
  async #trace(control: WorkControl): Promise<void> {
    const { writes, objects } = await this.#traceOnce(control);
    if (await this.#recall.repair(writes, objects, control)) await this.#traceOnce(control);
  }

  /** Whom it hurts, for all damage of which that can be said. Answers which records wrote what is lost. */
  async #traceOnce(control: WorkControl): Promise<{ writes: LostWrite[]; objects: ObjectName[] }> {
    const traced = this.#notebook.notes.findings.filter((finding) => {
      const isOfSegment = segmentOfObject(finding.object) !== undefined;
      // Of a remnant all is known for ever; later it could not be found out again, once what was behind it has expired.
      return isOfSegment && finding.slots.length > 0 && isReadingHurt(finding) && !isRemnant(finding);
    });
    if (traced.length === 0) return { writes: [], objects: [] };
    const { objects, key, store, live, snapshots } = this.#parts;
    const damages = traced.map(({ object, slots }) => ({ segment: segmentOfObject(object)?.segment ?? 0, slots }));
    const lost = new LostWrites();
    const parts = { objects, key, segments: store.segments, live, snapshots, wrote: lost.add };
    const reaches = await reachOf(parts, damages, control);
    for (const [index, finding] of traced.entries()) {
      const reach = reaches[index];
      if (reach !== undefined) this.#notebook.reached(finding, reach.affected, reach.isCut);
    }
    return { writes: lost.list, objects: objectsOf(traced) };
  }
}

/** Those of which only forwards are damaged come last: what these lead to may be repaired by then. */
function objectsOf(findings: readonly ScrubFinding[]): ObjectName[] {
  const first = findings.filter(({ thing }) => thing !== "forwards");
  return [...new Set([...first, ...findings].map(({ object }) => object))];
}
