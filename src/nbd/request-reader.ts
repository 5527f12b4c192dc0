/**
 * Cuts what arrives into requests. A request that is whole in the bytes at hand is passed on where it lies; only one
 * that came in part costs a copy, and the rest of a large payload is read straight into its own memory.
 *
 * The state is one of: between requests, in a header (`#headerFilled` > 0), in a payload (`#body`), in the payload of a
 * refused request (`#skipBytes` > 0). A header that is complete in `#headerPart` waits for permission to begin.
 */
import { assert } from "#src/core/assert.ts";
import { nbdDirectReadBytes, nbdSkipBytesMax } from "#src/core/nbd-limits.ts";
import { command, extendedRequestHeaderBytes, nbdError } from "./constants.ts";
import type { MemoryShare } from "./memory.ts";
import { decodeRequest, emptyRequestHeader, type RequestHeader, requestHeaderLength } from "./request-codec.ts";
import type { SharedBuffers } from "./shared-buffers.ts";

/** Who takes the requests. */
export interface RequestSink {
  /** Whether another request may begin now. */
  ready(): boolean;
  /** 0, or the error to refuse the request with. */
  check(header: Readonly<RequestHeader>): number;
  /** Whether there is memory for a request that was found valid. */
  hasRoomFor(header: Readonly<RequestHeader>): boolean;
  /** A valid request with its payload. With `owned` the payload is the sink's to give back; else it lasts as long as the batch. */
  accept(header: Readonly<RequestHeader>, bytes: Buffer, payloadStart: number, owned: boolean): void;
  /** A request that is refused; its payload was skipped. */
  refuse(header: Readonly<RequestHeader>, error: number): void;
}

type Next = "go-on" | "stop";

export class RequestReader {
  readonly #shared: SharedBuffers;
  readonly #memory: MemoryShare;
  readonly #sink: RequestSink;
  readonly #extended: boolean;
  readonly #headerBytes: number;
  readonly #header: RequestHeader = emptyRequestHeader();
  readonly #headerPart: Buffer = Buffer.alloc(extendedRequestHeaderBytes);
  #headerFilled = 0;
  #begunCount = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;
  #skipBytes = 0;
  #refusal = 0;
  #ending: "disconnect" | "protocol-error" | undefined;
  /** Where the next byte to be understood lies in the bytes being parsed. */
  #at = 0;

  constructor(shared: SharedBuffers, memory: MemoryShare, extended: boolean, sink: RequestSink) {
    this.#shared = shared;
    this.#memory = memory;
    this.#extended = extended;
    this.#headerBytes = requestHeaderLength(extended);
    this.#sink = sink;
  }

  /** Set once no more requests will come: the peer said goodbye, or something that is not NBD. */
  get ending(): "disconnect" | "protocol-error" | undefined {
    return this.#ending;
  }

