/**
 * The process that serves views, as the remote side has it: begun when it is asked something, and again when it has ended. What
 * it had open is gone then, and opened anew by whoever keeps the views. One that answers nothing for long is ended.
 *
 * Invariant: each question is answered or rejected once, whatever becomes of the process.
 */
import { RetryError } from "#src/core/errors.ts";
import { viewSilenceMs } from "#src/core/view-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Thread } from "#src/host/thread.ts";
import { receivedError } from "./store-errors.ts";
import type { DamageNews, ViewAnswer, ViewWord, ViewWords } from "./view-words.ts";

export interface ViewProcessParts {
  readonly clock: Clock;
  readonly start: () => Thread;
  /** A read has met damage in this segment of the store. */
  readonly metDamage: (segment: number) => void;
  /** It has ended, and nobody had told it to. */
  readonly lost: (error: Error) => void;
}

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer | undefined;
}

export class ViewProcess {
  readonly #parts: ViewProcessParts;
  readonly #pending = new Map<number, Pending>();
  #process: Thread | undefined;
  #lastId = 0;
  #isStopped = false;
  /** Since when it owes an answer, and has said nothing at all. */
  #silentSinceMs: number | undefined;

  constructor(parts: ViewProcessParts) {
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Rejects with a `RetryError` where it has ended, or has not answered for so long. */
  ask<Word extends ViewWord>(
    word: Word,
    ask: ViewWords[Word]["ask"],
    patienceMs: number = Number.POSITIVE_INFINITY,
  ): Promise<ViewWords[Word]["answer"]> {
    if (this.#isStopped && word !== "stop") return Promise.reject(new RetryError("views are being closed"));
    this.#process ??= this.#started();
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<ViewWords[Word]["answer"]>();
    const timer = Number.isFinite(patienceMs)
      ? this.#parts.clock.timer(patienceMs, () => this.#late(id, word, patienceMs))
      : undefined;
    this.#silentSinceMs ??= this.#parts.clock.monotonicMs();
    this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject, timer });
    this.#process.send({ id, word, ask });
    return promise;
  }

  #late(id: number, word: ViewWord, patienceMs: number): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - (this.#silentSinceMs ?? nowMs) >= viewSilenceMs) this.#process?.end();
    const seconds = Math.round(patienceMs / 1000);
    pending?.reject(new RetryError(`the process that serves views has not answered for ${seconds} s (${word})`));
  }

  #started(): Thread {
    const started = this.#parts.start();
    started.receive((message) => this.#heard(message as ViewAnswer | DamageNews));
    void started.ended.then((error) => this.#ended(error));
    return started;
  }

  #heard(message: ViewAnswer | DamageNews): void {
    this.#silentSinceMs = undefined;
    if ("metDamage" in message) return this.#parts.metDamage(message.metDamage);
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    pending.timer?.cancel();
    if ("error" in message) pending.reject(receivedError(message.error));
    else pending.resolve(message.answer);
  }

  #ended(error: Error | undefined): void {
    this.#process = undefined;
    this.#silentSinceMs = undefined;
    const why = new RetryError(`the process that serves views has ended: ${error?.message ?? "it was told to"}`);
    for (const { reject, timer } of this.#pending.values()) {
      timer?.cancel();
      reject(why);
    }
    this.#pending.clear();
    if (!this.#isStopped) this.#parts.lost(why);
  }

  /** In good order, if that does not take too long: what was written to views is durable then. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopped = true;
    const running = this.#process;
    if (running === undefined) return;
    await this.ask("stop", null, patienceMs).catch(() => {});
    running.end();
    await running.ended;
  }
}
