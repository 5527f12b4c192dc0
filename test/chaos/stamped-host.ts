/**
 * A host of a volume that writes stamps all the while, attaches again when its export has gone, and then looks for everything that
 * it was ever answered: processes are killed here, and nobody cuts the power.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { NbdServerError } from "#src/nbd/client/errors.ts";
import { HistoryWriter, settleAll } from "#test/oracle/history-writer.ts";
import { WriteHistory } from "#test/oracle/write-history.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";

export interface StampedHostParts {
  readonly blockCount: number;
  readonly random: SeededRandom;
  /** Resolves when the volume can be attached. */
  readonly connect: () => Promise<NbdClient>;
  readonly complain: (words: string) => void;
}

/** About a hundred requests a second: enough for whatever is broken to be met by some, and a journal that can be replayed. */
const burst = { least: 5, most: 40 };
const restMs = { least: 20, most: 400 };

export class StampedHost {
  readonly history: WriteHistory;
  readonly #parts: StampedHostParts;
  #isOver = false;
  #attached = 0;
  /** While somebody wants it to do nothing. */
  #hold: PromiseWithResolvers<void> | undefined;
  #held: PromiseWithResolvers<void> | undefined;

  constructor(parts: StampedHostParts) {
    this.#parts = parts;
    this.history = new WriteHistory(1, parts.blockCount);
  }

  /** How often it had to attach. */
  get attachedCount(): number {
    return this.#attached;
  }

  /** Goes on until `end`. */
  async run(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#life(await this.#parts.connect());
      } catch (error) {
        // No fault of ours is a reason to answer a request with an error, but that its program is just ending.
        if (error instanceof NbdServerError && error.code !== "ESHUTDOWN") this.#parts.complain(error.message);
        // Its export has gone while it looked; the next life looks again.
        if (this.#isOver) throw error;
        this.history.promiseAnswered();
        await pause(restMs.least);
      }
    }
  }

  /** Resolves when nothing is under way, and all of it is promised. */
  async hold(): Promise<void> {
    this.#hold ??= Promise.withResolvers();
    this.#held ??= Promise.withResolvers();
    await this.#held.promise;
  }

  goOn(): void {
    this.#hold?.resolve();
    this.#hold = undefined;
    this.#held = undefined;
  }

  end(): void {
    this.#isOver = true;
    this.goOn();
  }

  async #life(client: NbdClient): Promise<void> {
    const { random, complain } = this.#parts;
    const { history } = this;
    this.#attached++;
    for (const complaint of await settleAll(client, history)) complain(`after an accident ${complaint}`);
    const writer = new HistoryWriter({ client, history, random: random.fork(`life ${this.#attached}`) });
    while (!this.#isOver && writer.failure === undefined) {
      await writer.run(writer.requests + random.between(burst.least, burst.most));
      if (this.#hold !== undefined && writer.failure === undefined) await this.#rest(client);
      await pause(random.between(restMs.least, restMs.most));
    }
    for (const complaint of writer.complaints) complain(`while it ran ${complaint}`);
    if (writer.failure !== undefined) throw writer.failure;
    await client.disconnect();
  }

  async #rest(client: NbdClient): Promise<void> {
    const token = this.history.flushIssued();
    await client.flush();
    this.history.flushReplied(token);
    this.#held?.resolve();
    await this.#hold?.promise;
  }
}
