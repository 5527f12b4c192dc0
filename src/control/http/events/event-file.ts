/**
 * The last events, in a file of a fixed size that is written round and round, so that they are there after a restart. Nobody waits for
 * it: not for a write, however long its disk stands still, and what cannot be written is no reason for anything not to be done.
 *
 * Invariants: one write is under way at a time, and one sync; what waits for it has a bound, beyond which the oldest of it is left
 * out; nothing is asked of a device behind a sync of it that has failed.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import {
  eventFileBytes,
  eventHeadBytes,
  eventPatienceMs,
  eventReopenMs,
  eventSyncMs,
  eventsKeptBytesMax,
  eventsKeptMax,
} from "#src/core/http-limits.ts";
import type { BlockDevice } from "#src/host/block-device.ts";
import type { Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { Machine } from "#src/host/machine.ts";
import { keepName } from "#src/host/publish.ts";
import { blankLine, checkEventHead, eventHead, eventLine, eventsIn, type KeptEvent } from "./event-line.ts";
import { EventQueue } from "./event-queue.ts";

type EventMachine = Pick<Machine, "files" | "log" | "clock" | "bootId" | "openBlockDevice">;

const asideEnding = ".damaged";

/** What one call has put there; no lines: the end of the file was made blank. */
interface EventWrite {
  readonly lines: readonly Buffer[];
  readonly lengthBytes: number;
  readonly position: number;
}

export class EventFile {
  /** Of earlier lives, the newest last. */
  readonly found: readonly KeptEvent[];
  /** The power was lost since, and perhaps others behind them. */
  readonly mayLackSome: boolean;
  readonly #machine: EventMachine;
  readonly #path: string;
  /** Undefined: it is of no use, or it is to be opened anew. */
  #device: BlockDevice | undefined;
  /** Until the end, or from the beginning on: then they are in memory alone. */
  #isKept: boolean;
  /** Of the next line. */
  #position: number;
  readonly #waiting = new EventQueue();
  /** What no sync was asked for yet that has not failed, in its order: the last of it, as much as may wait. */
  #unsynced: EventWrite[] = [];
  #unsyncedBytes = 0;
  #isWriting = false;
  #isSyncing = false;
  /** A sync has failed: the device is given up as soon as nothing is written to it. */
  #isBroken = false;
  /** The next sync, or the next try to open it. */
  #timer: Timer | undefined;
  #isInTrouble = false;
  /** At the end: called when all of it is durable, or lost. */
  #settled: (() => void) | undefined;

  private constructor(machine: EventMachine, path: string, { found, end }: FoundEvents, device?: BlockDevice) {
    this.#machine = machine;
    this.#path = path;
    this.found = found;
    this.mayLackSome = mayLackSome(found.at(-1), machine.bootId);
    this.#position = end;
    this.#device = device;
    this.#isKept = device !== undefined;
  }

  /** Its folder is there. Where the file is of no use events are kept in memory alone, and the log says why. */
  static open(machine: EventMachine, path: string): EventFile {
    let found = nothingFound;
    try {
      found = takeFile(machine, path);
      return new EventFile(machine, path, found, machine.openBlockDevice(path, { readOnly: false }));
    } catch (error) {
      if (isOwnFault(error)) throw error;
      machine.log.error("events are not kept over a restart", { error });
      return new EventFile(machine, path, found);
    }
  }

  add(kept: Omit<KeptEvent, "boot">): void {
    const line = this.#isKept ? eventLine({ ...kept, boot: this.#machine.bootId }) : undefined;
    if (line === undefined) return;
    this.#waiting.add(line);
    this.#writeNext();
  }

