/**
 * An NBD export, opened: callbacks for paths that are hot, promises for all others. A request larger than the server
 * takes is sent in pieces; nothing is rounded or aligned behind the caller's back.
 */
import { alignDown } from "#src/core/byte-range.ts";
import { nbdPayloadBytesMax } from "#src/core/nbd-limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import type { Clock } from "#src/host/clock.ts";
import { command, commandFlag, transmissionFlag } from "../constants.ts";
import type { BlockSizes } from "../option-codec.ts";
import type { ReplyStyle } from "../reply-codec.ts";
import { NbdConnectionError } from "./errors.ts";
import type { ExportDetails } from "./export-details.ts";
import type { MetaContext } from "./handshake.ts";
import { Operation, type OperationSpec, type ReportedExtent } from "./operation.ts";
import { type ExportLimits, findBufferFault, findFault } from "./request-check.ts";
import type { Transmission } from "./transmission.ts";

export interface NbdClientFlags {
  readonly readOnly: boolean;
  readonly canFlush: boolean;
  readonly canFua: boolean;
  readonly canTrim: boolean;
  readonly canWriteZeroes: boolean;
  readonly canFastZero: boolean;
  readonly canCache: boolean;
  readonly canDoNotFragment: boolean;
  /** Several connections see each other's writes, and one's flush covers all. */
  readonly canMultiConn: boolean;
  readonly rotational: boolean;
}

/** A context's extents begin at the position that was asked for, and may end before or after the range. */
export type BlockStatus = ReadonlyMap<string, readonly ReportedExtent[]>;

export interface NbdClientParts {
  readonly exportName: string;
  readonly details: ExportDetails;
  readonly contexts: readonly MetaContext[];
  readonly style: ReplyStyle;
  readonly transmission: Transmission;
  readonly clock: Clock;
}

/** What a server means that says nothing. */
const blockSizesDefault: BlockSizes = { minimumBytes: 1, preferredBytes: 4096, payloadBytesMax: nbdPayloadBytesMax };
/** The longest range without a payload in a header of 32 bits, in whole blocks of any size there is. */
const compactBytesMax = 2 ** 32 - 65_536;
const nothing = Buffer.alloc(0);

export class NbdClient implements AsyncDisposable {
  /** The server's own name for the export, or the one that was asked for. */
  readonly exportName: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly flags: NbdClientFlags;
  readonly blockSizes: BlockSizes;
  /** Names of the metadata contexts that were agreed upon. */
  readonly contexts: readonly string[];
  readonly style: ReplyStyle;
  readonly #contexts: readonly MetaContext[];
  readonly #limits: ExportLimits;
  readonly #payloadBytesMax: number;
  readonly #rangeBytesMax: number;
  readonly #transmission: Transmission;
  readonly #clock: Clock;

