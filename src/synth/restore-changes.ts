/**
 * Brings a target that holds a later state, or an earlier one, to what a point holds: looks only where the two differ, and writes
 * only blocks that are not as they should be. So it may be ended anywhere and begun again, and a volume's own journal gets no
 * more than what it takes.
 */
import { blockBytes } from "#src/core/limits.ts";
import { restoreStretchBytesMin } from "#src/core/restore-limits.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { BlockRange } from "./block-difference.ts";
import type { RestoreOutcome } from "./restore.ts";
import { RestoreDamage } from "./restore-damage.ts";
import { type ByteSpan, differingBlocks, type ReadImage, readPiece, writePiece } from "./restore-piece.ts";
import type { RestoreTarget } from "./restore-target.ts";

export interface ChangesOrder {
  readonly image: ReadImage;
  /** As large as the image, or larger. */
  readonly target: RestoreTarget;
  /**
   * Where they may differ, in the order of the blocks. Asked for once, and once more to look whether all is as it should be: with
   * what was written meanwhile, so that whoever else writes is found out wherever that is.
   */
  readonly ranges: () => AsyncIterable<BlockRange>;
  readonly control: WorkControl;
}

interface Pass {
  lookedBytes: number;
  writtenBytes: number;
  differingBytes: number;
}

type Mend = (piece: ByteSpan, blocks: readonly number[], damaged: readonly number[]) => Promise<number>;

export class RestoreChanges {
  readonly #order: ChangesOrder;
  readonly #wanted = Buffer.allocUnsafeSlow(restoreStretchBytesMin);
  readonly #found = Buffer.allocUnsafeSlow(restoreStretchBytesMin);

  constructor(order: ChangesOrder) {
    this.#order = order;
  }

  async run(): Promise<RestoreOutcome> {
    const damage = new RestoreDamage();
    const { lookedBytes, writtenBytes, differingBytes } = await this.#pass(
      "restores what differs",
      (piece, blocks, damaged) => {
        damage.add(piece.position, damaged, this.#order.image.sizeBytes);
        return this.#write(
          piece,
          blocks.filter((block) => !damaged.includes(block)),
        );
      },
    );
    await this.#order.target.sync();
    const left = await this.#pass("compares what was written", async () => 0);
    const figures = {
      ...{ writtenBytes, zeroBytes: differingBytes - writtenBytes, keptBytes: lookedBytes - differingBytes },
      verifiedBytes: left.lookedBytes - left.differingBytes,
      damagedBytes: damage.bytes,
    };
    const isOdd = left.differingBytes > damage.bytes;
    const odd = `${left.differingBytes - damage.bytes} bytes of the target are not what was written: somebody else writes to it`;
    return { figures, findings: [...damage.lines, ...(isOdd ? [odd] : [])] };
  }

  /** What differs, and what cannot be read, is given to `mend`, which answers how many bytes it wrote. */
  async #pass(what: string, mend: Mend): Promise<Pass> {
    const { image, target, control, ranges } = this.#order;
    const pass = { lookedBytes: 0, writtenBytes: 0, differingBytes: 0 };
    for await (const range of ranges()) {
      for (const piece of piecesOf(range, image.sizeBytes)) {
        control.throwIfCancelled();
        const damaged = await readPiece(image, piece, this.#wanted);
        await target.read(this.#found, 0, piece.lengthBytes, piece.position);
        const blocks = differingBlocks(this.#wanted, this.#found, piece.lengthBytes);
        pass.lookedBytes += piece.lengthBytes;
        pass.differingBytes += blocks.reduce((sum, block) => sum + bytesOf(block, piece), 0);
        if (blocks.length > 0 || damaged.length > 0) pass.writtenBytes += await mend(piece, blocks, damaged);
        control.progress({ done: piece.position + piece.lengthBytes, total: image.sizeBytes, unit: "bytes", what });
        await control.pace(piece.lengthBytes);
      }
    }
    return pass;
  }

  /** Of the blocks that are wanted. What cannot be read of the point is none of them: it stays as it is. */
  async #write(piece: ByteSpan, blocks: readonly number[]): Promise<number> {
    let writtenBytes = 0;
    for (const { first, count } of rowsOf(blocks)) {
      const start = first * blockBytes;
      const lengthBytes = Math.min(count * blockBytes, piece.lengthBytes - start);
      const row = { position: piece.position + start, lengthBytes };
      writtenBytes += await writePiece(this.#order.target, row, this.#wanted.subarray(start), false);
    }
    return writtenBytes;
  }
}

function bytesOf(block: number, { lengthBytes }: ByteSpan): number {
  return Math.min(blockBytes, lengthBytes - block * blockBytes);
}

function rowsOf(blocks: readonly number[]): { readonly first: number; readonly count: number }[] {
  const rows: { first: number; count: number }[] = [];
  for (const block of blocks) {
    const last = rows.at(-1);
    if (last !== undefined && last.first + last.count === block) last.count++;
    else rows.push({ first: block, count: 1 });
  }
  return rows;
}

function* piecesOf({ fromBlock, toBlock }: BlockRange, sizeBytes: number): Generator<ByteSpan> {
  const end = Math.min(toBlock * blockBytes, sizeBytes);
  for (let position = fromBlock * blockBytes; position < end; position += restoreStretchBytesMin) {
    yield { position, lengthBytes: Math.min(restoreStretchBytesMin, end - position) };
  }
}
