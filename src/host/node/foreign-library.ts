/**
 * Functions of native libraries, through Node's own foreign function interface. The interface is experimental, so every
 * caller has another way when there is none, and the runtime is pinned. TIDEMARK_NO_FFI=1 does without it.
 */
import { createRequire } from "node:module";

type Ffi = typeof import("node:ffi");

export interface ForeignSignature {
  readonly arguments: readonly ("i32" | "i64" | "u64" | "pointer")[];
  readonly return: "i32" | "i64" | "u64" | "pointer";
}

export interface ForeignLibrary {
  get(name: string, signature: ForeignSignature): (...values: (number | bigint)[]) => number | bigint;
  /** Where a buffer's memory lies. It does not move, so this is asked for once per buffer. */
  addressOf(buffer: Buffer): bigint;
  readInt32(address: bigint): number;
}

/** Undefined where the interface, the library or one of its parts is missing. */
export function openLibrary(path: () => string): ForeignLibrary | undefined {
  const ffi = loadInterface();
  if (ffi === undefined) return undefined;
  try {
    const library = new ffi.DynamicLibrary(path());
    return {
      get: (name, { arguments: parameters, return: result }) =>
        library.getFunction(name, { arguments: [...parameters], return: result }) as (
          ...values: (number | bigint)[]
        ) => number | bigint,
      addressOf: addressBook(ffi),
      readInt32: (address) => ffi.getInt32(address, 0),
    };
  } catch {
    return undefined;
  }
}

function loadInterface(): Ffi | undefined {
  if (process.platform !== "linux" || process.env.TIDEMARK_NO_FFI === "1") return undefined;
  const { emitWarning } = process;
  try {
    // The warning that it is experimental is for this file to know, not for every user of every program.
    process.emitWarning = () => {};
    return createRequire(import.meta.url)("node:ffi") as Ffi;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function addressBook(ffi: Ffi): (buffer: Buffer) => bigint {
  const known = new WeakMap<Buffer, bigint>();
  return (buffer) => {
    let found = known.get(buffer);
    if (found === undefined) {
      found = ffi.getRawPointer(buffer);
      known.set(buffer, found);
    }
    return found;
  };
}
