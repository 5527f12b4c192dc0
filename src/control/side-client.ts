/**
 * A side as the control plane sees it from the main thread. Nothing here waits for ever: a side that is held up by a disk
 * is waited for with patience, and until then what it last told of itself is what there is to show.
 */
import { RetryError } from "#src/core/errors.ts";
import { sideAsksMax, sideFactsEveryMs, sidePatienceMs } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { noFacts, type SideAnswer, type SideFacts, type SideName, type SideWord, type SideWords } from "./side.ts";
import type { AskStanding, CallAnswer, SideCall } from "./side-caller.ts";
import { errorOf, toldError } from "./side-error.ts";

export const endlessly = Number.POSITIVE_INFINITY;

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer | undefined;
}

export interface KnownFacts {
  readonly facts: SideFacts;
  /** For how long it has owed an answer; 0 unless it is longer than usual. */
  readonly silentSeconds: number;
  /** Since the facts came; `Infinity` where none have come. */
  readonly ageSeconds: number;
}

export class SideClient {
  readonly name: SideName;
  readonly #line: MessageLine;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  /** Who answers what the side asks: until that is known its questions wait. */
  readonly #answerer = Promise.withResolvers<AskStanding>();
  #lastId = 0;
  #facts: SideFacts = noFacts;
  #factsCameAtMs = Number.NEGATIVE_INFINITY;
  /** Asked for and not answered, since then. */
  #factsAskedAtMs: number | undefined;
  #factsUnderWay: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** It was stopped: nothing is left there that would answer. */
  readonly #end = Promise.withResolvers<void>();
  #hasEnded = false;
  /** Who waits for facts. Not by `ended`: a promise keeps whoever has ever waited for it until it is settled. */
  readonly #waiting = new Set<() => void>();

  constructor(name: SideName, line: MessageLine, clock: Clock) {
    this.name = name;
    this.#line = line;
    this.#clock = clock;
    line.receive((message) => {
      const word = message as SideAnswer | SideCall;
      if ("call" in word) void this.#called(word);
      else this.#answered(word);
    });
  }

  /** Rejects with a `RetryError` if there is no answer in time: it may still be done. */
  ask<Word extends SideWord>(
    word: Word,
    ask: SideWords[Word]["ask"],
    patienceMs: number = sidePatienceMs,
  ): Promise<SideWords[Word]["answer"]> {
    if (this.#hasEnded) return Promise.reject(this.#endedError());
    // To end it there is always room: whoever asks too much may not keep the program from it.
    if (this.#pending.size >= sideAsksMax && word !== "stop") {
      return Promise.reject(new RetryError(`the ${this.name} side has ${sideAsksMax} questions to answer already`));
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(patienceMs)
        ? this.#clock.timer(patienceMs, () => this.#late(id, word, patienceMs))
        : undefined;
      const answered = (answer: unknown): void => {
        if (word === "stop") this.#stopped();
        (resolve as Pending["resolve"])(answer);
      };
      this.#pending.set(id, { resolve: answered, reject, timer });
      this.#line.send({ id, word, ask });
    });
  }

  /** Resolves when it was stopped. What was asked without a limit stays open: the next start goes on with it. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  #stopped(): void {
    this.#hasEnded = true;
    this.#end.resolve();
    for (const enough of this.#waiting) enough();
    for (const [id, { timer, reject }] of this.#pending) {
      if (timer === undefined) continue;
      timer.cancel();
      this.#pending.delete(id);
      reject(this.#endedError());
    }
  }

  #endedError(): RetryError {
    return new RetryError(`the ${this.name} side has ended, and the program ends: ask again when it runs again`);
  }

  #late(id: number, word: SideWord, patienceMs: number): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    const seconds = Math.round(patienceMs / 1000);
    pending?.reject(
      new RetryError(
        `the ${this.name} side has not answered for ${seconds} s (${word}); it may be held up by a disk, and still do it`,
      ),
    );
  }

  answerCalls(answerer: AskStanding): void {
    this.#answerer.resolve(answerer);
  }

  async #called({ call, ask }: SideCall): Promise<void> {
    const answerer = await this.#answerer.promise;
    const answer: CallAnswer = await answerer(ask).then(
      (answer) => ({ call, answer }),
      (error) => ({ call, error: toldError(error) }),
    );
    this.#line.send(answer);
  }

  #answered(message: SideAnswer): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    pending.timer?.cancel();
    if ("error" in message) pending.reject(errorOf(message.error));
    else pending.resolve(message.answer);
  }

  /** Looks at once, and then again and again until `unwatch`, so that what is known is never old without being said. */
  watch(): void {
    this.#timer = this.#clock.timer(sideFactsEveryMs, () => this.watch());
    void this.refresh();
  }

  unwatch(): void {
    this.#timer?.cancel();
  }

  /** Resolves when the facts are new. One question at a time: whoever comes while it is asked shares its answer. */
  refresh(): Promise<void> {
    this.#factsUnderWay ??= this.#askForFacts().finally(() => {
      this.#factsUnderWay = undefined;
    });
    return this.#factsUnderWay;
  }

  async #askForFacts(): Promise<void> {
    this.#factsAskedAtMs = this.#clock.monotonicMs();
    try {
      this.#facts = await this.ask("facts", null, endlessly);
      this.#factsAskedAtMs = undefined;
      this.#factsCameAtMs = this.#clock.monotonicMs();
    } catch {
      // Shown by the silence.
    }
  }

  /** Waits for new facts, but not longer than that. */
  async freshFacts(patienceMs: number): Promise<KnownFacts> {
    if (this.#hasEnded) return this.known();
    const { promise: late, resolve: enough } = Promise.withResolvers<void>();
    const timer = this.#clock.timer(patienceMs, enough);
    this.#waiting.add(enough);
    await Promise.race([this.refresh(), late]);
    this.#waiting.delete(enough);
    timer.cancel();
    return this.known();
  }

  known(): KnownFacts {
    const asked = this.#factsAskedAtMs;
    const nowMs = this.#clock.monotonicMs();
    const silentMs = asked === undefined ? 0 : nowMs - asked;
    return {
      facts: this.#facts,
      silentSeconds: silentMs < sideFactsEveryMs ? 0 : silentMs / 1000,
      ageSeconds: (nowMs - this.#factsCameAtMs) / 1000,
    };
  }
}
