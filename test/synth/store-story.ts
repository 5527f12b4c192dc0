/**
 * The life of a store from one seed: blocks land in segments, segments and records are sealed, points are made, held and let
 * go, what nobody needs is collected beside all of that; the process dies at any of its calls, the machine loses its power,
 * the index is lost or an old one is put back. Whatever point is kept reads as it was, all the time.
 */
import { RefuseError } from "#src/core/errors.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder } from "#src/journals/sealed-piece-builder.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import { type PlainRecord, plainRecords, RandomUnits, type Unit } from "#test/journals/random-units.ts";
import { listOf, pieceGroup } from "#test/journals/sealed-pieces.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { SimProcess } from "#test/sim/sim-process.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ClosedBlocks, type ClosedSlot, none, sound } from "#test/store/closed-blocks.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { blockFindings, type LandedBlock, pointFindings } from "./story-checks.ts";
import { StoryIndex } from "./story-index.ts";
import { randomAgeing, StoryPoints } from "./story-points.ts";
import { indexFolder, type OpenedStore, OtherReader, openStoryStore } from "./story-store.ts";

/** Contents that come again and again; 0 is zeros. */
const commonCount = 60;

/** What happened. */
export interface StoryCounts {
  /** Ends of processes, in whatever way. */
  crashes: number;
  segments: number;
  pieces: number;
  collections: number;
  removed: number;
  rewritten: number;
  snapshots: number;
  /** Pieces that were made of others. */
  folds: number;
}

export class StoreStory {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly random: SeededRandom;
  readonly records: PlainRecord[] = [];
  readonly blocks = new Map<number, LandedBlock>();
  readonly #units: RandomUnits;
  /** Landed, in their order; those behind the newest piece wait to be sealed. */
  readonly #landed: Unit[] = [];
  readonly #slots = new Map<number, ClosedSlot[]>();
  /** Segments whose files are there. */
  readonly #withFiles = new Set<number>();
  readonly #sealed = new Set<number>();
  /** Up to there the store said to have the records. */
  #storedSeq = 0;
  /** No history was ever asked to begin later. */
  #askedFromSeq = 0;
  #process: SimProcess | undefined;
  #store: OpenedStore | undefined;
  #collecting: Promise<void> | undefined;
  /** Another process, which is told what is sealed, and nothing else. */
  #reader: OtherReader | undefined;
  readonly #index: StoryIndex;
  #failure: Error | undefined;
  #pinCount = 0;
  readonly counts: StoryCounts = {
    crashes: 0,
    segments: 0,
    pieces: 0,
    collections: 0,
    removed: 0,
    rewritten: 0,
    snapshots: 0,
    folds: 0,
  };
  readonly #points = new StoryPoints();

