/**
 * What the blocks at the edges of a change hold: the newest record over a block that is not in the source yet, else the
 * source. Asked for only while nothing else may be added over these blocks, so it stays true until the change is.
 */
import { blockBytes } from "#src/core/limits.ts";
import { hasPayload } from "#src/records/record.ts";
import type { Flight } from "./flight.ts";
import type { HostChange } from "./host-change.ts";
import type { Source } from "./source.ts";
import type { VolumeFigures } from "./volume-figures.ts";

type Done = (error: Error | null) => void;

/** Calls back when both edges are there, at once where no waiting is needed. */
export function readEdges(
  change: HostChange,
  flight: Flight,
  source: Source,
  figures: VolumeFigures,
  done: Done,
): void {
  const { startBlock, blockCount, needsHead, needsTail } = change;
  let open = 1;
  let failure: Error | null = null;
  const read = (error: Error | null): void => {
    failure ??= error;
    open--;
    if (open === 0) done(failure);
  };
  if (needsHead) {
    open++;
    change.head = Buffer.allocUnsafe(blockBytes);
    readBlock(startBlock, change.head, flight, source, figures, read);
  }
  if (needsTail) {
    open++;
    change.tail = Buffer.allocUnsafe(blockBytes);
    readBlock(startBlock + blockCount - 1, change.tail, flight, source, figures, read);
  }
  read(null);
}

function readBlock(
  block: number,
  bytes: Buffer,
  flight: Flight,
  source: Source,
  figures: VolumeFigures,
  done: Done,
): void {
  const record = flight.newestOver(block);
  if (record !== undefined) {
    const at = record.payloadAt + (block - record.startBlock) * blockBytes;
    if (hasPayload(record.type)) record.buffer.copy(bytes, 0, at, at + blockBytes);
    else bytes.fill(0);
    return done(null);
  }
  const position = block * blockBytes;
  const length = Math.min(blockBytes, source.sizeBytes - position);
  bytes.fill(0, length);
  figures.edgeBytes += length;
  try {
    if (source.readIfCached(bytes, 0, length, position)) return done(null);
  } catch (error) {
    return done(error as Error);
  }
  figures.slowReads++;
  source.read(bytes, 0, length, position, (error) => {
    figures.slowReadsEnded++;
    done(error);
  });
}
