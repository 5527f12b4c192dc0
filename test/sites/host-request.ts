/**
 * A request as the NBD server hands it to an export, with the server's habits about memory: what was not kept is
 * overwritten when the batch is over, and what was kept is overwritten when it was answered.
 */
import { assert } from "#src/core/assert.ts";
import { command } from "#src/nbd/constants.ts";
import type { ExportRequest, StatusExtent } from "#src/nbd/export.ts";

/** Stands where nobody may look any more. */
const scribble = 0xdb;

export interface RequestParts {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly fua: boolean;
  readonly noHole: boolean;
  /** A write's payload. */
  readonly payload: Buffer | undefined;
  /** Called once; a read's data can be looked at during the call. */
  readonly ended: (error: number, request: HostRequest) => void;
}

export class HostRequest implements ExportRequest {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly fua: boolean;
  readonly noHole: boolean;
  readonly fastZero = false;
  readonly requestOne = false;
  readonly contexts: readonly string[] = [];
  abandoned = false;
  buffer: Buffer;
  start: number;
  readonly #ended: RequestParts["ended"];
  #isKept = false;
  #isEnded = false;

  constructor(parts: RequestParts, start: number) {
    this.command = parts.command;
    this.offset = parts.offset;
    this.length = parts.length;
    this.fua = parts.fua;
    this.noHole = parts.noHole;
    this.start = start;
    // Memory of several requests lies behind one another in the server: whoever strays finds somebody else's.
    this.buffer = Buffer.alloc(start + (hasData(parts) ? parts.length : 0), scribble);
    parts.payload?.copy(this.buffer, start);
    this.#ended = parts.ended;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isKept(): boolean {
    return this.#isKept;
  }

  keep(): void {
    assert(!this.#isEnded, "only a request under way is kept");
    if (this.#isKept) return;
    this.#isKept = true;
    const own = Buffer.alloc(this.buffer.length - this.start);
    this.buffer.copy(own, 0, this.start);
    this.#scribble();
    this.buffer = own;
    this.start = 0;
  }

  keepWithoutPayload(): void {
    assert(!this.#isEnded && this.command !== command.read, "only what is no read can do without its memory");
    this.#isKept = true;
    this.#scribble();
  }

  complete(error: number): void {
    assert(!this.#isEnded, "a request ends once");
    this.#isEnded = true;
    if (!this.abandoned) this.#ended(error, this);
    if (this.#isKept) this.#scribble();
  }

  completeStatus(_extents: readonly (readonly StatusExtent[])[]): void {
    this.complete(0);
  }

  /** The call that had to end or keep the request has returned. */
  leave(): void {
    assert(this.#isEnded || this.#isKept, "a request that goes on is kept");
    if (!this.#isKept) this.#scribble();
  }

  #scribble(): void {
    this.buffer.fill(scribble);
  }
}

function hasData(parts: RequestParts): boolean {
  return parts.payload !== undefined || parts.command === command.read;
}
