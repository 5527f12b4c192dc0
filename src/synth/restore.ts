/**
 * Copies a point whole to a target, by several readers, without its holes. What is done is noted stretch by stretch, so that
 * a restore that ended anywhere goes on: what was noted is looked at in the target, and copied again where it is not as it was put.
 * At the end all of the target is read and compared in the same way.
 *
 * Invariant: a stretch of which anything could not be read is never noted as done. Whoever goes on tries it again and tells it
 * again, so that what was found before an end in the middle is not forgotten.
 */
import {
  restoreFindingsMax,
  restoreReaders,
  restoreStretchBytesMin,
  restoreStretchesMax,
  restoreSyncBytes,
} from "#src/core/restore-limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { RestoreDamage } from "./restore-damage.ts";
import { RestoreHoles } from "./restore-holes.ts";
import { type ByteSpan, type ReadImage, readPiece, writePiece } from "./restore-piece.ts";
import type { RestoreSums } from "./restore-sums.ts";
import type { RestoreTarget } from "./restore-target.ts";
import { holdsStrange, strangeTarget, TargetDoubt } from "./target-doubt.ts";

export interface RestoreOrder {
  readonly image: ReadImage;
  /** At least as large as the image. */
  readonly target: RestoreTarget;
  /** Has `stretchesOf(image)` stretches. */
  readonly sums: RestoreSums;
  /** The target was made for this: it reads as zeros wherever nothing was copied to. */
  readonly isClear: boolean;
  /** What it holds may go, also what this restore has not put there. */
  readonly mayOverwrite: boolean;
  readonly isVerified: boolean;
  readonly control: WorkControl;
}

export interface RestoreFigures {
  writtenBytes: number;
  /** Zeros, which take no space where that can be. */
  zeroBytes: number;
  /** That were there of an earlier try. */
  keptBytes: number;
  verifiedBytes: number;
  damagedBytes: number;
}

export interface RestoreOutcome {
  readonly figures: Readonly<RestoreFigures>;
  /** What a person must see. */
  readonly findings: readonly string[];
}

/** A stretch is a power of two, and there are at most `restoreStretchesMax`. */
export function stretchBytesOf(sizeBytes: number): number {
  let stretchBytes = restoreStretchBytesMin;
  while (Math.ceil(sizeBytes / stretchBytes) > restoreStretchesMax) stretchBytes *= 2;
  return stretchBytes;
}

export function stretchesOf({ sizeBytes }: Pick<ReadImage, "sizeBytes">): number {
  return Math.ceil(sizeBytes / stretchBytesOf(sizeBytes));
}

/** How often what does not read back as it was written is written again. */
const againMax = 2;

