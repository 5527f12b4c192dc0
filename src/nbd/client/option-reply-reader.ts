/**
 * Frames a server's bytes during the handshake: a greeting, replies to options, the bare answer to EXPORT_NAME. It
 * holds one longest reply at most, and counts what a server says to one option.
 */
import { assert } from "#src/core/assert.ts";
import { get16, get64 } from "#src/core/big-endian.ts";
import { nbdClientOptionRepliesBytesMax, nbdClientOptionReplyBytesMax } from "#src/core/nbd-limits.ts";
import { exportNamePaddingBytes, optionReplyHeaderBytes } from "../constants.ts";
import { decodeGreeting, decodeOptionReplyHeader, greetingBytes } from "../option-codec.ts";
import { NbdProtocolError } from "./errors.ts";
import { checkedFlags, checkedSize, type ExportDetails } from "./export-details.ts";

export interface OptionReply {
  readonly type: number;
  /** Valid until the next call of `target`. */
  readonly data: Buffer;
}

export class OptionReplyReader {
  readonly #bytes = Buffer.allocUnsafe(optionReplyHeaderBytes + nbdClientOptionReplyBytesMax);
  #from = 0;
  #to = 0;
  #option = 0;
  #optionBytes = 0;

  target(): Buffer {
    this.#bytes.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    assert(this.#to < this.#bytes.length, "a longest reply fits into the buffer");
    return this.#bytes.subarray(this.#to);
  }

  received(byteLength: number): void {
    this.#to += byteLength;
  }

  get bufferedBytes(): number {
    return this.#to - this.#from;
  }

  /** Whatever comes from now on must be about this option. */
  expect(option: number): void {
    this.#option = option;
    this.#optionBytes = 0;
  }

  /** The server's handshake flags, as soon as its greeting is here. */
  takeGreeting(): number | undefined {
    if (this.bufferedBytes < greetingBytes) return undefined;
    const flags = decodeGreeting(this.#bytes.subarray(this.#from, this.#to));
    if (flags === undefined) throw new NbdProtocolError("this is no NBD server, or one of before 2011");
    this.#from += greetingBytes;
    return flags;
  }

  takeReply(): OptionReply | undefined {
    if (this.bufferedBytes < optionReplyHeaderBytes) return undefined;
    const header = decodeOptionReplyHeader(this.#bytes, this.#from);
    if (header === undefined) throw new NbdProtocolError("a reply to an option begins with a wrong magic number");
    if (header.option !== this.#option) {
      throw new NbdProtocolError(`a reply is about option ${header.option}, but ${this.#option} was sent`);
    }
    if (header.dataBytes > nbdClientOptionReplyBytesMax) {
      throw new NbdProtocolError(`a reply to option ${header.option} has ${header.dataBytes} bytes, which is too long`);
    }
    const end = this.#from + optionReplyHeaderBytes + header.dataBytes;
    if (this.#to < end) return undefined;
    this.#optionBytes += end - this.#from;
    if (this.#optionBytes > nbdClientOptionRepliesBytesMax) {
      throw new NbdProtocolError(`the replies to option ${header.option} are too long together`);
    }
    const data = this.#bytes.subarray(this.#from + optionReplyHeaderBytes, end);
    this.#from = end;
    return { type: header.type, data };
  }

  /** The answer to EXPORT_NAME. */
  takeExport(padded: boolean): ExportDetails | undefined {
    const byteLength = 10 + (padded ? exportNamePaddingBytes : 0);
    if (this.bufferedBytes < byteLength) return undefined;
    const sizeBytes = checkedSize(get64(this.#bytes, this.#from));
    const flags = checkedFlags(get16(this.#bytes, this.#from + 8));
    this.#from += byteLength;
    return { sizeBytes, flags };
  }
}
