/** What is said between the remote side and the process that carries out one restore. */
import type { Config } from "./config-schema.ts";
import type { PointReadersPlace } from "./point-readers.ts";
import type { RestoreRequest } from "./restore.ts";
import type { SentError } from "./store-errors.ts";
import type { WorkNews, WorkResult } from "./store-work.ts";

export interface RestoreSettings extends PointReadersPlace {
  readonly config: Config;
  readonly request: RestoreRequest;
  /** As people know the group of the point. */
  readonly groupName: string;
  /** The group's records up to there are durable. */
  readonly durableSeq: number;
  /** Where views have their own journals. */
  readonly viewsFolder: string;
  /** What is noted of it, for whoever goes on. */
  readonly sumsPath: string;
}

/** The last word is a result or an error. `asks`: how far its own volume's group is durable, with all that was written to it so far. */
export type RestoreNews =
  | { readonly news: WorkNews }
  | { readonly asks: "durable" }
  | { readonly result: WorkResult }
  | { readonly error: SentError };

/** To it: end where that is safe, or what it has asked for. */
export type RestoreOrderWord = "end" | { readonly durableSeq: number };
