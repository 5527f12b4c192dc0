/**
 * Gives blocks back that the remote has lost, as far as the spool still has the records that wrote them: one look at a time,
 * with a pause between, since hosts write meanwhile.
 */

import { isOwnFault } from "#src/core/assert.ts";
import { blockBytes, recordHeadBytes } from "#src/core/limits.ts";
import { spoolRecallPauseMs } from "#src/core/recall-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { lastSeqOf } from "#src/records/batch.ts";
import { blockCountIn, hasPayload, headBytesIn, recordTypeIn, startBlockIn, volumeIn } from "#src/records/record.ts";
import type { RecalledBlocks, WantedBlock } from "#src/wire/group-link.ts";
import type { BatchHeads } from "./batch-heads.ts";
import type { Spool } from "./spool.ts";

export type RecallSpool = Pick<Spool, "firstSeq" | "lastSeq" | "positionAfter" | "headsAt" | "readPayload">;

/** Never rejects for what the disk does: that is told by whoever needs the spool. `isOver`: it is not to be read any more. */
export async function recalledFrom(
  { spool, machine: { clock } }: { readonly spool: RecallSpool; readonly machine: { readonly clock: Clock } },
  wanted: readonly WantedBlock[],
  isOver: () => boolean,
): Promise<RecalledBlocks> {
  const blocks: (Buffer | undefined)[] = [];
  while (blocks.length < wanted.length && !isOver()) {
    const { seq } = wanted[blocks.length] as WantedBlock;
    const next = wanted.slice(blocks.length);
    const count = next.findIndex((one) => one.seq !== seq);
    const row = count < 0 ? next : next.slice(0, count);
    if (blocks.length > 0) await new Promise<void>((resolve) => clock.timer(spoolRecallPauseMs, resolve));
    if (!isOver()) blocks.push(...blocksOf(spool, seq, row));
  }
  return wanted.map((_, index) => blocks[index]);
}

/** All of one record. */
function blocksOf(spool: RecallSpool, seq: number, row: readonly WantedBlock[]): RecalledBlocks {
  if (seq < spool.firstSeq || seq > spool.lastSeq) return row.map(() => undefined);
  try {
    const found = spool.headsAt(spool.positionAfter(seq - 1));
    // First all places: what the heads lie in is used again by the next who reads.
    const positions = row.map((one) => (found === undefined ? undefined : payloadPosition(found, one)));
    return positions.map((position) => (position === undefined ? undefined : blockAt(spool, position)));
  } catch (error) {
    if (isOwnFault(error)) throw error;
    return row.map(() => undefined);
  }
}

/** Where the block lies in the spool. Undefined: the record is not in the batch, or did not write it. */
export function payloadPosition(
  { header, bytes, headsAt, payloadPosition: first }: BatchHeads,
  { seq: wantedSeq, volume, block }: WantedBlock,
): number | undefined {
  const lastSeq = lastSeqOf(header);
  const end = headsAt + header.headsBytes;
  let position = first;
  let headAt = headsAt;
  for (let seq = header.firstSeq; seq <= lastSeq && headAt + recordHeadBytes <= end; seq++) {
    const isWrite = hasPayload(recordTypeIn(bytes, headAt));
    const [startBlock, blockCount] = [startBlockIn(bytes, headAt), blockCountIn(bytes, headAt)];
    if (seq === wantedSeq) {
      const isIn = volumeIn(bytes, headAt) === volume && block >= startBlock && block - startBlock < blockCount;
      return isWrite && isIn ? position + (block - startBlock) * blockBytes : undefined;
    }
    if (isWrite) position += blockCount * blockBytes;
    headAt += headBytesIn(bytes, headAt);
  }
  return undefined;
}

function blockAt(spool: RecallSpool, position: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  spool.readPayload(position, block, 0, blockBytes);
  return block;
}
