/**
 * The process that keeps the store, as the remote side has it: started when there is something to do, watched while it does
 * it, ended where it hangs or does not know any more what is there, and started again for what is asked next.
 *
 * Invariant: each question is answered or rejected once, whatever becomes of the process.
 */
import { OverflowError, RetryError, StopError } from "#src/core/errors.ts";
import { keeperBeatMs, keeperFarewellMs } from "#src/core/store-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { CrashError, type Thread } from "#src/host/thread.ts";
import type { Recall } from "#src/journals/recalled-copies.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";
import { KeeperWatch } from "./keeper-watch.ts";
import type { NamesDoubt } from "./names-doubt.ts";
import { receivedError } from "./store-errors.ts";
import type { StoreState } from "./store-state.ts";
import type { StoreAnswer, StoreAsk, StoreBeat, StoreRecall, StoreWord, StoreWords } from "./store-words.ts";
import type { WorkNews } from "./store-work.ts";

export type StartKeeper = (isIndexSuspect: boolean) => Thread;

export interface KeeperProcessParts {
  readonly start: StartKeeper;
  readonly machine: { readonly clock: Clock; readonly log: Log };
  /** Whether what a new process finds can be relied on. */
  readonly doubt?: Pick<NamesDoubt, "assertNone" | "note"> | undefined;
  /** The disk of the store is full. */
  readonly lackedRoom?: (() => void) | undefined;
  /** Asks a local appliance for what the store has lost. Undefined: there is nobody to ask. */
  readonly recall?: Recall | undefined;
}

interface Pending {
  readonly word: StoreWord;
  readonly promise: Promise<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Answer<Word extends StoreWord> = Promise<StoreWords[Word]["answer"]>;

export class KeeperProcess {
  readonly #start: StartKeeper;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #doubt: Pick<NamesDoubt, "assertNone" | "note"> | undefined;
  readonly #lackedRoom: (() => void) | undefined;
  readonly #recall: Recall | undefined;
  readonly #watch = new KeeperWatch();
  readonly #pending = new Map<number, Pending>();
  #keeper: Thread | undefined;
  #lastId = 0;
  #isIndexSuspect = false;
  #work: WorkNews | undefined;
  #state: StoreState | undefined;
  /** It is to end when it has done what it was asked for: who asks now asks the next one. */
  #leaving: PromiseWithResolvers<void> | undefined;
  #look: Timer | undefined;
  #toldTrouble = false;
  #isStopped = false;

  constructor({ start, doubt, lackedRoom, recall, machine: { clock, log } }: KeeperProcessParts) {
    this.#lackedRoom = lackedRoom;
    this.#recall = recall;
    this.#start = start;
    this.#doubt = doubt;
    this.#clock = clock;
    this.#log = log;
  }

  /** Why nothing gets done, in words. */
  get trouble(): string | undefined {
    return this.#pending.size === 0 ? undefined : this.#watch.trouble(this.#clock.monotonicMs());
  }

  /** As it was told last. */
  get state(): StoreState | undefined {
    return this.#state;
  }

  /** Of the long work that is under way. */
  get work(): WorkNews | undefined {
    return this.#work;
  }

