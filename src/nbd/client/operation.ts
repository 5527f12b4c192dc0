/**
 * What a caller asked for. It may be larger than one request can be, and is then sent piece by piece as there is room:
 *
 *     |<- answered ->|<- under way ->|<- not sent yet ->|
 *     0                        issuedBytes         lengthBytes
 */
import type { DoneCallback } from "#src/host/block-device.ts";
import { command } from "../constants.ts";

/** A run of bytes with the same status in one metadata context. */
export interface ReportedExtent {
  readonly lengthBytes: number;
  /** The flags that the context defines; the lower 32 bits of them. */
  readonly status: number;
  /** The upper 32 bits, which only contexts over extended headers can have. */
  readonly statusHigh: number;
}

export interface OperationSpec {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly lengthBytes: number;
  /** Where a read's data goes and a write's comes from. */
  readonly buffer: Buffer;
  readonly start: number;
  /** The most that one request may be about. */
  readonly pieceBytesMax: number;
  readonly done: DoneCallback;
}

export class Operation {
  readonly spec: OperationSpec;
  issuedBytes = 0;
  piecesUnderWay = 0;
  failure: Error | undefined;
  /** What a server answered about block status: extents by the number of their context. */
  statuses: ReadonlyMap<number, readonly ReportedExtent[]> | undefined;
  #wasIssued = false;

  constructor(spec: OperationSpec) {
    this.spec = spec;
  }

  get carriesData(): boolean {
    return this.spec.type === command.read || this.spec.type === command.write;
  }

  get nextPieceBytes(): number {
    return Math.min(this.spec.lengthBytes - this.issuedBytes, this.spec.pieceBytesMax);
  }

  /** A piece of this length is on its way. */
  issued(pieceBytes: number): void {
    this.issuedBytes += pieceBytes;
    this.piecesUnderWay++;
    this.#wasIssued = true;
  }

  /** Nothing of it is left to be sent: all went out, or a piece failed and the rest would be in vain. */
  get isSent(): boolean {
    return this.failure !== undefined || (this.#wasIssued && this.issuedBytes === this.spec.lengthBytes);
  }

  get isOver(): boolean {
    return this.piecesUnderWay === 0 && this.isSent;
  }
}
