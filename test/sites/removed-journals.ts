/**
 * What was in pieces of metadata journals that are gone from the journals' disk, since the store has it: it stays known what it
 * was. Nothing goes before it is noted, durably, that the journals begin behind it.
 */
import { decodeDocument } from "#src/host/document.ts";
import { type JournalStart, wholeJournal } from "#src/journals/journal-start.ts";
import type { SimDisk } from "#test/sim/sim-disk.ts";
import { batchAt, entriesOf, logHeaderBytes, logHeaderOf, magics } from "./batch-reading.ts";
import { durableNode } from "./file-tree.ts";
import { journalOf } from "./journal-replay.ts";
import type { JournalUnit } from "./journal-unit.ts";
import type { RecordHistory } from "./record-history.ts";
import { demand, Violation } from "./violation.ts";

const stateKind = { format: "tidemark-remote-group", version: 1 };

interface Removed {
  units: JournalUnit[];
  last: { readonly seq: number; readonly epoch: number };
}

export class RemovedJournals {
  readonly #disk: SimDisk;
  readonly #groups = new Map<string, Removed>();

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  /** The last record of what is gone; undefined: all is there. */
  last(group: string): { readonly seq: number; readonly epoch: number } | undefined {
    return this.#groups.get(group)?.last;
  }

  /** All units that the group's journal ever had and that count, gone or not. */
  units(group: string, history: RecordHistory): JournalUnit[] {
    return [...(this.#groups.get(group)?.units ?? []), ...journalOf(this.#disk, group, history, this.last(group))];
  }

  /** Likewise, up to where a loss of power has torn what nobody has recovered yet. */
  soundUnits(group: string, history: RecordHistory): JournalUnit[] {
    const units = [...(this.#groups.get(group)?.units ?? [])];
    try {
      for (const unit of journalOf(this.#disk, group, history, this.last(group))) units.push(unit);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
    }
    return units;
  }

  /** A piece is about to go. Answers the last record that may. */
  removing(path: string, group: string, history: RecordHistory, durableSeq: number): number {
    const start = durableStart(this.#disk, group);
    const lastSeq = this.#lastSeqIn(path, group);
    // What a power cut has left behind the end that counts may be cut off.
    const isNoted = lastSeq <= start.seq || lastSeq > durableSeq;
    demand("promise", isNoted, () => `${path} goes up to seq ${lastSeq}, and journals begin behind ${start.seq}`);
    if (start.seq > (this.last(group)?.seq ?? 0)) this.cut(group, history, start);
    return start.seq;
  }

  #lastSeqIn(path: string, group: string): number {
    const file = this.#disk.fileAt(path);
    const bytes = Buffer.alloc(file.current.sizeBytes);
    file.current.read(bytes, 0, bytes.length, 0);
    const header = logHeaderOf(bytes);
    let lastSeq = 0;
    if (header?.magic !== magics.pieces || header.group !== group) return lastSeq;
    for (let at = logHeaderBytes; ; ) {
      const batch = batchAt(bytes, at);
      if (batch?.position !== header.basePosition + at || batch.incarnation !== header.incarnation) return lastSeq;
      lastSeq = Math.max(lastSeq, entriesOf(bytes, batch).at(-1)?.seq ?? 0);
      at += batch.spanBytes;
    }
  }

  /**
   * The journals are lost, and begin anew behind what the store has of `units`, which is all that there was. Answers where.
   */
  rebuilt(group: string, units: readonly JournalUnit[]): { readonly seq: number; readonly epoch: number } {
    const { seq, epoch } = durableStart(this.#disk, group);
    this.#groups.delete(group);
    if (seq > 0)
      this.#groups.set(group, { units: units.filter(({ lastSeq }) => lastSeq <= seq), last: { seq, epoch } });
    return { seq, epoch };
  }

  /** All up to this record is gone from the journals' disk, or is about to go. */
  cut(group: string, history: RecordHistory, { seq, epoch }: Pick<JournalStart, "seq" | "epoch">): void {
    const units = this.units(group, history).filter(({ lastSeq }) => lastSeq <= seq);
    this.#groups.set(group, { units, last: { seq, epoch } });
  }
}

/** Where the group's journals begin, whatever happens now. */
function durableStart(disk: SimDisk, group: string): JournalStart {
  const path = `/remote/groups/${group}/group.json`;
  const file = durableNode(disk.root, path);
  if (file?.kind !== "file") return wholeJournal;
  const bytes = Buffer.alloc(file.durable.sizeBytes);
  file.durable.read(bytes, 0, bytes.length, 0);
  return (decodeDocument(bytes, path, stateKind).journalStart as JournalStart | undefined) ?? wholeJournal;
}
