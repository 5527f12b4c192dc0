/** The process that keeps the remote's store, as the program starts it: the same code, on a simulated machine. */
import { loadConfig } from "#src/control/config.ts";
import type { Config } from "#src/control/config-schema.ts";
import { keepStore } from "#src/control/store-keeper.ts";
import type { StoreSettings } from "#src/control/store-words.ts";
import { CrashError, type Thread } from "#src/host/thread.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { SimProcess } from "#test/sim/sim-process.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";
import type { StoreWorks } from "./store-weather.ts";

export const storeFolder = "/store";
export const indexFolder = "/remote/index";

/** Each write stays a point, for as long as it is kept. */
const { config } = loadConfig({
  environment: {},
  assignments: ["data=/", `store.folder=${storeFolder}`, "store.retention.levels=none"],
  folder: "/",
});

/** With shorter times than anybody can set. */
export function storeConfig({ keepMs, graceMs }: Pick<StoreWorks, "keepMs" | "graceMs">): Config {
  const { store } = config;
  const retention = { ...store.retention, keepSeconds: keepMs / 1000 };
  return { ...config, store: { ...store, retention, collect: { ...store.collect, graceSeconds: graceMs / 1000 } } };
}

/** As small as may be: worlds have a few hundred blocks. */
const indexBounds = { filterBytesMax: 4096, gatherBytesMax: 65_536 };

/** How it comes to its end. */
export interface StoreProcessEnd {
  readonly random: SeededRandom;
  /** It ends by itself after so many of its own calls. */
  readonly callsBefore: number;
  /** Otherwise it goes on until it may. */
  readonly mayEnd: () => boolean;
  /** Answers whether the machine has ended with it. */
  readonly endedByItself: () => boolean;
}

export class StoreProcess implements Thread {
  readonly ended: Promise<Error | undefined>;
  readonly #host: SimHost;
  readonly #process: SimProcess;
  #why: Error | undefined;
  /** By somebody. */
  #isEnded = false;
  #hear: ((message: unknown) => void) | undefined;
  #answer: ((message: unknown) => void) | undefined;

  constructor(host: SimHost, settings: StoreSettings, { random, callsBefore, mayEnd, endedByItself }: StoreProcessEnd) {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.ended = promise;
    this.#host = host;
    // To the one who started it a signal is not the same as a status.
    this.#why = random.chance(0.5) ? new CrashError("it was ended by a signal") : new Error("it ended with status 1");
    const ended = () => {
      // Where the machine has ended with it nobody is left who could be told.
      if (this.#isEnded || !endedByItself()) resolve(this.#why);
    };
    this.#process = new SimProcess(host, callsBefore, ended, mayEnd);
    const line = {
      send: (message: unknown) => {
        if (!this.#process.isOver) this.#deliver(message, () => this.#answer);
      },
      receive: (listener: (message: unknown) => void) => {
        this.#hear = listener;
      },
    };
    keepStore(line, settings, { machine: this.#process, maps: new SimSortedMaps(this.#process.files), indexBounds });
  }

  #deliver(message: unknown, listener: () => ((message: unknown) => void) | undefined): void {
    const copy = structuredClone(message);
    this.#host.clock.soon(() => listener()?.(copy));
  }

  send(message: unknown): void {
    this.#deliver(message, () => (this.#process.isOver ? undefined : this.#hear));
  }

  receive(listener: (message: unknown) => void): void {
    this.#answer = listener;
  }

  get isOver(): boolean {
    return this.#process.isOver;
  }

  /** By somebody else than the one who started it. */
  kill(): void {
    this.#isEnded = true;
    this.#process.end();
  }

  end(): void {
    this.#isEnded = true;
    this.#why = undefined;
    this.#process.end();
  }
}