  constructor(parts: NbdClientParts) {
    const { details, contexts } = parts;
    this.exportName = details.name ?? parts.exportName;
    this.description = details.description ?? "";
    this.sizeBytes = details.sizeBytes;
    this.flags = namedFlags(details.flags);
    this.blockSizes = details.blockSizes ?? blockSizesDefault;
    this.contexts = contexts.map(({ name }) => name);
    this.style = parts.style;
    this.#contexts = contexts;
    const { minimumBytes, payloadBytesMax } = this.blockSizes;
    this.#limits = {
      sizeBytes: details.sizeBytes,
      transmissionFlags: details.flags,
      minimumBytes,
      hasContexts: contexts.length > 0,
    };
    this.#payloadBytesMax = alignDown(Math.min(payloadBytesMax, nbdPayloadBytesMax), minimumBytes);
    this.#rangeBytesMax = this.style === "extended" ? Number.MAX_SAFE_INTEGER : compactBytesMax;
    this.#transmission = parts.transmission;
    this.#clock = parts.clock;
  }

  /** Why this client takes nothing more; undefined as long as it does. */
  get failure(): Error | undefined {
    return this.#transmission.failure;
  }

  // Callbacks. Each returns false if too much waits already: nothing was taken, and `whenRoom` tells when to try again.
  // Buffers belong to the client until `done`, which is never called before the submit returned.

  submitRead(offset: number, buffer: Buffer, start: number, lengthBytes: number, done: DoneCallback): boolean {
    return this.#submit(this.#transfer(command.read, 0, offset, buffer, start, lengthBytes, done));
  }

  submitWrite(
    offset: number,
    buffer: Buffer,
    start: number,
    lengthBytes: number,
    flags: number,
    done: DoneCallback,
  ): boolean {
    return this.#submit(this.#transfer(command.write, flags, offset, buffer, start, lengthBytes, done));
  }

  submitFlush(done: DoneCallback): boolean {
    return this.#submit(this.#range(command.flush, 0, 0, 0, done));
  }

  submitTrim(offset: number, lengthBytes: number, flags: number, done: DoneCallback): boolean {
    return this.#submit(this.#range(command.trim, flags, offset, lengthBytes, done));
  }

  submitWriteZeroes(offset: number, lengthBytes: number, flags: number, done: DoneCallback): boolean {
    return this.#submit(this.#range(command.writeZeroes, flags, offset, lengthBytes, done));
  }

  /** Calls back once, later, when the connection is gone, whoever has ended it. */
  whenClosed(callback: () => void): void {
    this.#transmission.whenClosed(callback);
  }

  whenRoom(callback: () => void): void {
    this.#transmission.whenRoom(callback);
  }

  // Promises. They wait for room by themselves.

  async read(offset: number, lengthBytes: number, options: { doNotFragment?: boolean } = {}): Promise<Buffer> {
    const flags = options.doNotFragment === true ? commandFlag.doNotFragment : 0;
    // The range is checked before memory for it is taken.
    const fault = findFault(this.#limits, this.#transfer(command.read, flags, offset, nothing, 0, lengthBytes, ignore));
    if (fault !== undefined) throw fault;
    const buffer = Buffer.allocUnsafeSlow(lengthBytes);
    await this.#run((done) => this.#transfer(command.read, flags, offset, buffer, 0, lengthBytes, done));
    return buffer;
  }

  async readInto(offset: number, buffer: Buffer): Promise<void> {
    await this.#run((done) => this.#transfer(command.read, 0, offset, buffer, 0, buffer.length, done));
  }

  async write(offset: number, buffer: Buffer, options: { fua?: boolean } = {}): Promise<void> {
    const flags = fuaFlag(options);
    await this.#run((done) => this.#transfer(command.write, flags, offset, buffer, 0, buffer.length, done));
  }

  /** What was written, and answered, before this call is durable when it resolves. */
  async flush(): Promise<void> {
    await this.#run((done) => this.#range(command.flush, 0, 0, 0, done));
  }

  async trim(offset: number, lengthBytes: number, options: { fua?: boolean } = {}): Promise<void> {
    await this.#run((done) => this.#range(command.trim, fuaFlag(options), offset, lengthBytes, done));
  }

  async writeZeroes(
    offset: number,
    lengthBytes: number,
    options: { fua?: boolean; noHole?: boolean; fastZero?: boolean } = {},
  ): Promise<void> {
    const noHole = options.noHole === true ? commandFlag.noHole : 0;
    const fastZero = options.fastZero === true ? commandFlag.fastZero : 0;
    const flags = fuaFlag(options) | noHole | fastZero;
    await this.#run((done) => this.#range(command.writeZeroes, flags, offset, lengthBytes, done));
  }

  /** Asks the server to have the range ready soon. */
  async cache(offset: number, lengthBytes: number): Promise<void> {
    await this.#run((done) => this.#range(command.cache, 0, offset, lengthBytes, done));
  }

  /** With `one`, a single extent per context that does not go beyond the range. */
  async blockStatus(offset: number, lengthBytes: number, options: { one?: boolean } = {}): Promise<BlockStatus> {
    const flags = options.one === true ? commandFlag.requestOne : 0;
    const fault = findFault(this.#limits, this.#range(command.blockStatus, flags, offset, lengthBytes, ignore));
    if (fault !== undefined) throw fault;
    // An answer may always tell of less than was asked for, so a range that is too long for a header is cut.
    const cutBytes = Math.min(lengthBytes, this.#rangeBytesMax);
    const operation = await this.#run((done) => this.#range(command.blockStatus, flags, offset, cutBytes, done));
    return new Map(this.#contexts.map(({ id, name }) => [name, operation.statuses?.get(id) ?? []]));
  }

  /** Lets all that was asked for come to its end, says goodbye and hangs up. */
  disconnect(): Promise<void> {
    this.#transmission.leave(new NbdConnectionError("this client was disconnected"));
    return new Promise((resolve) => this.#transmission.whenClosed(resolve));
  }

  /** Hangs up at once; all that is under way fails. */
  destroy(reason: Error = new NbdConnectionError("this client was destroyed")): void {
    this.#transmission.fail(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  #transfer(
    type: number,
    flags: number,
    offset: number,
    buffer: Buffer,
    start: number,
    lengthBytes: number,
    done: DoneCallback,
  ): OperationSpec {
    return { type, flags, offset, lengthBytes, buffer, start, pieceBytesMax: this.#payloadBytesMax, done };
  }

  #range(type: number, flags: number, offset: number, lengthBytes: number, done: DoneCallback): OperationSpec {
    // Servers hold a request to cache to the bounds of a read.
    const pieceBytesMax = type === command.cache ? this.#payloadBytesMax : this.#rangeBytesMax;
    return { type, flags, offset, lengthBytes, buffer: nothing, start: 0, pieceBytesMax, done };
  }

  #findFault(spec: OperationSpec): Error | undefined {
    return findFault(this.#limits, spec) ?? findBufferFault(spec);
  }

  #submit(spec: OperationSpec): boolean {
    const fault = this.#findFault(spec);
    if (fault === undefined) return this.#transmission.submit(new Operation(spec));
    this.#clock.soon(() => spec.done(fault));
    return true;
  }

  #run(specify: (done: DoneCallback) => OperationSpec): Promise<Operation> {
    return new Promise((resolve, reject) => {
      const spec = specify((error) => (error === null ? resolve(operation) : reject(error)));
      const fault = this.#findFault(spec);
      if (fault !== undefined) throw fault;
      const operation = new Operation(spec);
      const attempt = (): void => {
        if (!this.#transmission.submit(operation)) this.#transmission.whenRoom(attempt);
      };
      attempt();
    });
  }
}

function ignore(): void {}

function fuaFlag(options: { readonly fua?: boolean }): number {
  return options.fua === true ? commandFlag.fua : 0;
}

function namedFlags(flags: number): NbdClientFlags {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return {
    readOnly: has(transmissionFlag.readOnly),
    canFlush: has(transmissionFlag.sendFlush),
    canFua: has(transmissionFlag.sendFua),
    canTrim: has(transmissionFlag.sendTrim),
    canWriteZeroes: has(transmissionFlag.sendWriteZeroes),
    canFastZero: has(transmissionFlag.sendFastZero),
    canCache: has(transmissionFlag.sendCache),
    canDoNotFragment: has(transmissionFlag.sendDf),
    canMultiConn: has(transmissionFlag.canMultiConn),
    rotational: has(transmissionFlag.rotational),
  };
}
