/** What is said between the remote side and the process that keeps its store. */
import type { SealRequest } from "#src/appliance/remote/group-sealing.ts";
import type { SealFigures } from "#src/store/segment-store.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import type { Config } from "./config-schema.ts";

export interface StoreSettings {
  readonly config: Config;
  /** Of the objects. */
  readonly folder: string;
  /** Of what can be made anew from them. */
  readonly indexFolder: string;
  /** Undefined: the store is not encrypted. */
  readonly wrappingKey: SentKey | undefined;
}

/** A key on its way to another process: what it is there is made of it anew. */
export interface SentKey {
  readonly text: Buffer;
  readonly from: string;
}

export function sentKey(key: WrappingKey): SentKey {
  return { text: Buffer.from(key.bytes.toString("hex")), from: key.from };
}

export function receivedKey(sent: SentKey | undefined): WrappingKey | undefined {
  return sent === undefined ? undefined : WrappingKey.parse(Buffer.from(sent.text), sent.from);
}

export type StoreAsk =
  | { readonly id: number; readonly word: "seal"; readonly request: SealRequest }
  | { readonly id: number; readonly word: "stop" };

export type StoreAnswer =
  /** `isThere`: the store has the segment. One without a single slot it has not, and need not. */
  | { readonly id: number; readonly figures: SealFigures; readonly isThere: boolean }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };
