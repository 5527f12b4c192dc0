/**
 * Frames the client's bytes during the handshake: flags, then options. Pure. It holds at most one option's bytes and
 * skips an option that is too long to be understood, so that the client can be told.
 */
import { get32 } from "#src/core/big-endian.ts";
import { nbdOptionBytesMax, nbdOptionCountMax, nbdOptionSkipBytesMax } from "#src/core/nbd-limits.ts";
import { handshakeFlag, option, optionError, optionHeaderBytes } from "./constants.ts";
import type { ExportDirectory } from "./export.ts";
import { Handshake, type Outcome, refuse, type TlsPolicy } from "./handshake.ts";
import { decodeOptionHeader, type OptionHeader } from "./option-codec.ts";

export type HandshakeState =
  | { readonly name: "client-flags" }
  | { readonly name: "option-header" }
  | { readonly name: "option-data"; readonly header: OptionHeader }
  | { readonly name: "skip"; readonly header: OptionHeader; remaining: number }
  | { readonly name: "secure" }
  | { readonly name: "transmit" }
  | { readonly name: "closed"; readonly why: string };

export class HandshakeReader {
  readonly #exports: ExportDirectory;
  readonly #tls: TlsPolicy;
  #handshake: Handshake | undefined;
  #state: HandshakeState = { name: "client-flags" };
  #held: Buffer = Buffer.alloc(0);
  #optionCount = 0;

  constructor(exports: ExportDirectory, tls: TlsPolicy) {
    this.#exports = exports;
    this.#tls = tls;
  }

  get state(): HandshakeState {
    return this.#state;
  }

  get handshake(): Handshake {
    if (this.#handshake === undefined) throw new Error("no client flags yet");
    return this.#handshake;
  }

  /** What came behind the handshake's last message: the first requests of a client that did not wait. */
  takeRest(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }

  /** TLS stands; the haggling goes on from the start. */
  secured(): void {
    this.handshake.secured();
    this.#state = { name: "option-header" };
  }

  /** Takes bytes in and gives back what to send. Stops at `secure`, `transmit` and `closed`. */
  push(bytes: Buffer): Buffer[] {
    if (this.#state.name === "closed") return [];
    this.#held = this.#held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    const replies: Buffer[] = [];
    while (this.#step(replies));
    // What is left is often a small part of what came: a view of it would keep all of that.
    if (this.#state.name !== "transmit") this.#held = Buffer.from(this.#held);
    return replies;
  }

  /** Answers whether there may be more to do. */
  #step(replies: Buffer[]): boolean {
    const state = this.#state;
    switch (state.name) {
      case "client-flags":
        return this.#clientFlags();
      case "option-header":
        return this.#optionHeader();
      case "option-data": {
        if (this.#held.length < state.header.dataBytes) return false;
        const data = this.#takeHeld(state.header.dataBytes);
        return this.#go(this.handshake.option(state.header.option, data), replies);
      }
      case "skip": {
        const skipped = Math.min(state.remaining, this.#held.length);
        this.#takeHeld(skipped);
        state.remaining -= skipped;
        if (state.remaining > 0) return false;
        return this.#go(refuse(state.header.option, optionError.tooBig, "the option is too long"), replies);
      }
      default:
        return false;
    }
  }

  #clientFlags(): boolean {
    if (this.#held.length < 4) return false;
    const flags = get32(this.#takeHeld(4), 0);
    if ((flags & ~(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)) !== 0)
      return this.#close("unknown client flags");
    this.#handshake = new Handshake(this.#exports, this.#tls, (flags & handshakeFlag.noZeroes) !== 0);
    this.#state = { name: "option-header" };
    return true;
  }

  #optionHeader(): boolean {
    if (this.#held.length < optionHeaderBytes) return false;
    const header = decodeOptionHeader(this.#takeHeld(optionHeaderBytes), 0);
    if (header === undefined) return this.#close("not an NBD option");
    if (++this.#optionCount > nbdOptionCountMax) return this.#close("too many options");
    // EXPORT_NAME has no way to say no but hanging up.
    const refusable = header.option !== option.exportName || header.dataBytes <= nbdOptionBytesMax;
    if (!refusable || header.dataBytes > nbdOptionSkipBytesMax) return this.#close("an option far too long");
    this.#state =
      header.dataBytes > nbdOptionBytesMax
        ? { name: "skip", header, remaining: header.dataBytes }
        : { name: "option-data", header };
    return true;
  }

  #go(outcome: Outcome, replies: Buffer[]): boolean {
    replies.push(...outcome.replies);
    switch (outcome.next) {
      case "haggle":
        this.#state = { name: "option-header" };
        return true;
      case "secure":
        // Plain text that came before its time is somebody's attempt to have it taken for what came through TLS.
        if (this.#held.length > 0) return this.#close("plain text behind STARTTLS");
        this.#state = { name: "secure" };
        return false;
      case "transmit":
        this.#state = { name: "transmit" };
        return false;
      case "close":
        return this.#close("the client is done");
    }
  }

  #close(why: string): false {
    this.#state = { name: "closed", why };
    this.#held = Buffer.alloc(0);
    return false;
  }

  #takeHeld(byteLength: number): Buffer {
    const taken = this.#held.subarray(0, byteLength);
    this.#held = this.#held.subarray(byteLength);
    return taken;
  }
}
