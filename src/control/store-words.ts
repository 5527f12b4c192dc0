/** What is said between the remote side and the process that keeps its store. */
import type { RecordsRequest, SealRequest } from "#src/appliance/remote/group-sealing.ts";
import type { SealFigures } from "#src/store/segment-store.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import type { Config } from "./config-schema.ts";
import type { SentError } from "./store-errors.ts";

export interface StoreSettings {
  readonly config: Config;
  /** Of the objects. */
  readonly folder: string;
  /** Of what can be made anew from them. */
  readonly indexFolder: string;
  /** The process before this one was ended by the system: perhaps by a damaged index. */
  readonly isIndexSuspect: boolean;
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

/** What can be asked of the process, and what comes back. */
export interface StoreWords {
  /** `isThere`: the store has the segment. One without a single slot it has not, and need not. */
  seal: { readonly ask: SealRequest; readonly answer: { readonly figures: SealFigures; readonly isThere: boolean } };
  sealRecords: { readonly ask: RecordsRequest; readonly answer: { readonly storedSeq: number } };
  stop: { readonly ask: null; readonly answer: null };
}

export type StoreWord = keyof StoreWords;

/** How the process acts on each word. */
export type StoreActions = {
  readonly [Word in StoreWord]: (ask: StoreWords[Word]["ask"]) => Promise<StoreWords[Word]["answer"]>;
};

export interface StoreAsk {
  readonly id: number;
  readonly word: StoreWord;
  readonly ask: unknown;
}

export type StoreAnswer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: SentError };
