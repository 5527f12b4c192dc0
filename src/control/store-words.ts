/** What is said between the remote side and the process that keeps its store. */
import type { SealRequest } from "#src/appliance/remote/group-sealing.ts";
import type { SealFigures } from "#src/store/segment-store.ts";
import type { Config } from "./config-schema.ts";

export interface StoreSettings {
  readonly config: Config;
  /** Of the objects. */
  readonly folder: string;
  /** Of what can be made anew from them. */
  readonly indexFolder: string;
}

export type StoreAsk =
  | { readonly id: number; readonly word: "seal"; readonly request: SealRequest }
  | { readonly id: number; readonly word: "stop" };

export type StoreAnswer =
  /** `isThere`: the store has the segment. One without a single slot it has not, and need not. */
  | { readonly id: number; readonly figures: SealFigures; readonly isThere: boolean }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };
