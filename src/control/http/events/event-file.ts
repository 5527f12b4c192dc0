/**
 * The last events, in a file of a fixed size that is written round and round, so that they are there after a restart. Nobody waits for
 * it: not for a write, however long its disk stands still, and what cannot be written is no reason for anything not to be done.
 *
 * Invariants: one write is under way at a time; what waits for it has a bound, beyond which the oldest of it is left out.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import {
  eventFileBytes,
  eventHeadBytes,
  eventPatienceMs,
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

type EventMachine = Pick<Machine, "files" | "log" | "clock" | "bootId" | "openBlockDevice">;

const asideEnding = ".damaged";

export class EventFile {
  /** Of earlier lives, the newest last. */
  readonly found: readonly KeptEvent[];
  /** The power was lost since, and perhaps others behind them. */
  readonly mayLackSome: boolean;
  readonly #machine: EventMachine;
  #device: BlockDevice | undefined;
  /** Of the next line. */
  #position: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #syncTimer: Timer | undefined;
  #isSyncing = false;
  #isDirty = false;
  #isInTrouble = false;
  #whenWritten: (() => void) | undefined;

  private constructor(machine: EventMachine, { found, end }: FoundEvents, device: BlockDevice | undefined) {
    this.#machine = machine;
    this.found = found;
    this.mayLackSome = mayLackSome(found.at(-1), machine.bootId);
    this.#position = end;
    this.#device = device;
  }

  /** Its folder is there. Where the file is of no use events are kept in memory alone, and the log says why. */
  static open(machine: EventMachine, path: string): EventFile {
    let found = nothingFound;
    try {
      found = takeFile(machine, path);
      return new EventFile(machine, found, machine.openBlockDevice(path, { readOnly: false }));
    } catch (error) {
      if (isOwnFault(error)) throw error;
      machine.log.error("events are not kept over a restart", { error });
      return new EventFile(machine, found, undefined);
    }
  }

  add(kept: Omit<KeptEvent, "boot">): void {
    const line = this.#device === undefined ? undefined : eventLine({ ...kept, boot: this.#machine.bootId });
    if (line === undefined) return;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    while (this.#waitingBytes > eventsKeptBytesMax) this.#waitingBytes -= this.#waiting.shift()?.length ?? 0;
    this.#writeNext();
  }

  /** Resolves when all of it is durable, or nobody should wait for that any longer. */
  async close(): Promise<void> {
    const device = this.#device;
    if (device === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const patience = this.#machine.clock.timer(eventPatienceMs, resolve);
    this.#whenWritten = () => device.sync(() => resolve());
    this.#writeNext();
    await promise;
    patience.cancel();
    this.#syncTimer?.cancel();
    this.#device = undefined;
    device.close();
  }

  /** All that waits, as far as it fits; where no line does the end of the file is made blank, and it goes on at the beginning. */
  #writeNext(): void {
    const device = this.#device;
    if (device === undefined || this.#isWriting) return;
    if (this.#waiting.length === 0) {
      this.#whenWritten?.();
      return;
    }
    const position = this.#position;
    const room = device.sizeBytes - position;
    const lines = this.#takeWaiting(room);
    const bytes = lines.length === 0 ? blankLine(room) : Buffer.concat(lines);
    this.#position = lines.length === 0 ? eventHeadBytes : position + bytes.length;
    this.#isWriting = true;
    device.write(bytes, 0, bytes.length, position, (error) => {
      this.#isWriting = false;
      if (error === null) this.#syncSoon();
      else {
        // Whatever is there now is written over by the next line, which begins where a line has to. What cannot be made blank is left as it
        // is: the lines that wait would never get any further, nor lost, and it would be tried for ever.
        if (lines.length > 0) this.#position = position;
        this.#fail(error);
      }
      this.#writeNext();
    });
  }

  #takeWaiting(lengthBytes: number): Buffer[] {
    let takenBytes = 0;
    let count = 0;
    for (const { length } of this.#waiting) {
      if (takenBytes + length > lengthBytes) break;
      takenBytes += length;
      count++;
    }
    this.#waitingBytes -= takenBytes;
    return this.#waiting.splice(0, count);
  }

  #syncSoon(): void {
    this.#isDirty = true;
    if (this.#syncTimer !== undefined || this.#isSyncing) return;
    this.#syncTimer = this.#machine.clock.timer(eventSyncMs, () => {
      this.#syncTimer = undefined;
      this.#sync();
    });
  }

  #sync(): void {
    this.#isSyncing = true;
    this.#isDirty = false;
    this.#device?.sync((error) => {
      this.#isSyncing = false;
      if (error === null) this.#isInTrouble = false;
      else this.#fail(error);
      if (this.#isDirty) this.#syncSoon();
    });
  }

  #fail(error: Error): void {
    if (!this.#isInTrouble) this.#machine.log.error("events are lost at the next restart", { error });
    this.#isInTrouble = true;
  }
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
