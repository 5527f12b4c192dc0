/** Under which mode the records of the spool were added: a backlog is shipped the way it was promised. Pure. */
import { assert } from "#src/core/assert.ts";
import type { Mode } from "./mode-machine.ts";

/** A `mode` record. */
export interface ModeChange {
  readonly seq: number;
  readonly to: Mode;
}

export class ModeHistory {
  /** Before the first of the changes. */
  #earliest: Mode;
  #changes: ModeChange[];

  constructor(earliest: Mode, changes: readonly ModeChange[] = []) {
    this.#earliest = earliest;
    this.#changes = [...changes];
  }

  changed(change: ModeChange): void {
    assert(change.seq > (this.#changes.at(-1)?.seq ?? 0), "the mode changes in the order of the records");
    this.#changes.push(change);
  }

  /** Nobody asks for records up to this seq any more. */
  release(seq: number): void {
    const kept = this.#changes.findIndex((change) => change.seq >= seq);
    const gone = this.#changes.splice(0, kept < 0 ? this.#changes.length : kept);
    this.#earliest = gone.at(-1)?.to ?? this.#earliest;
  }

  /** The first seq behind this one whose record may be under another mode; undefined: none so far. */
  changeAfter(seq: number): number | undefined {
    const change = this.#changes.find((one) => one.seq >= seq);
    return change === undefined ? undefined : change.seq + 1;
  }

  /** Of the record with this seq; a `mode` record itself is under the mode before it. */
  modeAt(seq: number): Mode {
    return this.#changes.findLast((change) => change.seq < seq)?.to ?? this.#earliest;
  }
}
