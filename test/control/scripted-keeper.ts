/** The process that keeps the store, as a test plays it. */
import type { SentError } from "#src/control/store-errors.ts";
import type { StoreAsk, StoreBeat, StoreRecall } from "#src/control/store-words.ts";
import type { WorkNews } from "#src/control/store-work.ts";
import type { Thread } from "#src/host/thread.ts";

export class ScriptedKeeper implements Thread {
  readonly isIndexSuspect: boolean;
  readonly asked: StoreAsk[] = [];
  isEnded = false;
  /** Even an end by force waits for a disk. */
  isHeldUp = false;
  readonly ended: Promise<Error | undefined>;
  #end!: (error: Error | undefined) => void;
  #listener: (message: unknown) => void = () => {};

  constructor(isIndexSuspect: boolean) {
    this.isIndexSuspect = isIndexSuspect;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  send(message: unknown): void {
    const ask = message as StoreAsk;
    this.asked.push(ask);
    if (ask.word === "stop") queueMicrotask(() => this.answer(null));
  }

  receive(listener: (message: unknown) => void): void {
    this.#listener = listener;
  }

  /** To what was asked last. */
  answer(answer: unknown): void {
    this.#listener({ id: this.asked.at(-1)?.id, answer });
  }

  refuse(kind: SentError["kind"], message: string, ask = this.asked.at(-1)): void {
    this.#listener({ id: ask?.id, error: { kind, message } satisfies SentError });
  }

  beat(steps: number, work?: WorkNews): void {
    this.#listener({ beat: { steps, work, state: undefined } } satisfies StoreBeat);
  }

  recall(recall: StoreRecall["recall"]): void {
    this.#listener({ recall } satisfies StoreRecall);
  }

  die(error: Error): void {
    this.#end(error);
  }

  end(): void {
    this.isEnded = true;
    if (!this.isHeldUp) this.#end(undefined);
  }
}
