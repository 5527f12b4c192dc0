/**
 * What a host asked of a volume, as somebody between the two saw it: each change with its bytes, when it was passed on and when
 * it was answered, in one count of events. Nothing of the product has a hand in it.
 */
import fs from "node:fs";
import { blockBytes } from "#test/oracle/log-records.ts";

/** To `clear` is to write zeros where the space need not be kept. */
export type ChangeKind = "write" | "trim" | "zero" | "clear";

export interface HostChange {
  readonly kind: ChangeKind;
  readonly offset: number;
  readonly length: number;
  /** Its bytes, in the log's file; of a write. */
  readonly payloadAt: number;
  readonly passedAt: number;
  answeredAt: number;
  hasFailed: boolean;
}

/** Blocks that one record is to speak of; `type` is a record's, as docs/formats.md numbers them. */
export interface ChangePiece {
  readonly change: HostChange;
  readonly type: number;
  readonly startBlock: number;
  readonly blockCount: number;
}

const recordBlocksMax = 256;
const gatherBytes = 4 * 2 ** 20;
const type = { write: 1, trim: 2, zero: 3 };

export class HostLog implements Disposable {
  readonly changes: HostChange[] = [];
  #events = 0;
  readonly #file: number;
  readonly #gathered = Buffer.alloc(gatherBytes);
  #gatheredBytes = 0;
  #writtenBytes = 0;

  constructor(path: string) {
    this.#file = fs.openSync(path, "wx+");
  }

  passed(kind: ChangeKind, offset: number, length: number, payload?: Buffer): HostChange {
    const payloadAt = this.#writtenBytes + this.#gatheredBytes;
    if (payload !== undefined) this.#append(payload);
    const times = { passedAt: ++this.#events, answeredAt: Number.POSITIVE_INFINITY };
    const change = { kind, offset, length, payloadAt, ...times, hasFailed: false };
    this.changes.push(change);
    return change;
  }

  answered(change: HostChange, hasFailed: boolean): void {
    change.answeredAt = ++this.#events;
    change.hasFailed = hasFailed;
  }

  /** Puts into an image what a piece of a change made of its blocks. */
  apply({ change, startBlock, blockCount }: ChangePiece, image: Buffer): void {
    const from = Math.max(change.offset, startBlock * blockBytes);
    const end = Math.min(change.offset + change.length, (startBlock + blockCount) * blockBytes);
    if (change.kind !== "write") return void image.fill(0, from, end);
    if (change.payloadAt + change.length > this.#writtenBytes) this.#flush();
    const count = fs.readSync(this.#file, image, from, end - from, change.payloadAt + from - change.offset);
    if (count !== end - from) throw new Error("the log of the host is short");
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#file);
  }

  #append(payload: Buffer): void {
    if (this.#gatheredBytes + payload.length > gatherBytes) this.#flush();
    if (payload.length > gatherBytes) {
      this.#write(payload);
      return;
    }
    payload.copy(this.#gathered, this.#gatheredBytes);
    this.#gatheredBytes += payload.length;
  }

  #flush(): void {
    this.#write(this.#gathered.subarray(0, this.#gatheredBytes));
    this.#gatheredBytes = 0;
  }

  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      at += fs.writeSync(this.#file, bytes, at, bytes.length - at, this.#writtenBytes + at);
    }
    this.#writtenBytes += bytes.length;
  }
}

/**
 * The records that a change becomes: of whole blocks, a write's of at most 1 MiB. Zeros that do not end where blocks do are
 * writes there. A trim counts for whole blocks only.
 */
export function piecesOf(change: HostChange, sizeBytes: number): ChangePiece[] {
  const { kind, offset, length } = change;
  const end = offset + length;
  const isAtEnd = end === sizeBytes;
  const startBlock = kind === "trim" ? Math.ceil(offset / blockBytes) : Math.floor(offset / blockBytes);
  const endBlock = kind === "trim" && !isAtEnd ? Math.floor(end / blockBytes) : Math.ceil(end / blockBytes);
  if (endBlock <= startBlock) return [];
  const piece = (ofType: number, from: number, to: number): ChangePiece => {
    return { change, type: ofType, startBlock: from, blockCount: to - from };
  };
  if (kind === "trim") return [piece(type.trim, startBlock, endBlock)];
  const pieces: ChangePiece[] = [];
  if (kind === "write") {
    for (let from = startBlock; from < endBlock; from += recordBlocksMax) {
      pieces.push(piece(type.write, from, Math.min(from + recordBlocksMax, endBlock)));
    }
    return pieces;
  }
  const hasTail = end % blockBytes !== 0 && !isAtEnd;
  const hasHead = offset % blockBytes !== 0 || (hasTail && endBlock - startBlock === 1);
  const wholeFrom = startBlock + (hasHead ? 1 : 0);
  const wholeTo = endBlock - (hasTail && endBlock - startBlock > 1 ? 1 : 0);
  if (hasHead) pieces.push(piece(type.write, startBlock, wholeFrom));
  if (wholeTo > wholeFrom) pieces.push(piece(kind === "zero" ? type.zero : type.trim, wholeFrom, wholeTo));
  if (wholeTo < endBlock) pieces.push(piece(type.write, wholeTo, endBlock));
  return pieces;
}
