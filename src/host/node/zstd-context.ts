/**
 * Contexts of zstd that are used again and again: by way of the handle beneath Node's streams, whose synchronous call takes
 * both buffers from its caller. To make a context for each part costs several times what the part does. None of this is
 * promised by Node, so `openContextCompression` tries first whether it is as it was, and `part-compression.ts` has another way.
 *
 * A context that met an error, or that did not come to the end of its frame, is closed and never used again.
 */
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { assert } from "#src/core/assert.ts";
import type { PartCompression } from "../part-compression.ts";
import { compressedBytesMax, zstdLevel } from "./zstd.ts";
import { isWholeFrame } from "./zstd-frame.ts";

export interface ZstdHandle {
  /** Called in the midst of `writeSync`. */
  onerror: () => void;
  writeSync(
    operation: number,
    input: Buffer,
    inputAt: number,
    inputBytes: number,
    output: Buffer,
    outputAt: number,
    outputBytes: number,
  ): void;
  close(): void;
}

/** What of a stream of Node's is used here. */
export interface ZstdStream {
  readonly _handle?: ZstdHandle;
  /** After a call: room that is left of the output, and what is left of the input. */
  readonly _writeState?: Uint32Array;
}

export interface ZstdStreams {
  compressing(): ZstdStream;
  decompressing(): ZstdStream;
}

export function nodeStreams(level = zstdLevel): ZstdStreams {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return {
    compressing: () => createZstdCompress({ params }) as unknown as ZstdStream,
    decompressing: () => createZstdDecompress() as unknown as ZstdStream,
  };
}

class ZstdContext {
  readonly #handle: ZstdHandle;
  readonly #left: Uint32Array;
  #hasFailed = false;

  constructor(stream: ZstdStream) {
    const { _handle: handle, _writeState: left } = stream;
    if (typeof handle?.writeSync !== "function" || typeof handle.close !== "function") throw new UnlikeNodeError();
    if (!(left instanceof Uint32Array) || left.length !== 2) throw new UnlikeNodeError();
    this.#handle = handle;
    this.#left = left;
    // In the place of the stream's own, which would close the handle in the midst of the call.
    handle.onerror = () => {
      this.#hasFailed = true;
    };
  }

  /** Takes all of the input. Answers how many bytes came of it, or undefined: it failed, and is of no more use. */
  run(input: Buffer, start: number, end: number, output: Buffer, at: number, roomBytes: number): number | undefined {
    // The other side of the handle does not check: it would end the process.
    assert(start >= 0 && start <= end && end <= input.length, "the input lies within its buffer");
    assert(at >= 0 && roomBytes >= 0 && at + roomBytes <= output.length, "so does the output");
    this.#handle.writeSync(constants.ZSTD_e_end, input, start, end - start, output, at, roomBytes);
    if (this.#hasFailed || this.#left[1] !== 0) return undefined;
    return roomBytes - (this.#left[0] as number);
  }

  close(): void {
    this.#handle.close();
  }
}

class UnlikeNodeError extends Error {
  override name = "UnlikeNodeError";
}

export class ContextCompression implements PartCompression {
  readonly #streams: ZstdStreams;
  #compressing: ZstdContext | undefined;
  #decompressing: ZstdContext | undefined;

  constructor(streams: ZstdStreams) {
    this.#streams = streams;
  }

  compress(bytes: Buffer, start: number, end: number, target: Buffer, at: number): number {
    const roomBytes = compressedBytesMax(end - start);
    this.#compressing ??= new ZstdContext(this.#streams.compressing());
    const byteLength = this.#compressing.run(bytes, start, end, target, at, roomBytes);
    assert(byteLength !== undefined && byteLength < roomBytes, "whatever it is, it can be compressed into such room");
    return byteLength;
  }

  decompress(bytes: Buffer, start: number, end: number, target: Buffer, at: number, byteLength: number): boolean {
    // Known beforehand, since the handle does not tell whether it came to the end of a frame.
    if (!isWholeFrame(bytes, start, end, byteLength)) return false;
    this.#decompressing ??= new ZstdContext(this.#streams.decompressing());
    if (this.#decompressing.run(bytes, start, end, target, at, byteLength) === byteLength) return true;
    this.#decompressing.close();
    this.#decompressing = undefined;
    return false;
  }

  /** It may be used again afterwards. */
  close(): void {
    this.#compressing?.close();
    this.#decompressing?.close();
    this.#compressing = undefined;
    this.#decompressing = undefined;
  }
}

/** Undefined: Node is not as it was. */
export function openContextCompression(streams = nodeStreams()): ContextCompression | undefined {
  const compression = new ContextCompression(streams);
  try {
    if (isAsExpected(compression)) return compression;
  } catch {
    // Whatever is in the way, there is another way.
  }
  compression.close();
  return undefined;
}

/** Two parts come and go, and one that is damaged is found between them. */
function isAsExpected(compression: PartCompression): boolean {
  const content = Buffer.from("what comes again and again comes again and again. ".repeat(20));
  const compressed = Buffer.alloc(compressedBytesMax(content.length));
  const end = compression.compress(content, 0, content.length, compressed, 0);
  const again = Buffer.alloc(compressed.length);
  const endAgain = compression.compress(content, 0, content.length, again, 0);
  const isRepeated = end < content.length && endAgain === end && compressed.equals(again);
  return (
    isRepeated &&
    comesBack(compression, compressed, end, content) &&
    refuses(compression) &&
    comesBack(compression, compressed, end, content)
  );
}

function comesBack(compression: PartCompression, bytes: Buffer, end: number, content: Buffer): boolean {
  const target = Buffer.alloc(content.length + 1);
  const isSound = compression.decompress(bytes, 0, end, target, 0, content.length);
  return isSound && target.subarray(0, content.length).equals(content) && target[content.length] === 0;
}

/** The outline of a frame of four bytes, with a block in it that nobody can have written. */
const damaged = Buffer.from("28b52ffd2004250000ffffffff", "hex");
const damagedContentBytes = 4;

function refuses(compression: PartCompression): boolean {
  const target = Buffer.alloc(damagedContentBytes);
  return !compression.decompress(damaged, 0, damaged.length, target, 0, damagedContentBytes);
}
