/**
 * A process of its own on a simulated host: it ends alone, at one of its calls or between two, and the host goes on. What it
 * had written the host still has.
 */
import type { BlockDevice } from "#src/host/block-device.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import type { Machine } from "#src/host/machine.ts";
import type { Randomness } from "#src/host/randomness.ts";
import type { Sockets } from "#src/host/socket.ts";
import { DoomedFiles } from "./doomed-files.ts";
import type { SimHost } from "./sim-host.ts";

export class SimProcess implements Machine {
  readonly clock: Clock;
  readonly #host: SimHost;
  readonly #files: DoomedFiles;
  readonly #timers = new Set<Timer>();
  readonly #ended: () => void;
  #isOver = false;

  /** It ends by itself after so many of its own calls, once it may; `ended` is called then, and from where it made the call. */
  constructor(host: SimHost, callsBefore: number, ended: () => void, mayEnd = () => true) {
    this.#host = host;
    this.#ended = ended;
    this.#files = new DoomedFiles(host.files, callsBefore, () => this.end(), mayEnd);
    this.clock = {
      monotonicMs: () => host.clock.monotonicMs(),
      hostMs: () => host.clock.hostMs(),
      wallMs: () => host.clock.wallMs(),
      timer: (delayMs, callback) => this.#timer(delayMs, callback),
      soon: (callback) => void this.#timer(0, callback),
    };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  #timer(delayMs: number, callback: () => void): Timer {
    if (this.#isOver) return { cancel: () => {} };
    const timer = this.#host.clock.timer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return timer;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#files.end();
    for (const timer of this.#timers) timer.cancel();
    this.#ended();
  }

  get files(): Files {
    return this.#files;
  }

  get sockets(): Sockets {
    return this.#host.sockets;
  }

  get randomness(): Randomness {
    return this.#host.randomness;
  }

  get log(): Log {
    return this.#host.log;
  }

  get bootId(): string {
    return this.#host.bootId;
  }

  openBlockDevice(path: string, options: { readonly readOnly: boolean }): BlockDevice {
    return this.#host.openBlockDevice(path, options);
  }
}