  /** Resolves when all of it is durable, or nobody should wait for that any longer. */
  async close(): Promise<void> {
    if (!this.#isKept) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const patience = this.#machine.clock.timer(eventPatienceMs, resolve);
    this.#settled = resolve;
    if (this.#device === undefined) this.#reopen();
    else this.#writeNext();
    await promise;
    patience.cancel();
    this.#cancelTimer();
    this.#isKept = false;
    this.#device?.close();
    this.#device = undefined;
  }

  /** All that waits, as far as it fits; where no line does the end of the file is made blank, and it goes on at the beginning. */
  #writeNext(): void {
    const device = this.#device;
    if (device === undefined || this.#isWriting || this.#isBroken) return;
    if (this.#waiting.isEmpty) return this.#syncAtEnd();
    const position = this.#position;
    const room = device.sizeBytes - position;
    const lines = this.#waiting.take(room);
    const bytes = lines.length === 0 ? blankLine(room) : Buffer.concat(lines);
    this.#position = lines.length === 0 ? eventHeadBytes : position + bytes.length;
    this.#isWriting = true;
    device.write(bytes, 0, bytes.length, position, (error) => {
      this.#isWriting = false;
      this.#wrote({ lines, lengthBytes: bytes.length, position }, error);
      if (this.#isBroken) this.#giveUp();
      else this.#writeNext();
    });
  }

  #wrote(write: EventWrite, error: Error | null): void {
    if (error === null) {
      this.#unsynced.push(write);
      this.#unsyncedBytes += write.lengthBytes;
      while (this.#unsyncedBytes > eventsKeptBytesMax) this.#unsyncedBytes -= this.#unsynced.shift()?.lengthBytes ?? 0;
      this.#syncSoon();
      return;
    }
    // Whatever is there now is written over by the next line, which begins where a line has to. What cannot be made blank is left as it
    // is: the lines that wait would never get any further, nor lost, and it would be tried for ever.
    if (write.lines.length > 0) this.#position = write.position;
    this.#fail(error);
  }

  #syncSoon(): void {
    if (this.#timer !== undefined || this.#isSyncing || !this.#isKept) return;
    this.#timer = this.#machine.clock.timer(eventSyncMs, () => this.#sync());
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #syncAtEnd(): void {
    if (this.#settled === undefined || this.#isSyncing) return;
    if (this.#unsynced.length > 0) this.#sync();
    else this.#settled();
  }

  /** What is written meanwhile waits for the next one. */
  #sync(): void {
    this.#cancelTimer();
    const device = this.#device;
    if (device === undefined || this.#isSyncing) return;
    const asked = this.#unsynced;
    [this.#unsynced, this.#unsyncedBytes] = [[], 0];
    this.#isSyncing = true;
    device.sync((error) => {
      this.#isSyncing = false;
      if (error === null) {
        this.#isInTrouble = false;
        if (this.#unsynced.length > 0) this.#syncSoon();
        this.#writeNext();
        return;
      }
      this.#fail(error);
      this.#unsynced = [...asked, ...this.#unsynced];
      this.#isBroken = true;
      if (!this.#isWriting) this.#giveUp();
    });
  }

  /**
   * Nobody knows what a sync that failed has left of what was written since the one before, and the system tells of it once: a later
   * one that succeeds says nothing. So the file is opened anew, and all of that written to it once more.
   */
  #giveUp(): void {
    this.#isBroken = false;
    if (!this.#isKept) return;
    this.#device?.close();
    this.#device = undefined;
    this.#position = this.#unsynced[0]?.position ?? this.#position;
    this.#waiting.putBack(this.#unsynced.flatMap(({ lines }) => lines));
    [this.#unsynced, this.#unsyncedBytes] = [[], 0];
    this.#reopenLater();
  }

  #reopenLater(): void {
    this.#cancelTimer();
    if (this.#settled !== undefined) this.#settled();
    else this.#timer = this.#machine.clock.timer(eventReopenMs, () => this.#reopen());
  }

  /** This asks no disk for anything that is not in memory. */
  #reopen(): void {
    this.#cancelTimer();
    try {
      this.#device = openedAnew(this.#machine, this.#path);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      this.#fail(error);
      return this.#reopenLater();
    }
    this.#writeNext();
  }

  #fail(error: unknown): void {
    if (!this.#isInTrouble) this.#machine.log.error("events are lost at the next restart", { error });
    this.#isInTrouble = true;
  }
}

/** Somebody else may have cut it meanwhile. */
function openedAnew(machine: EventMachine, path: string): BlockDevice {
  const device = machine.openBlockDevice(path, { readOnly: false });
  if (device.sizeBytes === eventFileBytes) return device;
  device.close();
  throw new StopError(`${path} has ${device.sizeBytes} bytes and not ${eventFileBytes} any more: a restart mends that`);
}

interface FoundEvents {
  readonly found: readonly KeptEvent[];
  /** Where it goes on. */
  readonly end: number;
}

const nothingFound: FoundEvents = { found: [], end: eventHeadBytes };

/** What was written but not synced lasts as long as the machine runs; and a program that ends in order has synced all. */
function mayLackSome(last: KeptEvent | undefined, bootId: string): boolean {
  if (last === undefined || last.boot === bootId) return false;
  return last.event.kind !== "program" || last.event.facts.state !== "ended";
}

/** The file is there afterwards, of its size. One that is damaged gets another name; one of another version stays as it is. */
function takeFile(machine: EventMachine, path: string): FoundEvents {
  const found = machine.files.exists(path) ? readFile(machine, path) : undefined;
  if (found !== undefined) return found;
  makeFile(machine, path);
  return nothingFound;
}

/** Undefined: it was of no use, and is not there any more. */
function readFile({ files, log }: EventMachine, path: string): FoundEvents | undefined {
  const handle = files.open(path, "readWrite");
  try {
    const bytes = Buffer.alloc(eventFileBytes);
    handle.readNow(bytes, 0, bytes.length, 0);
    const places = eventsIn(bytes);
    if (!isHeadSound(bytes, path, log)) {
      // One that was begun just before the power was cut holds nothing.
      if (places.length === 0) files.remove(path);
      else files.rename(path, path + asideEnding);
      return undefined;
    }
    if (handle.sizeBytesNow() !== eventFileBytes) handle.truncateNow(eventFileBytes);
    // A file of short lines has more of them than are kept in memory.
    const found = places.slice(-eventsKeptMax).map(({ kept }) => kept);
    return { found, end: places.at(-1)?.end ?? eventHeadBytes };
  } finally {
    handle.close();
  }
}

function isHeadSound(bytes: Buffer, path: string, log: Log): boolean {
  try {
    checkEventHead(bytes, path);
    return true;
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    log.warn("the file of events is begun anew", { error });
    return false;
  }
}

function makeFile({ files, log }: EventMachine, path: string): void {
  const handle = files.create(path);
  try {
    const head = eventHead();
    handle.writeNow(head, 0, head.length, 0);
    handle.truncateNow(eventFileBytes);
  } finally {
    handle.close();
  }
  keepName(files, path).catch((error) => log.warn("the file of events may be gone after a loss of power", { error }));
}