  /** A request that has begun to arrive: its number among all, and how much it has to bring. */
  get partial(): { readonly number: number; readonly byteLength: number } | undefined {
    if (this.#headerFilled > 0) return { number: this.#begunCount + 1, byteLength: this.#headerBytes };
    if (this.#body === undefined && this.#skipBytes === 0) return undefined;
    return { number: this.#begunCount, byteLength: this.#header.payloadBytes };
  }

  /** Where the next bytes are best put. */
  target(mayWait = false): Buffer {
    const { landing, porch, memory } = this.#shared;
    if (this.#body !== undefined) {
      const missing = this.#header.payloadBytes - this.#bodyFilled;
      if (missing >= nbdDirectReadBytes || memory.scarce) {
        return this.#body.subarray(this.#bodyFilled, this.#header.payloadBytes);
      }
    }
    // When memory is scarce no more is taken in than surely can be kept: a header.
    if (memory.scarce) return landing.subarray(0, Math.max(1, this.#headerBytes - this.#headerFilled));
    return mayWait ? porch : landing;
  }

  /** `byteLength` bytes arrived in what `target` gave; true if they are where they belong and nothing is to be parsed. */
  arrivedInPlace(buffer: Buffer, byteLength: number): boolean {
    if (this.#body === undefined || buffer.buffer !== this.#body.buffer) return false;
    this.#bodyFilled += byteLength;
    if (this.#bodyFilled === this.#header.payloadBytes) this.#deliverBody();
    return true;
  }

  /** Passes on the requests in `bytes` from `start` to `end`; returns where it stopped, which is `end` unless the sink was not ready. */
  parse(bytes: Buffer, start: number, end: number): number {
    this.#at = start;
    while (this.#ending === undefined && (this.#at < end || this.#headerFilled === this.#headerBytes)) {
      if (this.#step(bytes, end) === "stop") break;
    }
    return this.#ending === undefined ? this.#at : end;
  }

  #step(bytes: Buffer, end: number): Next {
    if (this.#skipBytes > 0) return this.#skip(end);
    if (this.#body !== undefined) return this.#fillBody(this.#body, bytes, end);
    if (!this.#sink.ready()) return "stop";
    if (this.#headerFilled === 0 && end - this.#at >= this.#headerBytes) {
      return this.#begin(bytes, this.#at, this.#at + this.#headerBytes, end, bytes);
    }
    this.#at += this.#fillHeader(bytes, end);
    if (this.#headerFilled < this.#headerBytes) return "go-on";
    return this.#begin(this.#headerPart, 0, this.#at, end, bytes);
  }

  #fillHeader(bytes: Buffer, end: number): number {
    const count = bytes.copy(
      this.#headerPart,
      this.#headerFilled,
      this.#at,
      Math.min(end, this.#at + this.#headerBytes - this.#headerFilled),
    );
    this.#headerFilled += count;
    return count;
  }

  /** A header is complete at `headerAt` of `headerIn`; its payload begins at `payloadAt` of `bytes`. */
  #begin(headerIn: Buffer, headerAt: number, payloadAt: number, end: number, bytes: Buffer): Next {
    const header = this.#header;
    if (!decodeRequest(headerIn, headerAt, this.#extended, header)) return this.#end("protocol-error");
    if (header.type === command.disconnect) return this.#end("disconnect");
    const { payloadBytes } = header;
    this.#begunCount++;
    const error = this.#sink.check(header);
    if (error !== nbdError.ok) {
      if (payloadBytes > nbdSkipBytesMax) return this.#end("protocol-error");
      this.#headerFilled = 0;
      this.#at = payloadAt;
      this.#refusal = error;
      this.#skipBytes = payloadBytes;
      if (payloadBytes === 0) this.#sink.refuse(header, error);
      return "go-on";
    }
    if (!this.#sink.hasRoomFor(header)) return "stop";
    this.#headerFilled = 0;
    this.#at = payloadAt;
    if (end - payloadAt >= payloadBytes) {
      this.#at += payloadBytes;
      this.#sink.accept(header, bytes, payloadAt, false);
    } else {
      this.#body = this.#memory.take(payloadBytes);
      this.#bodyFilled = 0;
    }
    return "go-on";
  }

  #skip(end: number): Next {
    const count = Math.min(this.#skipBytes, end - this.#at);
    this.#skipBytes -= count;
    this.#at += count;
    if (this.#skipBytes === 0) this.#sink.refuse(this.#header, this.#refusal);
    return "go-on";
  }

  #fillBody(body: Buffer, bytes: Buffer, end: number): Next {
    const wanted = this.#header.payloadBytes - this.#bodyFilled;
    const count = bytes.copy(body, this.#bodyFilled, this.#at, Math.min(end, this.#at + wanted));
    this.#bodyFilled += count;
    this.#at += count;
    if (count === wanted) this.#deliverBody();
    return "go-on";
  }

  #deliverBody(): void {
    const body = this.#body;
    assert(body !== undefined && this.#bodyFilled === this.#header.payloadBytes, "the payload is complete");
    this.#body = undefined;
    this.#sink.accept(this.#header, body, 0, true);
  }

  #end(why: "disconnect" | "protocol-error"): Next {
    this.#ending = why;
    return "stop";
  }

  /** The connection is gone. */
  drop(): void {
    if (this.#body !== undefined) this.#memory.give(this.#body);
    this.#body = undefined;
    this.#ending ??= "disconnect";
  }
}
