/** Snapshots of a group as operators see them. Plain data. */
import { recordTimeText } from "#src/core/record-time.ts";
import type { HistoryDocument } from "#src/synth/history-document.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { isPoint } from "#src/synth/volume-state.ts";

/** One that can be read, or what is known of one that cannot. */
export interface SnapshotFacts {
  /** The last record that is in it. */
  readonly seq: number;
  readonly time?: string;
  readonly epoch?: number;
  /** Whether the volume that was asked after has a point there. */
  readonly point?: boolean;
  /** Somebody has asked for it: it is a point for as long as it is there, whatever the level of its age. */
  readonly isAsked: boolean;
  /** What it takes itself. What lies in earlier ones is theirs. */
  readonly sizeBytes?: number;
  readonly nodes?: number;
  readonly pointersToJournal?: number;
  readonly pointersToSnapshots?: number;
  /** That it was made of; 0: of pieces alone. */
  readonly madeOf?: number;
  /** Earlier ones that it points into. */
  readonly pointsInto?: readonly number[];
  /** Of the volume that was asked after. */
  readonly layers?: number;
  /** The history begins with it. */
  readonly isFirst: boolean;
  /** What holds it, or all from a point before it on. */
  readonly heldBy: readonly string[];
  readonly damage?: string;
}

export interface MadeSnapshot extends SnapshotFacts {
  /** False: it was there already. */
  readonly isNew: boolean;
  /** That making it took. */
  readonly seconds: number;
}

/** One that is not made yet. What it needs is sealed without waiting for more; asking for the same seq again goes on. */
export interface AwaitedSnapshot {
  readonly seq: number;
  /** Records up to there are sealed. */
  readonly storedSeq: number;
  /** Payload that waits to be sealed. */
  readonly unsealedBytes: number;
  /** Why sealing does not get on just now. */
  readonly why?: string;
}

export type SnapshotAnswer =
  | { readonly made: MadeSnapshot; readonly waits?: undefined }
  | { readonly made?: undefined; readonly waits: AwaitedSnapshot };

export interface SnapshotWish {
  readonly volume: string;
  /** In words; undefined: of the newest record. */
  readonly point?: string;
  /** Instead, of one that is waited for. */
  readonly seq?: number;
  readonly waitMs: number;
}

/** `isPointOfGroup`: what lies around it was not folded, or it is one by itself. */
export function snapshotFacts(
  snapshot: Snapshot,
  history: HistoryDocument,
  volume: number,
  isPointOfGroup: boolean,
): SnapshotFacts {
  const { seq, sizeBytes, baseSeq, sources, numbers } = snapshot;
  const of = snapshot.volume(volume);
  return {
    ...placeFacts(seq, history),
    time: recordTimeText(numbers.timeMicros),
    epoch: numbers.epoch,
    point: isPointOfGroup && of !== undefined && isPoint(of),
    sizeBytes,
    nodes: numbers.nodeCount,
    pointersToJournal: numbers.journalPointers,
    pointersToSnapshots: numbers.snapshotPointers,
    madeOf: baseSeq,
    pointsInto: sources.map((source) => source.seq),
    layers: of?.layers.length ?? 0,
  };
}

export function damagedSnapshotFacts(seq: number, damage: string, history: HistoryDocument): SnapshotFacts {
  return { ...placeFacts(seq, history), damage };
}

function placeFacts(seq: number, { basedOn, pins, asked }: HistoryDocument) {
  const isHeldBy = (pin: HistoryDocument["pins"][number]) =>
    pin.keeps === "snapshot" ? pin.seq === seq : pin.seq <= seq;
  return {
    seq,
    isFirst: seq === basedOn,
    isAsked: asked.includes(seq),
    heldBy: pins.filter(isHeldBy).map(({ id }) => id),
  };
}
