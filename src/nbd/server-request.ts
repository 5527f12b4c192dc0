/** A request under way in the server; the objects are used again, so that none is made per request. */
import { assert } from "#src/core/assert.ts";
import { command, commandFlag, nbdError } from "./constants.ts";
import type { ExportRequest, StatusExtent } from "./export.ts";
import type { RequestHeader } from "./request-codec.ts";

/** The transmission that a request belongs to. */
export interface RequestOwner {
  /** Counts the request among the kept, and gives it memory of its own unless that is not needed. */
  keepRequest(request: ServerRequest, needsMemory: boolean): void;
  /** Takes back the memory that a request has of its own. */
  dropPayload(request: ServerRequest): void;
  requestEnded(request: ServerRequest): void;
  /** The connection is gone. */
  readonly over: boolean;
}

const noBytes = Buffer.alloc(0);

export class ServerRequest implements ExportRequest {
  readonly #owner: RequestOwner;
  command = 0;
  flags = 0;
  cookieHigh = 0;
  cookieLow = 0;
  offset = 0;
  length = 0;
  buffer: Buffer = noBytes;
  start = 0;
  contexts: readonly string[] = [];
  contextIds: readonly number[] = [];
  kept = false;
  ended = true;
  /** The buffer is this request's own, to be given back. */
  ownsBuffer = false;
  error: number = nbdError.ok;
  extents: readonly (readonly StatusExtent[])[] | undefined;

  constructor(owner: RequestOwner) {
    this.#owner = owner;
  }

  begin(header: Readonly<RequestHeader>): void {
    assert(this.ended, "a request object is free before it is used again");
    this.command = header.type;
    this.flags = header.flags;
    this.cookieHigh = header.cookieHigh;
    this.cookieLow = header.cookieLow;
    this.offset = header.offset;
    this.length = header.length;
    this.kept = false;
    this.ended = false;
    this.ownsBuffer = false;
    this.extents = undefined;
  }

  release(): void {
    this.buffer = noBytes;
    this.contexts = [];
    this.extents = undefined;
  }

  get fua(): boolean {
    return (this.flags & commandFlag.fua) !== 0;
  }

  get noHole(): boolean {
    return (this.flags & commandFlag.noHole) !== 0;
  }

  get fastZero(): boolean {
    return (this.flags & commandFlag.fastZero) !== 0;
  }

  get requestOne(): boolean {
    return (this.flags & commandFlag.requestOne) !== 0;
  }

  get abandoned(): boolean {
    return this.#owner.over;
  }

  get isRead(): boolean {
    return this.command === command.read;
  }

  keep(): void {
    assert(!this.ended, "only a request under way is kept");
    if (!this.kept) this.#owner.keepRequest(this, true);
    this.kept = true;
  }

  keepWithoutPayload(): void {
    assert(!this.ended && !this.isRead, "only a request under way is kept, and a read needs its memory");
    if (!this.kept) this.#owner.keepRequest(this, false);
    this.kept = true;
    this.#owner.dropPayload(this);
    this.buffer = noBytes;
    this.start = 0;
  }

  complete(error: number): void {
    assert(!this.ended, "a request ends once");
    assert(this.command !== command.blockStatus || error !== nbdError.ok, "a block status ends with its extents");
    this.ended = true;
    this.error = error;
    this.#owner.requestEnded(this);
  }

  completeStatus(extents: readonly (readonly StatusExtent[])[]): void {
    assert(!this.ended, "a request ends once");
    assert(extents.length === this.contexts.length, "every context asked for is answered");
    this.ended = true;
    this.error = nbdError.ok;
    this.extents = extents;
    this.#owner.requestEnded(this);
  }
}