  /** Rejects with a `RetryError` where the process has ended, and the next one may be asked. */
  async ask<Word extends StoreWord>(word: Word, ask: StoreWords[Word]["ask"]): Answer<Word> {
    if (this.#isStopped) throw new RetryError("the store is closed");
    if (this.#leaving !== undefined) return this.#leaving.promise.then(() => this.ask(word, ask));
    this.#doubt?.assertNone();
    this.#keeper ??= this.#started();
    return this.#askOf(this.#keeper, word, ask);
  }

  #askOf<Word extends StoreWord>(keeper: Thread, word: Word, ask: StoreWords[Word]["ask"]): Answer<Word> {
    if (this.#pending.size === 0) this.#watch.began(this.#clock.monotonicMs());
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<StoreWords[Word]["answer"]>();
    this.#pending.set(id, { word, promise, resolve: resolve as Pending["resolve"], reject });
    keeper.send({ id, word, ask } satisfies StoreAsk);
    this.#lookLater(keeper);
    return promise;
  }

  #started(): Thread {
    const keeper = this.#start(this.#isIndexSuspect);
    this.#isIndexSuspect = false;
    keeper.receive((message) => this.#heard(keeper, message as StoreAnswer | StoreBeat | StoreRecall));
    void keeper.ended.then((error) => this.#ended(error));
    return keeper;
  }

  #heard(keeper: Thread, message: StoreAnswer | StoreBeat | StoreRecall): void {
    if ("recall" in message) return void this.#answerRecall(keeper, message.recall);
    const nowMs = this.#clock.monotonicMs();
    if ("beat" in message) {
      this.#watch.beat(nowMs, message.beat.steps);
      this.#work = message.beat.work;
      this.#state = message.beat.state ?? this.#state;
      return;
    }
    const pending = this.#pending.get(message.id);
    // Of one that has ended meanwhile.
    if (pending === undefined) return;
    this.#watch.answered(nowMs);
    this.#pending.delete(message.id);
    if (pending.word === "work") this.#work = undefined;
    if ("error" in message) {
      const error = receivedError(message.error);
      if (error instanceof OverflowError) this.#lackedRoom?.();
      if (error instanceof UnknownNamesError) void this.#doubt?.note(error.message);
      pending.reject(error);
      // It may not know any more what is there; the next one looks.
      if (error instanceof StopError && !isOfLooking(pending.word, error)) this.#leave(keeper);
    } else pending.resolve(message.answer);
    // What others have asked of it goes before.
    const isReady = this.#leaving !== undefined && this.#pending.size === 0 && pending.word !== "stop";
    if (isReady) void this.#endInOrder(keeper);
  }

  async #answerRecall(keeper: Thread, { id, group, wanted }: StoreRecall["recall"]): Promise<void> {
    const blocks = (await this.#recall?.(group, wanted)) ?? [];
    if (this.#keeper !== keeper) return;
    // One that ends meanwhile needs no answer.
    this.#askOf(keeper, "recalled", { id, blocks: blocks.map((block) => block ?? null) }).catch(() => {});
  }

  #leave(keeper: Thread): void {
    if (this.#leaving !== undefined) return;
    this.#leaving = Promise.withResolvers();
    // The next one goes on with it.
    if (this.#isAtWork) this.#askOf(keeper, "endWork", null).catch(() => {});
  }

  get #isAtWork(): boolean {
    return [...this.#pending.values()].some(({ word }) => word === "work");
  }

  async #endInOrder(keeper: Thread): Promise<void> {
    await this.#askOf(keeper, "stop", null).catch(() => {});
    keeper.end();
  }

  #lookLater(keeper: Thread): void {
    this.#look ??= this.#clock.timer(keeperBeatMs, () => {
      this.#look = undefined;
      if (this.#keeper === keeper && this.#pending.size > 0) this.#lookAt(keeper);
    });
  }

  #lookAt(keeper: Thread): void {
    const { trouble } = this;
    if (trouble !== undefined && !this.#toldTrouble) this.#log.warn(trouble);
    this.#toldTrouble = trouble !== undefined;
    if (this.#watch.shouldEnd(this.#clock.monotonicMs())) {
      this.#log.error("the process that keeps the store is ended, since it hangs", { trouble });
      this.#watch.ended();
      keeper.end();
    } else this.#lookLater(keeper);
  }

  /** What it was asked for and had not done is asked for again, of the next one. */
  #ended(error: Error | undefined): void {
    this.#keeper = undefined;
    this.#work = undefined;
    this.#toldTrouble = false;
    this.#isIndexSuspect = error instanceof CrashError;
    if (error !== undefined) this.#log.error("the process that keeps the store has ended", { error });
    const why = new RetryError(`the process that keeps the store has ended: ${error?.message ?? "it was told to"}`);
    for (const { reject } of this.#pending.values()) reject(why);
    this.#pending.clear();
    this.#leaving?.resolve();
    this.#leaving = undefined;
  }

  /** Somebody else has met a failed sync: what this process is told of its own proves nothing any more. */
  distrust(): void {
    this.#keeper?.end();
  }

  /** In good order, unless it is at work: what is being sealed is left as it is, and begun anew next time. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const keeper = this.#keeper;
    this.#look?.cancel();
    if (keeper === undefined) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.timer(keeperFarewellMs, resolve);
    await Promise.race([this.#farewell(keeper), late]);
    timer.cancel();
    keeper.end();
    await keeper.ended;
  }

  /** A long work may end first: the index is closed as it should be then. */
  async #farewell(keeper: Thread): Promise<void> {
    const isSealing = [...this.#pending.values()].some(({ word }) => word !== "work");
    if (isSealing || this.#leaving !== undefined) return;
    if (this.#isAtWork) {
      const work = [...this.#pending.values()].map(({ promise }) => promise);
      await Promise.allSettled([this.#askOf(keeper, "endWork", null), ...work]);
      if (this.#keeper !== keeper) return;
    }
    await this.#askOf(keeper, "stop", null).catch(() => {});
  }
}

/** What was found otherwise than it was asked says nothing against whoever looked. */
function isOfLooking(word: StoreWord, error: StopError): boolean {
  return word === "confirmRecords" && !(error instanceof UnknownNamesError);
}
