/**
 * Reads a group's journals from the remote site's disk, from nothing but docs/formats.md, and replays them: what a
 * volume would be, were it made anew from what the remote site has.
 */
import { blockBytes } from "#src/core/limits.ts";
import type { SimDisk } from "#test/sim/sim-disk.ts";
import {
  batchAt,
  entriesOf,
  type FoundBatch,
  type FoundEntry,
  type LogHeader,
  logHeaderBytes,
  logHeaderOf,
  magics,
} from "./batch-reading.ts";
import { filesOf } from "./file-tree.ts";
import { payloadOf } from "./journal-payload.ts";
import { type JournalUnit, UnitGatherer } from "./journal-unit.ts";
import { demandKnown } from "./known-entry.ts";
import type { RecordHistory } from "./record-history.ts";
import type { RemoteDisks } from "./remote-disks.ts";
import { demandNext } from "./spool-watch.ts";
import { demand, Violation } from "./violation.ts";
import { VolumeLayout } from "./volume-layout.ts";

interface LastUnit {
  readonly seq: number;
  readonly epoch: number;
}

/**
 * All units behind a seq, in their order, each known to the history. Ends with a `truth` violation where a piece is damaged.
 * Of what is before that seq some may be gone.
 */
export function* journalOf(
  disk: SimDisk,
  group: string,
  history: RecordHistory,
  after: LastUnit | undefined = undefined,
): Generator<JournalUnit> {
  let last = after;
  for (const [path, bytes] of piecesOf(disk, group)) {
    const header = logHeaderOf(bytes);
    const isEmpty = header === undefined && bytes.every((byte) => byte === 0);
    demand(
      "truth",
      header !== undefined || isEmpty,
      () => `${path} does not begin as a piece of a metadata journal does`,
    );
    if (header?.magic !== magics.pieces || header.group !== group) continue;
    let at = logHeaderBytes;
    const gatherer = new UnitGatherer();
    for (let batch = batchAt(bytes, at); isOf(header, batch, at); batch = batchAt(bytes, at)) {
      const unit = gatherer.add(batch, entriesOf(bytes, batch));
      if (unit !== undefined && unit.lastSeq > (after?.seq ?? 0)) {
        demandUnit(history, last, unit);
        yield unit;
        last = { seq: unit.lastSeq, epoch: unit.epoch };
      }
      at += batch.spanBytes;
    }
    const isWhole = !gatherer.isOpen && bytes.subarray(at).every((byte) => byte === 0);
    demand("truth", isWhole, () => `no batch begins at ${header.basePosition + at} in the metadata journal`);
  }
}

function demandUnit(history: RecordHistory, last: LastUnit | undefined, unit: JournalUnit): void {
  const type = unit.entries[0]?.type ?? 0;
  if (last !== undefined) demandNext(last, { seq: unit.firstSeq, epoch: unit.epoch, type });
  if (!unit.isAggregate) for (const entry of unit.entries) demandKnown(history, entry);
}

function isOf(header: LogHeader, batch: FoundBatch | undefined, at: number): batch is FoundBatch {
  return batch?.position === header.basePosition + at && batch.incarnation === header.incarnation;
}

/** The files and what they hold, in the order of their names, which is that of their positions. */
function piecesOf(disk: SimDisk, group: string): [string, Buffer][] {
  const pieces: [string, Buffer][] = [];
  for (const [path, file] of filesOf(disk.root)) {
    // What a power cut has left of another group's says nothing of this one.
    if (!path.endsWith(".piece") || !path.includes(`/${group}/`)) continue;
    const bytes = Buffer.alloc(file.current.sizeBytes);
    file.current.read(bytes, 0, bytes.length, 0);
    pieces.push([path, bytes]);
  }
  return pieces.sort(([pathA], [pathB]) => (pathA < pathB ? -1 : 1));
}

/**
 * Up to here the disk has all, payloads included; whether anybody goes on behind it is another matter. What was durable
 * has its payload, or it was damaged since, which ends nothing.
 */
export function lastSoundSeq(
  disks: RemoteDisks,
  group: string,
  history: RecordHistory,
  durableSeq: number,
  after: LastUnit | undefined,
): number {
  let last = after?.seq ?? 0;
  try {
    for (const unit of journalOf(disks.journals, group, history, after)) {
      for (const entry of unit.entries) {
        if (entry.address > 0 && entry.seq > durableSeq) payloadOf(disks, group, entry);
        if (!unit.isAggregate) last = entry.seq;
      }
      last = unit.lastSeq;
    }
  } catch (error) {
    // Behind this lies what the power cut has left of an unpromised tail.
    if (!(error instanceof Violation)) throw error;
  }
  return last;
}

export interface ReplayedVolume {
  readonly volume: number;
  readonly blockCount: number;
}

/** The content of a volume, as the host numbers it, after all of the journal. */
export function replay(
  disks: RemoteDisks,
  group: string,
  history: RecordHistory,
  units: readonly JournalUnit[],
  { volume, blockCount }: ReplayedVolume,
): Buffer {
  const layout = new VolumeLayout<FoundEntry>(blockCount);
  for (const { entries } of units) {
    for (const entry of entries) if (history.hostVolumeOf(entry) === volume) layout.apply(entry);
  }
  const content = Buffer.alloc(blockCount * blockBytes);
  // What is overwritten may be gone.
  for (const part of layout.parts()) payloadOf(disks, group, part).copy(content, part.startBlock * blockBytes);
  return content;
}
