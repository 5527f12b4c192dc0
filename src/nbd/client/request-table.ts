/**
 * Requests under way, found by the cookie of their replies: the slot's index below, the slot's generation above. A slot
 * is taken again with a new generation, so a reply that comes twice or too late names nothing that exists.
 *
 * Invariant: busy slots + free indices = nbdClientInFlightCountMax.
 */
import { assert } from "#src/core/assert.ts";
import { nbdClientInFlightCountMax } from "#src/core/nbd-limits.ts";
import { Coverage } from "./coverage.ts";
import type { NbdServerError } from "./errors.ts";
import type { Operation, ReportedExtent } from "./operation.ts";

export class Slot {
  readonly index: number;
  generation = 0;
  /** The operation that this request is a piece of; none while the slot is free. */
  operation: Operation | undefined;
  type = 0;
  flags = 0;
  offset = 0;
  lengthBytes = 0;
  /** Where in the operation's buffer this piece lies. */
  bufferStart = 0;
  readonly coverage = new Coverage();
  failure: NbdServerError | undefined;
  readonly statuses: Map<number, readonly ReportedExtent[]> = new Map();
  /** Where this request ends in the stream of all that is sent. */
  sentEnd = 0;
  /** Looks of the watch since this request last moved. */
  idleLooks = 0;

  constructor(index: number) {
    this.index = index;
  }
}

export class RequestTable {
  readonly #slots: Slot[] = [];
  readonly #free: number[] = [];
  #payloadBytes = 0;
  #givenCount = 0;

  constructor() {
    for (let index = 0; index < nbdClientInFlightCountMax; index++) {
      this.#slots.push(new Slot(index));
      this.#free.push(nbdClientInFlightCountMax - 1 - index);
    }
  }

  get count(): number {
    return this.#slots.length - this.#free.length;
  }

  get isFull(): boolean {
    return this.#free.length === 0;
  }

  /** Bytes of reads and writes under way. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Grows with each request that has come to its end. */
  get givenCount(): number {
    return this.#givenCount;
  }

  /** A slot for the operation's next piece. */
  take(operation: Operation, pieceBytes: number): Slot {
    const index = this.#free.pop();
    assert(index !== undefined, "the table was not full");
    const slot = this.#slots[index] as Slot;
    const { spec } = operation;
    slot.generation = (slot.generation + 1) >>> 0;
    slot.operation = operation;
    slot.type = spec.type;
    slot.flags = spec.flags;
    slot.offset = spec.offset + operation.issuedBytes;
    slot.lengthBytes = pieceBytes;
    slot.bufferStart = spec.start + operation.issuedBytes;
    slot.coverage.reset(slot.offset, pieceBytes);
    slot.failure = undefined;
    slot.idleLooks = 0;
    if (operation.carriesData) this.#payloadBytes += pieceBytes;
    return slot;
  }

  give(slot: Slot): void {
    assert(slot.operation !== undefined, "a slot is given back once");
    if (slot.operation.carriesData) this.#payloadBytes -= slot.lengthBytes;
    slot.operation = undefined;
    // The operation may keep the map's content, never the map.
    slot.statuses.clear();
    this.#free.push(slot.index);
    this.#givenCount++;
  }

  /** The slot that a reply's cookie names, if there is such a request. */
  find(cookieHigh: number, cookieLow: number): Slot | undefined {
    const slot = this.#slots[cookieLow];
    return slot?.operation !== undefined && slot.generation === cookieHigh ? slot : undefined;
  }

  *busy(): Generator<Slot> {
    for (const slot of this.#slots) if (slot.operation !== undefined) yield slot;
  }
}