export class Restore {
  readonly #order: RestoreOrder;
  readonly #holes: RestoreHoles;
  #damage = new RestoreDamage();
  /** The sums of the stretches of which not all could be read, as they were put. Only this run knows them. */
  readonly #damagedSums = new Map<number, Buffer>();
  readonly #stretchBytes: number;
  readonly #buffers = Array.from({ length: restoreReaders }, () => Buffer.allocUnsafeSlow(restoreStretchBytesMin));
  readonly #figures: RestoreFigures = {
    ...{ writtenBytes: 0, zeroBytes: 0, keptBytes: 0, verifiedBytes: 0, damagedBytes: 0 },
  };
  #isClear: boolean;
  #unsyncedBytes = 0;
  #doneBytes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(order: RestoreOrder) {
    this.#order = order;
    this.#holes = new RestoreHoles(order.image);
    this.#stretchBytes = stretchBytesOf(order.image.sizeBytes);
    this.#isClear = order.isClear;
  }

  async run(): Promise<RestoreOutcome> {
    const { sums, isVerified } = this.#order;
    try {
      const doubt = new TargetDoubt();
      const isBegun = this.#stretches((stretch) => sums.isDone(stretch)).length > 0;
      if (isBegun) {
        await this.#check("looks at what is there already", doubt);
        this.#figures.keptBytes = this.#doneBytes;
      }
      await this.#refuseStrange(doubt);
      await this.#copy();
      for (let again = 0; isVerified && again <= againMax; again++) {
        this.#doneBytes = 0;
        const bad = await this.#check("compares what was written");
        this.#figures.verifiedBytes = this.#doneBytes;
        if (bad.length === 0) return this.#outcome([]);
        if (again === againMax) return this.#outcome(bad);
        this.#isClear = false;
        await this.#copy();
      }
      return this.#outcome([]);
    } finally {
      // Also what is ended in the middle goes on from there.
      await sums.sync();
    }
  }

  #outcome(bad: readonly number[]): RestoreOutcome {
    const unlike = bad
      .slice(0, restoreFindingsMax)
      .map((stretch) => this.#span(stretch))
      .map(({ position, lengthBytes }) => {
        return `bytes ${position} to ${position + lengthBytes - 1} of the target do not read as they were written`;
      });
    const figures = { ...this.#figures, damagedBytes: this.#damage.bytes };
    return { figures, findings: [...this.#damage.lines, ...unlike] };
  }

  /** Of all that were put; answers those that are not as they were put, which are done no more. */
  async #check(what: string, doubt?: TargetDoubt): Promise<number[]> {
    const { sums, control } = this.#order;
    const bad: number[] = [];
    const put = this.#stretches((stretch) => sums.isDone(stretch) || this.#damagedSums.has(stretch));
    await this.#each(put, async (stretch, buffer) => {
      const span = this.#span(stretch);
      const wanted = this.#damagedSums.get(stretch) ?? sums.sum(stretch);
      const found = await this.#sumInTarget(span, buffer);
      doubt?.saw(found.equals(wanted), found.equals(sumOfZeros(span)));
      if (found.equals(wanted)) this.#doneBytes += span.lengthBytes;
      else {
        sums.forget(stretch);
        bad.push(stretch);
      }
      await control.pace(span.lengthBytes);
      this.#tell(what);
    });
    return bad.sort((a, b) => a - b);
  }

  /** Before anything is written: what is noted has been looked at. */
  async #refuseStrange(doubt: TargetDoubt): Promise<void> {
    const { image, target, control, sums, mayOverwrite } = this.#order;
    if (mayOverwrite || this.#isClear) return;
    if (doubt.isStrange) throw strangeTarget();
    if (!doubt.isUndecided) return;
    const [wanted, found] = this.#buffers as [Buffer, Buffer];
    for (const stretch of this.#stretches((one) => !sums.isDone(one))) {
      for (const piece of piecesOf(this.#span(stretch))) {
        control.throwIfCancelled();
        if (await holdsStrange(image, target, piece, [wanted, found])) throw strangeTarget();
        await control.pace(piece.lengthBytes);
      }
      this.#tell("looks whose target it is");
    }
  }

  async #sumInTarget(span: ByteSpan, buffer: Buffer): Promise<Buffer> {
    const { target } = this.#order;
    const sum = new StretchSum();
    for (const piece of piecesOf(span)) {
      const { position, lengthBytes } = piece;
      const isKnownZero = (await target.zerosFrom(position, lengthBytes)) >= lengthBytes;
      if (isKnownZero) sum.addZeros(lengthBytes);
      else {
        await target.read(buffer, 0, lengthBytes, position);
        sum.add(buffer, lengthBytes);
      }
    }
    return sum.finish();
  }

  async #copy(): Promise<void> {
    const { sums, target } = this.#order;
    // What could not be read is not noted: all of it is tried anew here.
    this.#damage = new RestoreDamage();
    this.#damagedSums.clear();
    const left = this.#stretches((stretch) => !sums.isDone(stretch));
    this.#doneBytes = this.#order.image.sizeBytes - left.reduce((sum, one) => sum + this.#span(one).lengthBytes, 0);
    await this.#each(left, (stretch, buffer) => this.#copyStretch(stretch, buffer));
    await target.sync();
    await sums.sync();
  }

  async #copyStretch(stretch: number, buffer: Buffer): Promise<void> {
    const { sums, target, control } = this.#order;
    const span = this.#span(stretch);
    const sum = new StretchSum();
    let isDamaged = false;
    if (await this.#isHole(span)) {
      if (!this.#isClear) await target.clear(span.position, span.lengthBytes);
      this.#figures.zeroBytes += span.lengthBytes;
      sum.addZerosOf(span);
    } else {
      for (const piece of piecesOf(span)) isDamaged = (await this.#copyPiece(piece, buffer, sum)) || isDamaged;
    }
    if (isDamaged) this.#damagedSums.set(stretch, sum.finish());
    else sums.put(stretch, sum.finish());
    this.#doneBytes += span.lengthBytes;
    this.#tell("copies");
    await this.#syncSometimes();
    await control.pace(span.lengthBytes);
  }

  /** Answers whether something of it could not be read. */
  async #copyPiece(piece: ByteSpan, buffer: Buffer, sum: StretchSum): Promise<boolean> {
    const { image, target } = this.#order;
    const damaged = await readPiece(image, piece, buffer);
    if (damaged.length > 0) this.#damage.add(piece.position, damaged, image.sizeBytes);
    const written = await writePiece(target, piece, buffer, this.#isClear);
    this.#figures.writtenBytes += written;
    this.#figures.zeroBytes += piece.lengthBytes - written;
    this.#unsyncedBytes += written;
    sum.add(buffer, piece.lengthBytes);
    return damaged.length > 0;
  }

  /** One asks after the other: what is known of the blocks is read in their order. */
  #isHole(span: ByteSpan): Promise<boolean> {
    const answer = this.#turn.then(() => this.#holes.isHole(span));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #syncSometimes(): Promise<void> {
    if (this.#unsyncedBytes < restoreSyncBytes) return;
    this.#unsyncedBytes = 0;
    await this.#order.target.sync();
    await this.#order.sums.sync();
  }

  /** By all readers at once; when one fails the others end where they are, and that is waited for. */
  async #each(stretches: readonly number[], work: (stretch: number, buffer: Buffer) => Promise<void>): Promise<void> {
    const { control } = this.#order;
    let next = 0;
    let hasFailed = false;
    const readers = this.#buffers.map(async (buffer) => {
      try {
        while (next < stretches.length && !hasFailed) {
          control.throwIfCancelled();
          await work(stretches[next++] as number, buffer);
        }
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    });
    const failed = (await Promise.allSettled(readers)).find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #stretches(isWanted: (stretch: number) => boolean): number[] {
    const found: number[] = [];
    for (let stretch = 0; stretch < this.#order.sums.stretchCount; stretch++)
      if (isWanted(stretch)) found.push(stretch);
    return found;
  }

  #span(stretch: number): ByteSpan {
    const position = stretch * this.#stretchBytes;
    return { position, lengthBytes: Math.min(this.#stretchBytes, this.#order.image.sizeBytes - position) };
  }

  #tell(what: string): void {
    const { control, image } = this.#order;
    control.progress({ done: this.#doneBytes, total: image.sizeBytes, unit: "bytes", what });
  }
}

function* piecesOf({ position, lengthBytes }: ByteSpan): Generator<ByteSpan> {
  for (let at = 0; at < lengthBytes; at += restoreStretchBytesMin) {
    yield { position: position + at, lengthBytes: Math.min(restoreStretchBytesMin, lengthBytes - at) };
  }
}

/** Of the sums of its pieces. */
class StretchSum {
  #sums: Buffer[] = [];

  add(buffer: Buffer, lengthBytes: number): void {
    const sum = Buffer.alloc(checksumBytes);
    putChecksum(buffer, 0, lengthBytes, sum, 0);
    this.#sums.push(sum);
  }

  /** Of a whole piece, or of a volume's last. */
  addZeros(lengthBytes: number): void {
    this.#sums.push(lengthBytes === restoreStretchBytesMin ? wholePieceOfZeros : zeroSum(lengthBytes));
  }

  addZerosOf(span: ByteSpan): void {
    for (const { lengthBytes } of piecesOf(span)) this.addZeros(lengthBytes);
  }

  finish(): Buffer {
    const sum = Buffer.alloc(checksumBytes);
    const all = Buffer.concat(this.#sums);
    putChecksum(all, 0, all.length, sum, 0);
    return sum;
  }
}

const zeros = Buffer.alloc(restoreStretchBytesMin);
const wholePieceOfZeros = zeroSum(restoreStretchBytesMin);

function sumOfZeros(span: ByteSpan): Buffer {
  const sum = new StretchSum();
  sum.addZerosOf(span);
  return sum.finish();
}

function zeroSum(lengthBytes: number): Buffer {
  const sum = Buffer.alloc(checksumBytes);
  putChecksum(zeros, 0, lengthBytes, sum, 0);
  return sum;
}
