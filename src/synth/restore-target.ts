/** Where a point is restored to: a file, a block device, or an export of an NBD server. Positions and lengths are bytes. */
export interface RestoreTarget {
  readonly sizeBytes: number;
  read(buffer: Buffer, start: number, lengthBytes: number, position: number): Promise<void>;
  write(buffer: Buffer, start: number, lengthBytes: number, position: number): Promise<void>;
  /** The range reads as zeros; it takes no space where that can be. */
  clear(position: number, lengthBytes: number): Promise<void>;
  /** How many bytes from there on are known to read as zeros without being read; 0: nobody knows. */
  zerosFrom(position: number, lengthBytes: number): Promise<number>;
  /** What was written and cleared before is durable when this resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
