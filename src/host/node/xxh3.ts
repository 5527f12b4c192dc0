/**
 * XXH3 by way of the native package `xxhash-addon`. Its own interface makes a new buffer for each answer, which costs four
 * times what the hash of a block does; so its functions are called through Node's foreign function interface where that
 * is there, and by its own interface where it is not. Both give the same values.
 */
import { createRequire } from "node:module";
import { assert } from "#src/core/assert.ts";
import { openLibrary } from "./foreign-library.ts";

export const checksumBytes = 8;

interface Addon {
  readonly XXHash3: { hash(data: Uint8Array): Uint8Array };
}

type Hash = (bytes: Buffer, start: number, end: number) => void;

const require = createRequire(import.meta.url);
const { XXHash3 } = require("xxhash-addon") as Addon;

/** The last result, in the two forms that it is asked for. */
const result = new BigUint64Array(1);
const resultBytes = new Uint8Array(result.buffer);

const hash: Hash = bindNative() ?? hashByAddon;

function hashByAddon(bytes: Buffer, start: number, end: number): void {
  // The addon answers in the canonical order, most significant byte first.
  const answer = XXHash3.hash(bytes.subarray(start, end));
  for (let at = 0; at < checksumBytes; at++) resultBytes[at] = answer[checksumBytes - 1 - at] as number;
}

function bindNative(): Hash | undefined {
  const find = require("node-gyp-build") as { path(folder: string): string };
  const library = openLibrary(() =>
    find.path(require.resolve("xxhash-addon/package.json").replace(/package\.json$/, "")),
  );
  if (library === undefined) return undefined;
  const xxh3 = library.get("XXH3_64bits", { arguments: ["pointer", "u64"], return: "u64" });
  const { addressOf } = library;
  // Mostly it is a block behind a block: to make these numbers anew costs a part of what the hash does.
  let length = 0;
  let lengthBig = 0n;
  return (bytes, start, end) => {
    if (end - start !== length) {
      length = end - start;
      lengthBig = BigInt(length);
    }
    const address = addressOf(bytes);
    result[0] = xxh3(start === 0 ? address : address + BigInt(start), lengthBig) as bigint;
  };
}

/** Writes the checksum of `bytes` from `start` to `end` into `target`. */
export function putChecksum(bytes: Buffer, start: number, end: number, target: Uint8Array, at: number): void {
  assert(start <= end && end <= bytes.length, "what is summed lies within its buffer");
  hash(bytes, start, end);
  for (let index = 0; index < checksumBytes; index++) target[at + index] = resultBytes[index] as number;
}

/** Whether the checksum of `bytes` from `start` to `end` is the one that lies in `target`. */
export function hasChecksum(bytes: Buffer, start: number, end: number, target: Uint8Array, at: number): boolean {
  assert(start <= end && end <= bytes.length, "what is summed lies within its buffer");
  hash(bytes, start, end);
  for (let index = 0; index < checksumBytes; index++) {
    if (target[at + index] !== resultBytes[index]) return false;
  }
  return true;
}
