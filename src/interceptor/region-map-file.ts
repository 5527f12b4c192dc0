/**
 * The file of a volume's region map. It is written in rounds, one at a time, each with all that was wanted when it began:
 * the copy that is older, then a sync. After a failure it is of no more use. That there is no room is none while the volume is
 * open: whoever needs the round waits, and it is tried again. The copy that it may have cut short is the older one.
 *
 * What changes the meaning of the copy before (a resync is wanted, the appliance is gone, ordinals were lost) is written
 * to both copies: should the newer one be damaged later, the older one must not tell of another world.
 */
import { assert } from "#src/core/assert.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { isLackOfSpace } from "#src/host/lack-of-room.ts";
import type { Log } from "#src/host/log.ts";
import { keepName, publish } from "#src/host/publish.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { AttachedSource, SourceAge } from "#src/wire/volume-link.ts";
import { RegionMap } from "./region-map.ts";
import {
  chooseCopy,
  copyBytesOf,
  copyPositionOf,
  decodeCopy,
  encodeCopy,
  type RegionMapOwner,
  type RegionMapState,
} from "./region-map-format.ts";

export interface RegionMapEvents {
  /** Marks that were wanted are durable. */
  marked(): void;
  failed(error: Error): void;
}

/** A round that found no room on the disk is tried again so much later. */
const roomRetryMs = 250;

