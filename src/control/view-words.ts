/** What is said between the remote side and the process that serves views. */
import type { SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import type { PointAnswer } from "#src/synth/point-answer.ts";
import type { PointDifference, WantedDifference } from "#src/synth/point-changes.ts";
import type { TimelineSpan } from "#src/synth/timeline-span.ts";
import type { VolumeTimeline } from "#src/synth/volume-timeline.ts";
import type { WriteDensity } from "#src/synth/write-density.ts";
import type { Config } from "./config-schema.ts";
import type { DensityWish } from "./density.ts";
import type { SentError } from "./store-errors.ts";
import type { SentKey } from "./store-words.ts";
import type { ViewDefinition, ViewFigures } from "./view.ts";

export interface ViewSettings {
  readonly config: Config;
  /** Of the objects. */
  readonly storeFolder: string;
  /** Where each group has its journals. */
  readonly groupsFolder: string;
  /** Of the store; undefined: it is not encrypted. */
  readonly wrappingKey: SentKey | undefined;
  readonly address: SocketAddress;
  readonly tls: TlsCredentials | undefined;
}

/** Where a point is looked for. */
export interface PointPlace {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly volume: number;
  /** The group's records up to there are durable. */
  readonly durableSeq: number;
}

export interface OpenViewAsk {
  readonly view: ViewDefinition;
  /** Of its own journals. */
  readonly folder: string;
  readonly durableSeq: number;
}

export interface ClosedView {
  /** Why nobody knows that all that was written is durable. Absent: it is. */
  readonly lost?: string;
  /** It was written to more often than it was to be, and is as it was, but for its clients, who were hung up on. Absent: it is closed. */
  readonly isWritten?: true;
}

export interface ViewWords {
  /** Opens the door. Answers where. */
  listen: { readonly ask: null; readonly answer: SocketAddress };
  resolve: { readonly ask: PointPlace & { readonly words: string }; readonly answer: PointAnswer };
  open: { readonly ask: OpenViewAsk; readonly answer: ViewFigures };
  /** Its export is gone when this is answered. Nothing happens where it is not open. */
  /** `changes`: it must have been written to so often. */
  close: { readonly ask: { readonly id: string; readonly changes?: number }; readonly answer: ClosedView };
  facts: { readonly ask: null; readonly answer: readonly ViewFigures[] };
  /** Of two points in either order. */
  difference: { readonly ask: PointPlace & WantedDifference; readonly answer: PointDifference };
  /** What the volume's history is, and what points in words that bound it stand for. */
  history: {
    readonly ask: PointPlace & { readonly from: string | undefined; readonly to: string | undefined };
    readonly answer: { readonly timeline: VolumeTimeline; readonly span: TimelineSpan };
  };
  /** Of seqs that were points of the volume once, those that still are. */
  stillPoints: {
    readonly ask: PointPlace & { readonly seqs: readonly number[] };
    readonly answer: readonly number[];
  };
  density: { readonly ask: PointPlace & Omit<DensityWish, "volume">; readonly answer: WriteDensity };
  stop: { readonly ask: null; readonly answer: null };
}

export type ViewWord = keyof ViewWords;

export type ViewActions = {
  readonly [Word in ViewWord]: (ask: ViewWords[Word]["ask"]) => Promise<ViewWords[Word]["answer"]>;
};

export interface ViewAsk {
  readonly id: number;
  readonly word: ViewWord;
  readonly ask: unknown;
}

/** Comes from the process by itself: a read of a view has met damage in this segment of the store. */
export interface DamageNews {
  readonly metDamage: number;
}

export type ViewAnswer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: SentError };
