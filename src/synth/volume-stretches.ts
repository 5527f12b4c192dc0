/** What a group's order is to one of its volumes: stretches in which each record is a point, and what lies between them. */
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { gapBeginOf } from "./unprotected-time.ts";
import { isPoint, type VolumeState, VolumeStates, volumePhase } from "./volume-state.ts";

export const stretchKind = {
  /** Each record is a point of the volume. */
  points: "points",
  /** Regions are journaled anew: old and new stand beside each other. */
  resync: "resync",
  /** What its source held at first is being copied. */
  firstCopy: "first-copy",
  /** It has joined the group, and nothing is known of its content. */
  joined: "joined",
} as const;
export type StretchKind = (typeof stretchKind)[keyof typeof stretchKind];

export interface VolumeStretch {
  readonly kind: StretchKind;
  /** The record with which it begins; where it has points this is the first. */
  readonly fromSeq: number;
  readonly fromMicros: number;
  /** The record with which the next one begins; undefined: it goes on. */
  readonly untilSeq: number | undefined;
  readonly untilMicros: number | undefined;
  /** Of a resync that says so: when the time without protection began that it ends. That is before its first record. */
  readonly sinceMicros?: number | undefined;
}

/** Where an order begins. */
export interface StretchStart {
  readonly seq: number;
  readonly timeMicros: number;
  readonly states: readonly VolumeState[];
}

export class StretchWalk {
  readonly #volume: number;
  readonly #states: VolumeStates;
  readonly #done: VolumeStretch[] = [];
  #open: Pick<VolumeStretch, "kind" | "fromSeq" | "fromMicros" | "sinceMicros"> | undefined;

  constructor(volume: number, start: StretchStart) {
    this.#volume = volume;
    this.#states = new VolumeStates(start.states);
    this.#turn(start.seq, start.timeMicros);
  }

  /** All that tell something, in their order. */
  saw(record: JournalRecord): void {
    this.#states.saw(record);
    this.#turn(record.seq, record.timeMicros, record.volume === this.#volume ? gapBeginOf(record) : undefined);
  }

  #turn(seq: number, timeMicros: number, sinceMicros?: number): void {
    const state = this.#states.all.find(({ number }) => number === this.#volume);
    if (state === undefined) return;
    const kind = kindOf(state);
    if (kind === this.#open?.kind) return;
    if (this.#open !== undefined) this.#done.push({ ...this.#open, untilSeq: seq, untilMicros: timeMicros });
    const isGap = kind === stretchKind.resync;
    this.#open = { kind, fromSeq: seq, fromMicros: timeMicros, sinceMicros: isGap ? sinceMicros : undefined };
  }

  get stretches(): readonly VolumeStretch[] {
    if (this.#open === undefined) return this.#done;
    return [...this.#done, { ...this.#open, untilSeq: undefined, untilMicros: undefined }];
  }
}

function kindOf(state: VolumeState): StretchKind {
  if (isPoint(state)) return stretchKind.points;
  if (state.isResyncing && state.phase === volumePhase.complete) return stretchKind.resync;
  return state.phase === volumePhase.joined ? stretchKind.joined : stretchKind.firstCopy;
}

const words: Readonly<Record<Exclude<StretchKind, "points">, string>> = {
  resync: "the volume was written to without protection then, or its regions were being journaled anew after that",
  "first-copy": "what the volume's source held at first was being copied then",
  joined: "the volume had just joined its group then, and nothing was written to it yet",
};

/** For people: why nothing in the stretch is a point. */
export function whyNoPoint(kind: StretchKind): string {
  return kind === stretchKind.points ? "it is a point" : words[kind];
}