interface Patience {
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class RegionMapFile {
  readonly map: RegionMap;
  /** There was no file. */
  readonly isNew: boolean;
  /** A copy is damaged: more regions may have been marked than are. */
  readonly isDoubtful: boolean;
  readonly #owner: RegionMapOwner;
  readonly #handle: FileHandle;
  #state: RegionMapState;
  #generation: number;
  #isWriting = false;
  #isWanted = false;
  #waiters: Waiter[] = [];
  #events: RegionMapEvents | undefined;
  #failure: Error | undefined;
  #patience: Patience | undefined;
  /** What it lacked room for, until it has some. */
  #lack: Error | undefined;
  #retry: Timer | undefined;
  #isClosed = false;

  private constructor(handle: FileHandle, owner: RegionMapOwner, isNew: boolean) {
    const copyBytes = copyBytesOf(owner.sizeBytes);
    const bytes = Buffer.alloc(2 * copyBytes);
    const count = handle.readNow(bytes, 0, bytes.length, 0);
    const copies = [0, 1].map((place) => decodeCopy(owner, bytes.subarray(0, count), place * copyBytes, place));
    const [first, second] = copies as [(typeof copies)[0], (typeof copies)[0]];
    const foreign = copies.find((copy) => copy.kind === "foreign");
    if (foreign?.kind === "foreign") throw new StopError(`the region map ${handle.path} is refused: ${foreign.why}`);
    const chosen = chooseCopy(first, second);
    if (chosen === undefined) {
      throw new StopError(
        `both copies in the region map ${handle.path} are damaged: nobody knows what the source lacks`,
      );
    }
    this.#owner = owner;
    this.#handle = handle;
    this.isNew = isNew;
    this.isDoubtful = chosen.isDoubtful;
    this.#state = chosen.copy.state;
    this.#generation = chosen.copy.generation;
    this.map = new RegionMap(owner.sizeBytes, chosen.copy.bits);
  }

  /** `wasEmpty`: the source held nothing when the volume was added. */
  static async open(files: Files, path: string, owner: RegionMapOwner, wasEmpty: boolean): Promise<RegionMapFile> {
    const isNew = !files.exists(path);
    if (isNew) await publish(files, path, firstBytes(owner, wasEmpty));
    else await keepName(files, path);
    const handle = files.open(path, "readWrite");
    try {
      // What is found may be in the memory of the machine alone. Before the other copy is written it has to be durable,
      // or a loss of power would take both.
      await whenDone((done) => handle.sync(done));
      const file = new RegionMapFile(handle, owner, isNew);
      if (file.isDoubtful) file.map.markAll();
      await file.update({ ...file.#baseBegun(wasEmpty), ...(file.isDoubtful ? { resyncWanted: true } : {}) });
      return file;
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** A map from before the base was noted does not mark what it lacks. */
  #baseBegun(wasEmpty: boolean): Partial<RegionMapState> {
    if (this.#state.base !== "missing") return {};
    if (wasEmpty) return { base: "complete" };
    this.map.markAll();
    return { base: "copying" };
  }

  /** Something is to be copied into the order before the volume has a point again. */
  get isCopyDue(): boolean {
    return this.state.resyncWanted || this.state.base !== "complete";
  }

  /** What the appliance is told of the source whenever it is brought to it. */
  get said(): AttachedSource {
    const { unprotectedMicros } = this.state;
    return { isCopyDue: this.isCopyDue, ...(unprotectedMicros > 0 ? { unprotectedMicros } : {}) };
  }

  /** How far the source is, by this map alone. */
  get sourceAge(): SourceAge {
    return this.isNew || this.isDoubtful || this.#state.resyncWanted ? "unknown" : "known";
  }

  get state(): RegionMapState {
    return this.#state;
  }

  listen(events: RegionMapEvents): void {
    this.#events = events;
  }

  /** From now on. Until then whoever opens the volume is told, and tries again. */
  waitForRoom({ clock, log }: Patience): void {
    this.#patience = { clock, log };
  }

  /** Why whoever needs another mark waits. */
  get lackOfRoom(): string | undefined {
    return this.#lack === undefined
      ? undefined
      : `${this.#inWords(this.#lack)}: it goes on by itself when there is room`;
  }

  #inWords(lack: Error): string {
    return `the region map ${this.#handle.path} cannot be written for want of room: ${lack.message}`;
  }

  /** The map has changed: it is written as soon as may be. */
  write(): void {
    this.#isWanted = true;
    const isBusy = this.#isWriting || this.#retry !== undefined;
    if (!isBusy && this.#failure === undefined && !this.#isClosed) this.#begin();
  }

  /** Resolves when the map as it is now, with this new state, is durable in both copies. */
  async update(change: Partial<RegionMapState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    await this.#written();
    await this.#written();
  }

  /** From now on the source is written without the appliance. Resolves as `update` does. */
  noteTracking(durableOrdinal: number, wallMicros: number): Promise<void> {
    const unprotectedMicros = this.#state.unprotectedMicros || wallMicros;
    return this.update({ durableOrdinal, resyncWanted: true, tracking: true, unprotectedMicros });
  }

  /** The source is known to have more. The older copy may stay: it only makes redo begin earlier. */
  async raiseDurable(ordinal: number): Promise<void> {
    assert(ordinal >= this.#state.durableOrdinal, "what is durable stays so");
    this.#state = { ...this.#state, durableOrdinal: ordinal };
    await this.#written();
  }

  #written(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.write();
    });
  }

  #begin(): void {
    this.#isWriting = true;
    this.#isWanted = false;
    const image = this.map.image();
    const waiters = this.#waiters;
    this.#waiters = [];
    const generation = this.#generation + 1;
    try {
      const bytes = encodeCopy(this.#owner, { generation, state: this.#state, bits: image });
      this.#handle.writeNow(bytes, 0, bytes.length, copyPositionOf(this.#owner.sizeBytes, generation));
    } catch (error) {
      return isLackOfSpace(error) ? this.#wait(error as Error, waiters) : this.#fail(error as Error, waiters);
    }
    if (this.#lack !== undefined) this.#patience?.log.info("the region map has room again");
    this.#lack = undefined;
    this.#handle.sync((error) => {
      if (error !== null) return this.#fail(error, waiters);
      this.#generation = generation;
      this.#isWriting = false;
      this.map.madeDurable(image);
      for (const { resolve } of waiters) resolve();
      if (this.#isClosed) this.#handle.close();
      else if (this.#isWanted) this.#begin();
      this.#events?.marked();
    });
  }

  /** Nothing relies on what was written of the round. */
  #wait(lack: Error, waiters: readonly Waiter[]): void {
    const patience = this.#patience;
    if (patience === undefined) return this.#fail(new RetryError(this.#inWords(lack), { cause: lack }), waiters);
    if (this.#lack === undefined) patience.log.warn("the region map has no room: writers wait", { error: lack });
    this.#lack = lack;
    this.#isWriting = false;
    this.#waiters = [...waiters, ...this.#waiters];
    this.#retry = patience.clock.timer(roomRetryMs, () => {
      this.#retry = undefined;
      this.#begin();
    });
  }

  #fail(error: Error, waiters: readonly Waiter[]): void {
    this.#isWriting = false;
    this.#failure = error;
    for (const { reject } of [...waiters, ...this.#waiters]) reject(error);
    this.#waiters = [];
    if (this.#isClosed) this.#handle.close();
    else this.#events?.failed(error);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events = undefined;
    this.#retry?.cancel();
    for (const { reject } of this.#waiters.splice(0)) reject(new RetryError("the region map was closed"));
    if (!this.#isWriting) this.#handle.close();
  }
}

/**
 * What an order has of the source that a copy begins behind this record. Behind none it looks like a first copy to whoever reads the
 * order, and has to end like one.
 */
export function baseBehind(lastOrdinal: number): Pick<RegionMapState, "base"> | undefined {
  return lastOrdinal === 0 ? { base: "copying" } : undefined;
}

function firstBytes(owner: RegionMapOwner, wasEmpty: boolean): Buffer {
  const map = new RegionMap(owner.sizeBytes);
  if (!wasEmpty) map.markAll();
  const base: RegionMapState["base"] = wasEmpty ? "complete" : "copying";
  const state = { durableOrdinal: 0, resyncWanted: false, tracking: false, unprotectedMicros: 0, redoing: false, base };
  const copies = [0, 1].map((generation) => encodeCopy(owner, { generation, state, bits: map.image() }));
  return Buffer.concat(copies);
}
