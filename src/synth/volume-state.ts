/** What the records of a group say of its volumes themselves: which there are, how large, and whether each has points. */

import { StopError } from "#src/core/errors.ts";
import { remoteNameBytesMax } from "#src/core/limits.ts";
import { snapshotVolumesMax } from "#src/core/store-limits.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { decodeExtra, recordType, wholeGroup } from "#src/records/record.ts";

/** How far the volume's first copy is. */
export const volumePhase = {
  /** Nothing but its own record is there yet: nobody can know whether it began with zeros. */
  joined: 0,
  /** What its source held at first is not all there. */
  incomplete: 1,
  complete: 2,
} as const;
export type VolumePhase = (typeof volumePhase)[keyof typeof volumePhase];

export interface VolumeIdentity {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
}

export interface VolumeState {
  /** Within the group, from 1 on. */
  readonly number: number;
  /** Undefined: no record has said it. */
  readonly identity: VolumeIdentity | undefined;
  readonly phase: VolumePhase;
  /** Regions are being journaled anew: old and new stand beside each other. */
  readonly isResyncing: boolean;
}

/** Whether the volume ever was as the journal has it there. */
export function isPoint({ phase, isResyncing }: VolumeState): boolean {
  return phase === volumePhase.complete && !isResyncing;
}

/** Of any other record it counts only that there is one of the volume. */
const tellingTypes: ReadonlySet<number> = new Set([
  recordType.volume,
  recordType.resize,
  recordType.resyncBegin,
  recordType.resyncEnd,
  recordType.initialComplete,
]);

export class VolumeStates {
  readonly #states = new Map<number, VolumeState>();

  constructor(states: Iterable<VolumeState>) {
    for (const state of states) this.#states.set(state.number, state);
  }

  /** In the order of their numbers. */
  get all(): VolumeState[] {
    return [...this.#states.values()].sort((a, b) => a.number - b.number);
  }

  /** All records, in their order. */
  saw(record: JournalRecord): void {
    const { type, volume } = record;
    if (volume === wholeGroup) return;
    const state = this.#states.get(volume);
    if (type === recordType.volume || type === recordType.resize) this.#sawIdentity(record, state);
    if (type !== recordType.volume) this.#sawEvent(type, this.#states.get(volume) ?? this.#joined(volume));
  }

  /** Whether records of these types and volumes, and no others, leave all as it is. */
  areLeftBy({ types, volumes }: { readonly types: ReadonlySet<number>; readonly volumes: readonly number[] }): boolean {
    for (const type of types) if (tellingTypes.has(type)) return false;
    return volumes.every((volume) => {
      const state = this.#states.get(volume);
      return volume === wholeGroup || (state !== undefined && isDecided(state));
    });
  }

  #sawIdentity({ volume, extra }: JournalRecord, state: VolumeState = this.#joined(volume)): void {
    const { id, name, sizeBytes } = { ...state.identity, ...decodeExtra(extra) };
    const isWhole = isName(id) && isName(name) && Number.isSafeInteger(sizeBytes) && (sizeBytes as number) >= 0;
    if (!isWhole) return;
    this.#states.set(volume, { ...state, identity: { id, name, sizeBytes: sizeBytes as number } });
  }

  #sawEvent(type: number, state: VolumeState): void {
    const next = stateAfter(type, state);
    if (next !== state) this.#states.set(state.number, next);
  }

  #joined(number: number): VolumeState {
    const state = { number, identity: undefined, phase: volumePhase.joined, isResyncing: false };
    if (this.#states.size === snapshotVolumesMax) {
      throw new StopError(`the journal speaks of more than ${snapshotVolumesMax} volumes`);
    }
    this.#states.set(number, state);
    return state;
  }
}

/** Whether any other record of the volume leaves its phase as it is. */
function isDecided({ phase, isResyncing }: VolumeState): boolean {
  return phase === volumePhase.complete || (phase === volumePhase.incomplete && isResyncing);
}

/**
 * The same one where nothing has changed. A volume that was empty and whose regions were journaled anew before anything else was
 * written begins like one whose first copy is begun. But that copy's end and its being complete stand behind each other: where
 * another record follows the end it was none.
 */
function stateAfter(type: number, state: VolumeState): VolumeState {
  const phase = isDecided(state) ? state.phase : volumePhase.complete;
  switch (type) {
    case recordType.resyncBegin: {
      // A volume whose first record is another one was empty.
      const isFirst = state.phase === volumePhase.joined;
      return { ...state, phase: isFirst ? volumePhase.incomplete : state.phase, isResyncing: true };
    }
    case recordType.resyncEnd:
      return { ...state, phase: state.isResyncing ? state.phase : phase, isResyncing: false };
    case recordType.initialComplete:
      return { ...state, phase: volumePhase.complete };
    case recordType.level:
      // It may stand before anything of the volume itself.
      return state;
    default:
      return phase === state.phase ? state : { ...state, phase };
  }
}

function isName(value: unknown): value is string {
  return typeof value === "string" && Buffer.byteLength(value) <= remoteNameBytesMax;
}