  constructor(seed: number) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("store");
    this.#index = new StoryIndex(this.host.files);
    this.random = this.simulation.random.fork("story");
    this.#units = new RandomUnits(this.simulation.random.fork("units"), 1, 1000);
    for (const folder of ["/data", indexFolder]) this.host.files.makeFolder(folder);
    const { root } = this.host.disk;
    for (const node of root.names.values()) if (node.kind === "folder") node.makeDurable(node.changeCount);
    root.makeDurable(root.changeCount);
  }

  async live(lifeCount: number): Promise<void> {
    for (let life = 0; life < lifeCount; life++) {
      if (!(await this.#start(this.random.integerBelow(this.random.pick([60, 400, 2_000]))))) continue;
      for (let step = this.random.between(10, 60); step > 0 && this.#isAlive; step--) await this.#step();
      if (this.#isAlive) this.#end();
      this.#index.losePerhaps(this.random);
    }
    await this.#start(Number.POSITIVE_INFINITY);
    await this.#collect();
    await this.#whileAlive(this.#collecting ?? Promise.resolve());
    await this.#check();
    this.#end();
    this.#index.clear();
    await this.#start(Number.POSITIVE_INFINITY);
    await this.#check();
    if (this.#failure !== undefined) throw this.#failure;
  }

  get #isAlive(): boolean {
    return this.#process?.isOver === false;
  }

  get #opened(): OpenedStore {
    return this.#store as OpenedStore;
  }

  /** Answers whether it got so far before its end. */
  async #start(callsBefore: number): Promise<boolean> {
    const cutsPower = this.random.chance(0.5);
    this.#process = new SimProcess(this.host, callsBefore, () => {
      this.counts.crashes++;
      if (cutsPower) this.host.cutPower();
    });
    const parts = {
      random: this.random,
      segmentsWithFiles: async () => this.#withFiles,
      graceMs: this.random.pick([0, 20]),
    };
    this.#store = undefined;
    this.#collecting = undefined;
    this.#store = await this.#whileAlive(openStoryStore(this.#process, parts));
    if (this.#store === undefined) return false;
    this.#reader = new OtherReader(this.host);
    await this.#whileAlive(this.#reader.open());
    const last = (await this.#whileAlive(this.#pieces()))?.at(-1);
    if (!this.#isAlive) return false;
    const lastSeq = last?.numbers.lastSeq ?? 0;
    if (lastSeq < this.#storedSeq) this.#fail(`records up to ${this.#storedSeq} were stored, and ${lastSeq} are left`);
    await this.#lookWhatIsLeft();
    await this.#check(2);
    return this.#isAlive;
  }

  #end(): void {
    this.#process?.end();
    this.#store = undefined;
    this.#collecting = undefined;
  }

  /** Lets time pass until it is done; undefined where the process has ended before. What fails while it lives, fails. */
  async #whileAlive<Result>(work: Promise<Result>): Promise<Result | undefined> {
    const process = this.#process;
    let outcome: { readonly result: Result | undefined } | undefined;
    work.then(
      (result) => {
        outcome = { result };
      },
      (error: Error) => {
        outcome = { result: undefined };
        if (process?.isOver === false && !(error instanceof RefuseError)) this.#failure ??= error;
      },
    );
    await promisesSettled();
    while (outcome === undefined && process?.isOver === false) {
      if (!this.simulation.clock.step()) throw new Error("nothing happens any more, and something is waited for");
      await promisesSettled();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return process?.isOver === false ? outcome?.result : undefined;
  }

  #fail(message: string): never {
    throw new Error(message);
  }

  async #step(): Promise<void> {
    const kind = this.random.integerBelow(100);
    if (kind < 20) this.#land(this.random.between(1, 8));
    else if (kind < 50) await this.#sealSegment();
    else if (kind < 67) await this.#sealPiece();
    else if (kind < 71) await this.#check(1);
    else if (kind < 80) await this.#changePoints();
    else if (kind < 87) await this.#age();
    else if (kind < 95) await this.#collect();
    else await this.#pass(this.random.integerBelow(50));
    if (this.random.chance(0.1)) this.#index.keep();
  }

  async #pass(durationMs: number): Promise<void> {
    let isOver = false;
    this.host.clock.timer(durationMs, () => {
      isOver = true;
    });
    while (!isOver && this.#isAlive && this.simulation.clock.step()) await promisesSettled();
    if (this.#failure !== undefined) throw this.#failure;
  }

  // What comes in

  #land(count: number): void {
    const units = this.#units.take(count);
    this.#landed.push(...units);
    const records = plainRecords(units);
    this.records.push(...records);
    for (const { address, blockCount, volume } of records) {
      for (let block = 0; address > 0 && block < blockCount; block++) this.#put(address + block, volume);
    }
  }

  #put(address: number, volume: number): void {
    const content = this.random.chance(0.4) ? this.random.integerBelow(commonCount) : commonCount + this.blocks.size;
    const segment = segmentOf(address);
    const slots = this.#slots.get(segment) ?? [];
    this.#slots.set(segment, slots);
    while (slots.length < slotOf(address)) slots.push(none);
    slots[slotOf(address)] = sound(content, volume);
    this.blocks.set(address, { content, volume });
    this.#withFiles.add(segment);
  }

  /** One that nothing lands in any more. Its files may stay a while. */
  async #sealSegment(): Promise<void> {
    const newest = Math.max(...this.#slots.keys());
    const closed = [...this.#withFiles].filter((segment) => segment < newest);
    if (closed.length === 0) return;
    const segment = this.random.chance(0.8) ? Math.min(...closed) : this.random.pick(closed);
    const source = new ClosedBlocks(segment, this.#slots.get(segment) ?? []);
    await this.#whileAlive(this.#opened.store.seal(source, { group: pieceGroup, level: 0 }));
    if (!this.#isAlive) return;
    this.counts.segments++;
    this.#reader?.sealed(segment);
    this.#sealed.add(segment);
    if (this.random.chance(0.8)) this.#withFiles.delete(segment);
  }

  #pieces(): Promise<SealedPiece[]> {
    return listOf(sealedPieces(this.#opened.objects, pieceGroup, undefined));
  }

  /** Of records all of whose blocks are sealed. */
  async #sealPiece(): Promise<void> {
    const previous = (await this.#whileAlive(this.#pieces()))?.at(-1)?.link;
    if (!this.#isAlive) return;
    const waiting = this.#landed.filter(({ records }) => (records.at(-1)?.seq ?? 0) > (previous?.lastSeq ?? 0));
    const end = waiting.findIndex(({ records }) => records.some((one) => !this.#isSealed(one)));
    const ready = waiting.slice(0, end < 0 ? waiting.length : end).slice(0, this.random.between(1, 12));
    const [first] = ready;
    if (first === undefined) return;
    const { objects } = this.#opened;
    const parts = { objects, randomness: this.random, key: undefined, group: pieceGroup, previous };
    await this.#whileAlive(this.#buildPiece(new SealedPieceBuilder(parts, first), ready));
    if (!this.#isAlive) return;
    this.counts.pieces++;
    this.#storedSeq = ready.at(-1)?.records.at(-1)?.seq ?? 0;
  }

  async #buildPiece(builder: SealedPieceBuilder, units: readonly Unit[]): Promise<void> {
    for (const unit of units) await builder.add(unit);
    await builder.finish(1);
  }

  #isSealed({ address, blockCount }: Pick<PlainRecord, "address" | "blockCount">): boolean {
    return (
      address === 0 || (this.#sealed.has(segmentOf(address)) && this.#sealed.has(segmentOf(address + blockCount - 1)))
    );
  }

  // Points

  async #changePoints(): Promise<void> {
    const { history } = this.#opened;
    const seqs = this.#pointSeqs(0);
    if (seqs.length === 0) return;
    const seq = this.random.pick(seqs);
    const kind = this.random.integerBelow(10);
    if (kind < 4) {
      const isAsked = this.random.chance(0.5);
      const made = await this.#whileAlive(history.makeSnapshot(seq, new FreeWork(), isAsked));
      if (made !== undefined) this.counts.snapshots++;
      if (made !== undefined && isAsked) this.#points.asked.add(made.seq);
    } else if (kind < 5) await this.#pin(seq);
    else if (kind < 7) {
      const id = `pin ${this.random.integerBelow(2)}`;
      this.#points.pinned.delete(id);
      await this.#whileAlive(history.unpin(id));
    } else if (kind < 8) {
      this.#points.asked.delete(seq);
      await this.#whileAlive(history.removeSnapshot(seq));
    } else if (await this.#otherWorkIsOver()) {
      const fromSeq = Math.max(seq, this.random.pick(seqs));
      this.#askedFromSeq = Math.max(this.#askedFromSeq, fromSeq);
      await this.#whileAlive(history.retain({ fromSeq }, new FreeWork()));
    }
  }

  async #pin(seq: number): Promise<void> {
    const keeps = this.random.pick(["snapshot", "history"] as const);
    const id = `pin ${this.#pinCount++ % 2}`;
    this.#points.pinned.delete(id);
    const held = keeps === "snapshot" ? [seq] : this.#pointSeqs(seq);
    const isSet = this.#opened.history.pin({ id, seq, keeps, reason: "a story" }).then(() => true);
    if ((await this.#whileAlive(isSet)) === true) this.#points.pinned.set(id, held);
  }

  /** Ends of what is sealed and applied as one, from some record on, as far as they were points at the last look. */
  #pointSeqs(fromSeq: number): number[] {
    const ends = this.#landed.map(({ records }) => records.at(-1)?.seq ?? 0);
    return ends.filter((seq) => seq >= fromSeq && seq <= this.#storedSeq && this.#points.isLeft(seq));
  }

  // Ageing

  async #age(): Promise<void> {
    if (!(await this.#otherWorkIsOver())) return;
    const outcome = await this.#whileAlive(this.#opened.history.age(randomAgeing(this.random), new FreeWork()));
    if (outcome === undefined) return;
    this.counts.folds += outcome.madePieces;
    for (const finding of outcome.findings) this.#fail(finding);
    await this.#lookWhatIsLeft();
    const document = await this.#whileAlive(this.#opened.history.history());
    if (document === undefined) return;
    for (const finding of this.#points.findings(this.records, document.basedOn, this.random)) this.#fail(finding);
  }

  /** What ages a history, or lets it begin later, is a long work as a collection is, of which there is one at a time. */
  async #otherWorkIsOver(): Promise<boolean> {
    await this.#whileAlive(this.#collecting ?? Promise.resolve());
    return this.#isAlive;
  }

  async #lookWhatIsLeft(): Promise<void> {
    const read = async () => {
      const pieces = await this.#pieces();
      const records = (await Promise.all(pieces.map((piece) => listOf(piece.records())))).flat();
      return { records, lastSeq: pieces.at(-1)?.numbers.lastSeq ?? 0 };
    };
    const found = await this.#whileAlive(read());
    if (found !== undefined) this.#points.found(found.records, found.lastSeq);
  }

  // Collection

  async #collect(): Promise<void> {
    if (this.#collecting !== undefined) return;
    const { collection } = this.#opened;
    const neededBytes = this.random.pick([0, 2 ** 20]);
    const begun = this.#collectBeside(collection, neededBytes);
    if (this.random.chance(0.5)) await this.#whileAlive(begun);
  }

  #collectBeside(collection: OpenedStore["collection"], neededBytes: number): Promise<void> {
    const process = this.#process;
    const work = async (): Promise<void> => {
      if (!collection.isBegun) await collection.plan({ neededBytes }, new FreeWork());
      // What is found out then need not hold any more when it is carried out.
      await new Promise<void>((resolve) => process?.clock.timer(this.random.integerBelow(100), resolve));
      const outcome = await collection.run(new FreeWork());
      this.counts.collections++;
      this.counts.removed += outcome?.removedSegments ?? 0;
      this.counts.rewritten += outcome?.rewrittenSegments ?? 0;
    };
    const done = work()
      .catch((error: Error) => {
        if (process?.isOver === false) this.#failure ??= error;
      })
      .finally(() => {
        if (this.#collecting === done) this.#collecting = undefined;
      });
    this.#collecting = done;
    return done;
  }

  // What must hold

  /** All points that are kept, or some of them; and that no block is ever anything but what it was. */
  async #check(countMax = Number.POSITIVE_INFINITY): Promise<void> {
    const { history } = this.#opened;
    const document = await this.#whileAlive(history.history());
    if (document === undefined) return;
    if (document.basedOn > this.#askedFromSeq)
      this.#fail(`the history begins with ${document.basedOn}, as nobody asked`);
    const seqs = this.#pointSeqs(Math.max(1, document.basedOn));
    const some = seqs.length <= countMax ? seqs : Array.from({ length: countMax }, () => this.random.pick(seqs));
    const snapshots = (await this.#whileAlive(history.snapshots())) ?? [];
    const pointless = (await this.#whileAlive(history.snapshotsWithoutPoint())) ?? new Set();
    const isPoint = (seq: number): boolean => !pointless.has(seq);
    const readers = [this.#opened.store.reader, this.#reader?.reader];
    for (const reader of readers) {
      if (reader === undefined || !this.#isAlive) return;
      for (const finding of (await this.#whileAlive(pointFindings(this, reader, some, snapshots, isPoint))) ?? [])
        this.#fail(finding);
      for (const finding of (await this.#whileAlive(blockFindings(this, reader))) ?? []) this.#fail(finding);
    }
  }
}
