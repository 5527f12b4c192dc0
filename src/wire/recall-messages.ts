/** The question for blocks that the remote has lost, and what answers it (docs/protocol.md). */

import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { recallBlocksMax } from "#src/core/recall-limits.ts";
import type { RecalledBlocks, WantedBlock } from "./group-link.ts";
import { decodeNumber, decodeNumbers, encodeNumbers } from "./numbers.ts";

const numbersPerBlock = 3;
/** Which of them are there: a bit for each, the lowest for the first. */
const whichBytes = 8;

export function encodeRecall(wanted: readonly WantedBlock[]): Buffer {
  assert(wanted.length > 0 && wanted.length <= recallBlocksMax, "so many blocks are asked for at once");
  return encodeNumbers(...wanted.flatMap(({ seq, volume, block }) => [seq, volume, block]));
}

export function decodeRecall(bytes: Buffer, start: number, end: number): WantedBlock[] {
  const numbers = decodeNumbers(bytes, start, end);
  const count = numbers.length / numbersPerBlock;
  if (!Number.isInteger(count) || count === 0 || count > recallBlocksMax) {
    throw new RefuseError("the remote asks for blocks in a way that this side does not know");
  }
  return Array.from({ length: count }, (_, index) => {
    const [seq = 0, volume = 0, block = 0] = numbers.slice(index * numbersPerBlock, (index + 1) * numbersPerBlock);
    return { seq, volume, block };
  });
}

export function encodeRecalled(blocks: RecalledBlocks): Buffer {
  const which = blocks.reduce((bits, block, index) => (block === undefined ? bits : bits | (1 << index)), 0);
  const there = blocks.filter((block) => block !== undefined);
  assert(
    there.every(({ length }) => length === blockBytes),
    "blocks are given back whole",
  );
  return Buffer.concat([encodeNumbers(which), ...there]);
}

/** Of so many that were asked for. What comes back has memory of its own. */
export function decodeRecalled(bytes: Buffer, start: number, end: number, askedCount: number): RecalledBlocks {
  if (end - start < whichBytes) throw new RefuseError("the answer to a recall is too short");
  const which = decodeNumber(bytes, start, start + whichBytes);
  if (which >= 2 ** askedCount) throw new RefuseError("more blocks came than were asked for");
  const blocks: (Buffer | undefined)[] = [];
  let at = start + whichBytes;
  for (let index = 0; index < askedCount; index++) {
    const isThere = ((which >> index) & 1) === 1;
    blocks.push(isThere ? Buffer.from(bytes.subarray(at, at + blockBytes)) : undefined);
    if (isThere) at += blockBytes;
  }
  if (at !== end) throw new RefuseError("the answer to a recall has another length than it should have");
  return blocks;
}
