/**
 * The block device port: a file or a block device of a fixed size. Positions and lengths are bytes. Calls whose names
 * end in `Now` return when the work is done and may block; the others call back, never before they return.
 * Errors are thrown or handed over as `NodeJS.ErrnoException` with a `code`.
 */

export type DoneCallback = (error: Error | null) => void;

/** One run of a device's bytes: `hole` has no storage behind it, `zero` reads as zeros. */
export interface Extent {
  readonly lengthBytes: number;
  readonly hole: boolean;
  readonly zero: boolean;
}

export interface BlockDevice {
  readonly path: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** True where the device says that seeking is slow. */
  readonly rotational: boolean;
  /** Reads the whole range; a file that has become shorter is an error, never zeros. */
  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void;
  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void;
  /**
   * Reads only if no waiting for a disk is needed. False: the bytes are not in memory and the buffer's content is
   * undefined. A host that cannot tell reads anyway.
   */
  readIfCached(buffer: Buffer, start: number, lengthBytes: number, position: number): boolean;
  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void;
  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void;
  /** All that was written before this call is durable when `done` is called without an error. */
  sync(done: DoneCallback): void;
  /** The range reads as zeros and, where the file system can, takes no space. False: not possible here, nothing was changed. */
  punchHoleNow(position: number, lengthBytes: number): boolean;
  /** The range reads as zeros and keeps its space. False: not possible here without writing zeros, nothing was changed. */
  zeroRangeNow(position: number, lengthBytes: number): boolean;
  /** The runs from `position` on, at most `countMax`, ending at or before `position + lengthBytes`; all data where the host cannot tell. */
  extentsNow(position: number, lengthBytes: number, countMax: number): Extent[];
  /** Asks the host to have the range in memory soon. A hint: no answer, no error. */
  willNeed(position: number, lengthBytes: number): void;
  close(): void;
}
