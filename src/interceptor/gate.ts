/**
 * Where changes wait, in their order, until they may be added to the link: until it is there and has room, until the
 * pressure allows, until their regions are marked. Whoever waits has its blocks to itself already, so order among
 * overlapping changes is not decided here.
 */
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Outlet } from "./outlet.ts";
import type { RegionMapFile } from "./region-map-file.ts";
import { Throttle, throttleDelayMs } from "./throttle.ts";

export interface GateEntry {
  readonly startBlock: number;
  readonly blockCount: number;
  /** What it brings, for the throttle; 0: it is not slowed. */
  readonly byteLength: number;
  /** Adds what there is room for; true: all of it, or it is over for another reason. */
  addTo(outlet: Outlet): boolean;
  /** It has left the gate. */
  passed(): void;
}

export interface GateParts {
  readonly outlet: Outlet;
  readonly mapFile: RegionMapFile;
  readonly clock: Clock;
  /** After a timer: whoever was let through is to be sent on. */
  readonly pumped: () => void;
  /** The source has to get what is in the order already before more may come. */
  readonly isHeldUp: () => boolean;
}

export class Gate {
  readonly #outlet: Outlet;
  readonly #mapFile: RegionMapFile;
  readonly #clock: Clock;
  readonly #pumped: () => void;
  readonly #isHeldUp: () => boolean;
  readonly #throttle = new Throttle();
  #entries: GateEntry[] = [];
  #timer: Timer | undefined;
  #isPumping = false;
  #isAskedAgain = false;
  /** The first has been through the throttle. */
  #isFirstPaid = false;

  constructor({ outlet, mapFile, clock, pumped, isHeldUp }: GateParts) {
    this.#outlet = outlet;
    this.#mapFile = mapFile;
    this.#clock = clock;
    this.#pumped = pumped;
    this.#isHeldUp = isHeldUp;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Whether a change may pass by without waiting, as far as anybody else is concerned. */
  get isOpen(): boolean {
    const { link } = this.#outlet;
    if (this.#entries.length > 0 || this.#isPumping || link === undefined) return false;
    return throttleDelayMs(link.pressure) === 0 && !this.#isHeldUp();
  }

  push(entry: GateEntry): void {
    this.#wantMarks(entry);
    this.#entries.push(entry);
  }

  /** Before all others. */
  pushFirst(entry: GateEntry): void {
    this.#wantMarks(entry);
    this.#entries.unshift(entry);
    this.#isFirstPaid = false;
  }

  /** As soon as it is known that they will be needed, so that one sync marks the regions of all who wait. */
  #wantMarks(entry: GateEntry): void {
    if (entry.blockCount > 0 && this.#mapFile.map.want(entry.startBlock, entry.blockCount)) this.#mapFile.write();
  }

  /** Lets through whoever may pass. Called whenever something may have changed. */
  pump(): void {
    this.#isAskedAgain = this.#isPumping;
    if (this.#isPumping) return;
    this.#isPumping = true;
    do {
      this.#isAskedAgain = false;
      while (this.#entries.length > 0 && this.#passFirst());
    } while (this.#isAskedAgain);
    this.#isPumping = false;
  }

  #passFirst(): boolean {
    const first = this.#entries[0] as GateEntry;
    if (first.blockCount > 0 && !this.#mapFile.map.covers(first.startBlock, first.blockCount)) {
      this.#wantMarks(first);
      return false;
    }
    if (first.blockCount > 0 && this.#isHeldUp()) return false;
    if (!this.#isFirstPaid && !this.#pay(first)) return false;
    if (!first.addTo(this.#outlet)) return false;
    // Adding may have put somebody else in front.
    const index = this.#entries.indexOf(first);
    if (index >= 0) this.#entries.splice(index, 1);
    this.#isFirstPaid = false;
    first.passed();
    return true;
  }

  #pay(entry: GateEntry): boolean {
    const pressure = this.#outlet.link?.pressure;
    if (pressure === undefined || pressure >= 1) return false;
    if (entry.byteLength > 0) {
      const nowMs = this.#clock.monotonicMs();
      const waitMs = this.#throttle.waitMs(nowMs);
      if (waitMs > 0) {
        this.#wakeIn(waitMs);
        return false;
      }
      this.#throttle.passed(nowMs, pressure, entry.byteLength);
    }
    this.#isFirstPaid = true;
    return true;
  }

  #wakeIn(waitMs: number): void {
    this.#timer ??= this.#clock.timer(waitMs, () => {
      this.#timer = undefined;
      this.pump();
      this.#pumped();
    });
  }

  /** Nobody passes any more. */
  close(): void {
    this.#timer?.cancel();
    this.#entries = [];
  }
}
