/**
 * The key that the keys of an encrypted store are wrapped by. It is kept outside of the store, and nowhere shown: neither
 * it nor the command that prints it gets into an error.
 */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { wrappingKeyTextBytesMax } from "#src/core/store-limits.ts";
import type { Files } from "#src/host/files.ts";
import { encryptionKeyBytes } from "#src/host/part-encryption.ts";
import { systemReason } from "#src/host/system-words.ts";

/** Where it comes from. The names are those of the configuration. */
export type WrappingKeySource = { readonly keyFile: string } | { readonly keyCommand: string };

export interface WrappingKeyPorts {
  readonly files: Pick<Files, "open">;
  /** What a command of the shell prints: not more than so many bytes. */
  readonly commandOutput: (command: string, bytesMax: number) => Promise<Buffer>;
}

const inWords = "64 hexadecimal digits, as 'openssl rand -hex 32' makes them";

export class WrappingKey {
  /** For people: which one it is. */
  readonly from: string;
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer, from: string) {
    this.#bytes = bytes;
    this.from = from;
  }

  /** `from`: for example `the file /etc/tidemark/store.key`. */
  static parse(text: Buffer, from: string): WrappingKey {
    const digits = text.toString("latin1").trim();
    const isKey = /^[0-9a-fA-F]+$/.test(digits) && digits.length === encryptionKeyBytes * 2;
    if (!isKey) throw new RefuseError(`${from} holds no key: a key is ${inWords}`);
    return new WrappingKey(Buffer.from(digits, "hex"), from);
  }

  static readFile(files: Pick<Files, "open">, path: string): WrappingKey {
    return WrappingKey.parse(readKeyFile(files, path), `the key file ${path}`);
  }

  static async read(source: WrappingKeySource, ports: WrappingKeyPorts): Promise<WrappingKey> {
    if ("keyFile" in source) return WrappingKey.readFile(ports.files, source.keyFile);
    return WrappingKey.parse(await outputOf(source.keyCommand, ports), "what the key command prints");
  }

  get bytes(): Buffer {
    return this.#bytes;
  }
}

function readKeyFile(files: Pick<Files, "open">, path: string): Buffer {
  try {
    const handle = files.open(path, "read");
    try {
      const bytes = Buffer.alloc(wrappingKeyTextBytesMax + 1);
      return bytes.subarray(0, handle.readNow(bytes, 0, bytes.length, 0));
    } finally {
      handle.close();
    }
  } catch (error) {
    const why = systemReason(error) ?? (error as Error).message;
    throw new RefuseError(`the key file ${path} cannot be read: ${why}`, { cause: error });
  }
}

async function outputOf(command: string, { commandOutput }: WrappingKeyPorts): Promise<Buffer> {
  try {
    return await commandOutput(command, wrappingKeyTextBytesMax);
  } catch (error) {
    // Where the key comes from may be out of reach for a while.
    throw new RetryError(`the store's key cannot be had: ${(error as Error).message}`, { cause: error });
  }
}
