/**
 * What the process that keeps the store does with what it is asked: seals one after the other, in the order in which they were
 * asked for; beside that one long work at a time, which gives way, and what is done in a moment; and while it has something to do
 * it says so.
 *
 * Invariants: two long works never run at once, nor two seals; each group has at most one question here, so groups take
 * turns.
 */
import { assert, isOwnFault } from "#src/core/assert.ts";
import { keeperBeatMs, keeperLookMs } from "#src/core/store-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { LongWork } from "#src/store/long-work.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";
import { CancelledError, type WorkControl } from "#src/store/work-control.ts";
import { sentError } from "./store-errors.ts";
import type { StoreState } from "./store-state.ts";
import { type StoreActions, type StoreAnswer, type StoreAsk, type StoreBeat, wordsBeside } from "./store-words.ts";
import type { WorkKind, WorkRequest, WorkResult } from "./store-work.ts";

/** What is behind the desk once the store is open. */
export interface Keeper extends Omit<StoreActions, "work" | "endWork"> {
  /** Grows with what is done. */
  readonly steps: number;
  work(request: WorkRequest, control: WorkControl): Promise<WorkResult>;
  /** What it has to do by itself beside sealing. Undefined: nothing just now. */
  readonly state: StoreState;
  ownWork(): ((control: WorkControl) => Promise<void>) | undefined;
}

export interface KeeperDeskParts {
  readonly line: MessageLine;
  readonly clock: Clock;
  readonly open: () => Promise<Keeper>;
  /** What a long work of this kind may read and write in a second. */
  readonly bytesPerSecondMax: (kind: WorkKind) => number;
}

export class KeeperDesk {
  readonly #parts: KeeperDeskParts;
  #keeper: Promise<Keeper> | undefined;
  #steps = () => 0;
  #state = (): StoreState | undefined => undefined;
  /** The last that was asked for of what is done one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #askedCount = 0;
  #answeredCount = 0;
  /** What is neither sealed nor a long work: how much is under way, and was done. */
  #besideCount = 0;
  #besideDone = 0;
  #work: LongWork | undefined;
  #ownWork: { readonly work: LongWork; readonly done: Promise<void> } | undefined;
  #beat: Timer | undefined;
  #look: Timer | undefined;
  #isStopped = false;

  constructor(parts: KeeperDeskParts) {
    this.#parts = parts;
    parts.line.receive((message) => this.#take(message as StoreAsk));
  }

  #take(ask: StoreAsk): void {
    this.#beatWhileBusy();
    if (ask.word === "work") {
      const answered = this.#answer(ask, () => this.#doWork(ask.ask as WorkRequest));
      return void answered.then(() => this.#lookForOwnWork());
    }
    if (ask.word === "endWork") {
      this.#work?.cancel();
      return this.#parts.line.send({ id: ask.id, answer: null } satisfies StoreAnswer);
    }
    if (wordsBeside.has(ask.word)) {
      this.#besideCount++;
      const answered = this.#answer(ask, () => this.#act(ask));
      return void answered.then(() => {
        this.#besideCount--;
        this.#besideDone++;
      });
    }
    this.#askedCount++;
    this.#turn = this.#turn.then(async () => {
      await this.#answer(ask, () => this.#act(ask));
      this.#answeredCount++;
      await this.#lookForOwnWork();
    });
  }

  async #act({ word, ask }: StoreAsk): Promise<unknown> {
    if (word === "stop") return await this.#stop();
    assert(word !== "work" && word !== "endWork", "long works have their own way");
    return await ((await this.#opened())[word] as (ask: unknown) => Promise<unknown>)(ask);
  }

  /**
   * After an opening that failed the next one tries again; but not where a folder could not be synced: it would be synced once more,
   * and believed.
   */
  #opened(): Promise<Keeper> {
    this.#keeper ??= this.#open().catch((error) => {
      if (!(error instanceof UnknownNamesError)) this.#keeper = undefined;
      throw error;
    });
    return this.#keeper;
  }

  async #open(): Promise<Keeper> {
    const keeper = await this.#parts.open();
    this.#steps = () => keeper.steps;
    this.#state = () => keeper.state;
    return keeper;
  }

  async #doWork(request: WorkRequest): Promise<WorkResult> {
    assert(this.#work === undefined, "one long work is asked for at a time");
    const work = this.#longWork(request.kind);
    this.#work = work;
    try {
      const keeper = await this.#opened();
      await this.#ownWork?.done;
      work.throwIfCancelled();
      return await keeper.work(request, work);
    } finally {
      this.#work = undefined;
      this.#tell();
    }
  }

  #longWork(kind: WorkKind): LongWork {
    const { clock, bytesPerSecondMax } = this.#parts;
    const isOtherHurried = () => this.#askedCount > this.#answeredCount;
    return new LongWork({ clock, bytesPerSecondMax: bytesPerSecondMax(kind), isOtherHurried });
  }

  /** Something is done, and something else may be due; or comes to be due while nobody asks for anything. */
  async #lookForOwnWork(): Promise<void> {
    if (this.#isStopped) return;
    this.#look?.cancel();
    this.#look = this.#parts.clock.timer(keeperLookMs, () => void this.#beginOwnWork());
    await this.#beginOwnWork();
  }

  async #beginOwnWork(): Promise<void> {
    const keeper = await this.#keeper?.catch(() => undefined);
    if (this.#isStopped || this.#work !== undefined || this.#ownWork !== undefined) return;
    const own = keeper?.ownWork();
    if (own === undefined) return;
    const work = this.#longWork("index");
    const done = own(work)
      .catch((error) => {
        if (!(error instanceof CancelledError)) throw error;
      })
      .finally(() => {
        this.#ownWork = undefined;
        this.#tell();
        void this.#lookForOwnWork();
      });
    this.#ownWork = { work, done };
    this.#beatWhileBusy();
  }

  async #stop(): Promise<null> {
    this.#isStopped = true;
    this.#look?.cancel();
    this.#ownWork?.work.cancel();
    await this.#ownWork?.done;
    const keeper = await this.#keeper?.catch(() => undefined);
    await keeper?.stop(null);
    return null;
  }

  async #answer(ask: StoreAsk, act: () => Promise<unknown>): Promise<void> {
    this.#parts.line.send(await outcome(ask, act));
  }

  get #isBusy(): boolean {
    return (
      this.#askedCount > this.#answeredCount ||
      this.#besideCount > 0 ||
      this.#work !== undefined ||
      this.#ownWork !== undefined
    );
  }

  #beatWhileBusy(): void {
    this.#beat ??= this.#parts.clock.timer(keeperBeatMs, () => {
      this.#beat = undefined;
      if (!this.#isBusy) return;
      this.#tell();
      this.#beatWhileBusy();
    });
  }

  #tell(): void {
    const work = this.#work ?? this.#ownWork?.work;
    const isSealing = this.#askedCount > this.#answeredCount;
    const steps = this.#answeredCount + this.#besideDone + this.#steps() + (isSealing ? 0 : (work?.paceCount ?? 0));
    const news = work === undefined ? undefined : { progress: work.latest, pacedBytes: work.pacedBytes };
    this.#parts.line.send({ beat: { steps, work: news, state: this.#state() } } satisfies StoreBeat);
  }
}

async function outcome(ask: StoreAsk, act: () => Promise<unknown>): Promise<StoreAnswer> {
  try {
    return { id: ask.id, answer: await act() };
  } catch (error) {
    // A fault of this program is no answer: the process ends with it, and another one begins.
    if (isOwnFault(error)) throw error;
    return { id: ask.id, error: sentError(error) };
  }
}
