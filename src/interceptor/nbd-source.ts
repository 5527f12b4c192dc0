/** An export of another NBD server as a source. Whatever is asked of it takes a while. */
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { nbdClientClearPieceBytes, nbdClientClearPiecesMax, nbdZeroPieceBytes } from "#src/core/nbd-limits.ts";
import type { DoneCallback, Extent } from "#src/host/block-device.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { type ConnectOptions, connect } from "#src/nbd/client/connect.ts";
import { NbdConnectionError } from "#src/nbd/client/errors.ts";
import { allocationFlag, baseAllocation, commandFlag } from "#src/nbd/constants.ts";
import { ClearPieces } from "./clear-pieces.ts";
import type { ExtentsCallback, Source } from "./source.ts";

const zeros = Buffer.alloc(nbdZeroPieceBytes);

export async function openNbdSource(options: Omit<ConnectOptions, "want">): Promise<Source> {
  const client = await connect({
    ...options,
    // A disk that is slow is none that has failed, here as in a file: hosts get their answers when it has done what it has to.
    waitsForFlushes: true,
    want: { structured: true, extended: true, metaContexts: [baseAllocation] },
  });
  const why = unfitness(client);
  if (why === undefined) return new NbdSource(client);
  await client.disconnect();
  throw new RefuseError(`the export ${options.exportName} cannot be a volume's source: ${why}`);
}

function unfitness(client: NbdClient): string | undefined {
  if (client.flags.readOnly) return "it is read-only";
  if (!client.flags.canFlush) return "its server cannot flush, so nothing could be promised";
  if (client.blockSizes.minimumBytes > blockBytes) return `its blocks are larger than ${blockBytes} bytes`;
  return undefined;
}

class NbdSource implements Source {
  readonly sizeBytes: number;
  readonly description: string;
  readonly rotational: boolean;
  readonly minimumBytes: number;
  readonly isCached = false;
  readonly #client: NbdClient;
  readonly #clears: ClearPieces;

  constructor(client: NbdClient) {
    this.#client = client;
    this.#clears = new ClearPieces({
      pieceBytes: client.flags.canWriteZeroes ? nbdClientClearPieceBytes : zeros.length,
      countMax: nbdClientClearPiecesMax,
      begin: (position, lengthBytes, keepSpace, done) => this.#clearPiece(position, lengthBytes, keepSpace, done),
    });
    this.sizeBytes = client.sizeBytes;
    this.description = client.description;
    this.rotational = client.flags.rotational;
    this.minimumBytes = client.blockSizes.minimumBytes;
  }

  /** A trim promises nothing here; zeroing that may make holes does. */
  get trimReadsZeros(): boolean {
    return this.#client.flags.canWriteZeroes;
  }

  clearsFast(): boolean {
    // A server only says so of a request that it has got, and by then the record of it is written.
    return false;
  }

  readIfCached(): boolean {
    return false;
  }

  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#insist(() => this.#client.submitRead(position, buffer, start, lengthBytes, done));
  }

  mayWriteNow(): boolean {
    return false;
  }

  writeNow(): void {
    throw new Error("a server is never written to at once");
  }

  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#insist(() => this.#client.submitWrite(position, buffer, start, lengthBytes, 0, done));
  }

  clear(position: number, lengthBytes: number, keepSpace: boolean, done: DoneCallback): void {
    this.#clears.clear(position, lengthBytes, keepSpace, done);
  }

  #clearPiece(position: number, lengthBytes: number, keepSpace: boolean, done: DoneCallback): void {
    if (!this.#client.flags.canWriteZeroes) return this.write(zeros, 0, lengthBytes, position, done);
    const flags = keepSpace ? commandFlag.noHole : 0;
    this.#insist(() => this.#client.submitWriteZeroes(position, lengthBytes, flags, done));
  }

  endClears(): void {
    this.#clears.end(new Error("the source was closed"));
  }

  sync(done: DoneCallback): void {
    this.#insist(() => this.#client.submitFlush(done));
  }

  extents(position: number, lengthBytes: number, countMax: number, done: ExtentsCallback): void {
    if (!this.#client.contexts.includes(baseAllocation)) {
      return done(null, [{ lengthBytes, hole: false, zero: false }]);
    }
    this.#client.blockStatus(position, lengthBytes, { one: countMax === 1 }).then(
      (status) => done(null, clipped(status.get(baseAllocation) ?? [], lengthBytes, countMax)),
      (error: Error) => done(error, []),
    );
  }

  willNeed(position: number, lengthBytes: number): void {
    // A hint: whether it helped is nobody's business.
    if (this.#client.flags.canCache) this.#client.cache(position, lengthBytes).catch(() => {});
  }

  whenLost(told: (error: Error) => void): void {
    this.#client.whenClosed(() => {
      const cause = this.#client.failure;
      const how = cause === undefined ? "" : ` (${cause.message})`;
      const help = "when it is back, 'tidemark volume unfence' connects to it again";
      told(new NbdConnectionError(`the server of the source is gone${how}: ${help}`, { cause }));
    });
  }

  async close(): Promise<void> {
    this.endClears();
    await this.#client.disconnect();
  }

  /** Until the client has room for it. */
  #insist(submit: () => boolean): void {
    if (!submit()) this.#client.whenRoom(() => this.#insist(submit));
  }
}

function clipped(
  reported: readonly { readonly lengthBytes: number; readonly status: number }[],
  rangeBytes: number,
  countMax: number,
): Extent[] {
  const extents: Extent[] = [];
  let left = rangeBytes;
  for (const { lengthBytes, status } of reported) {
    if (left === 0 || extents.length === countMax) break;
    const length = Math.min(lengthBytes, left);
    left -= length;
    extents.push({
      lengthBytes: length,
      hole: (status & allocationFlag.hole) !== 0,
      zero: (status & allocationFlag.zero) !== 0,
    });
  }
  return extents;
}
