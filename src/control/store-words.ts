/** What is said between the remote side and the process that keeps its store. */

import type { SealRequest } from "#src/appliance/remote/group-sealing.ts";
import type { ConfirmRequest } from "#src/journals/journal-confirmation.ts";
import type { JournalStart } from "#src/journals/journal-start.ts";
import type { SealedPart } from "#src/journals/sealed-journals.ts";
import type { SealFigures } from "#src/store/segment-store.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import type { HistoryPin } from "#src/synth/history-document.ts";
import type { SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import type { WantedBlock } from "#src/wire/group-link.ts";
import type { Config } from "./config-schema.ts";
import type { MadeSnapshot, SnapshotFacts } from "./snapshot-facts.ts";
import type { SentError } from "./store-errors.ts";
import type { KeyFacts } from "./store-key-orders.ts";
import type { StoreState } from "./store-state.ts";
import type { WorkNews, WorkRequest, WorkResult } from "./store-work.ts";

export interface SnapshotAsk {
  readonly group: string;
  /** Within the group. */
  readonly volume: number;
  /** It is sealed. */
  readonly seq: number;
}

export interface StoreSettings {
  readonly config: Config;
  /** Of the objects. */
  readonly folder: string;
  /** Of what can be made anew from them. */
  readonly indexFolder: string;
  /** The process before this one was ended by the system: perhaps by a damaged index. */
  readonly isIndexSuspect: boolean;
  /** By what the store knows who writes to it, and which one it is, if it was there before. Undefined: any will do. */
  readonly binding?: { readonly holder: string; readonly store: string | undefined };
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
  confirmRecords: { readonly ask: ConfirmRequest; readonly answer: JournalStart };
  sealRecords: { readonly ask: SealedPart; readonly answer: { readonly storedSeq: number } };
  /** Durable when it is answered. Another pin of the same id is moved. */
  pin: { readonly ask: { readonly group: string; readonly pin: HistoryPin }; readonly answer: null };
  /** Nothing happens where there is none. */
  unpin: { readonly ask: { readonly group: string; readonly id: string }; readonly answer: null };
  /** Of the group, the newest last. `volume`: within the group. */
  snapshots: {
    readonly ask: { readonly group: string; readonly volume: number };
    readonly answer: readonly SnapshotFacts[];
  };
  /** Beside sealing; it hurries. */
  makeSnapshot: { readonly ask: SnapshotAsk; readonly answer: MadeSnapshot };
  removeSnapshot: { readonly ask: { readonly group: string; readonly seq: number }; readonly answer: null };
  inspectSnapshot: {
    readonly ask: { readonly group: string; readonly seq: number };
    readonly answer: readonly SnapshotDescriptionItem[];
  };
  /** Beside sealing, one at a time. */
  work: { readonly ask: WorkRequest; readonly answer: WorkResult };
  /** The work under way is to end; it answers for itself, when it has. */
  endWork: { readonly ask: null; readonly answer: null };
  /** A read has met damage in the segment: it is checked next, and repaired as far as can be. */
  suspect: { readonly ask: { readonly segment: number }; readonly answer: null };
  /** What came of a `StoreRecall`: less than was asked for where nobody could be asked; null is not there. */
  recalled: {
    readonly ask: { readonly id: number; readonly blocks: readonly (Buffer | null)[] };
    readonly answer: null;
  };
  /** None: the store is not encrypted. */
  keys: { readonly ask: null; readonly answer: readonly KeyFacts[] };
  /** Answers the id of the copy that it opens. */
  addKey: { readonly ask: SentKey; readonly answer: string };
  removeKey: { readonly ask: { readonly copyId: string }; readonly answer: null };
  /** Opens the store; what it holds is told by itself. */
  wake: { readonly ask: null; readonly answer: null };
  stop: { readonly ask: null; readonly answer: null };
}

export type StoreWord = keyof StoreWords;

/** What is done beside sealing, and does not wait for it. */
export const wordsBeside: ReadonlySet<StoreWord> = new Set([
  "snapshots",
  "makeSnapshot",
  "removeSnapshot",
  "inspectSnapshot",
  "recalled",
]);

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

/** Comes from the process by itself, every few seconds. */
export interface StoreBeat {
  readonly beat: {
    /** Another number, and it has got on. */
    readonly steps: number;
    readonly work: WorkNews | undefined;
    /** Undefined: it is not open. */
    readonly state: StoreState | undefined;
  };
}

/** Comes from the process by itself: it asks a group's local appliance for blocks that the store has lost. */
export interface StoreRecall {
  readonly recall: { readonly id: number; readonly group: string; readonly wanted: readonly WantedBlock[] };
}
