/**
 * Changes of a view's blocks, as clients ask for them. Whole blocks are gathered and written with all others of their batch; a part
 * of a block is completed by what the block has, while nobody else changes it.
 *
 * Invariants: what is gathered in a batch is written when it ends, or before anything that reads for a change; what was replied to
 * is in the overlay's journals.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { blockBytes, recordPayloadBytesMax } from "#src/core/limits.ts";
import { viewClearBlocksMax, viewReopenMs } from "#src/core/view-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { nbdErrorOf } from "#src/nbd/error-number.ts";
import type { ExportRequest } from "#src/nbd/export.ts";
import { WriteOrder, type WriteTurn } from "#src/nbd/write-order.ts";
import type { ViewBlocks } from "./view-blocks.ts";
import type { ViewOverlay } from "./view-overlay.ts";

/** The journals once more, after a write into them has failed. */
export type OpenOverlay = () => Promise<ViewOverlay>;

export interface ViewChangesParts {
  readonly clock: Clock;
  readonly blocks: ViewBlocks;
  readonly openAnew: OpenOverlay;
}

export class ViewChanges {
  readonly #clock: Clock;
  readonly #blocks: ViewBlocks;
  readonly #openAnew: OpenOverlay;
  readonly #order = new WriteOrder();
  /** Whose changes are gathered. */
  #gathered: ExportRequest[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #reopening: Promise<void> | undefined;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor({ clock, blocks, openAnew }: ViewChangesParts) {
    this.#clock = clock;
    this.#blocks = blocks;
    this.#openAnew = openAnew;
  }

  get #overlay(): ViewOverlay {
    return this.#blocks.overlay as ViewOverlay;
  }

  /** Any command but those that read. */
  submit(request: ExportRequest): void {
    if (request.command === command.flush) return this.#flush(request);
    if (request.command === command.trim && !hasWholeBlock(request, this.#sizeBytes))
      return request.complete(nbdError.ok);
    const isSimple = request.command === command.trim || this.#isWhole(request);
    if (this.#overlay.failure !== undefined || !isSimple || !this.#isFree(request)) return this.#inTurn(request);
    this.#gatherNow(request);
  }

  get #sizeBytes(): number {
    return this.#blocks.base.sizeBytes;
  }

  /** Made of whole blocks, and to be done without a pause. */
  #isWhole({ command: what, offset, length, noHole, fastZero }: ExportRequest): boolean {
    if (what === command.writeZeroes && noHole && !fastZero) return false;
    const end = offset + length;
    return offset % blockBytes === 0 && (end % blockBytes === 0 || (what !== command.write && end === this.#sizeBytes));
  }

  #isFree({ offset, length }: ExportRequest): boolean {
    const start = startBlockOf(offset) * blockBytes;
    return this.#order.isFree(start, endBlockOf(offset + length) * blockBytes - start);
  }

  #gatherNow(request: ExportRequest): void {
    if (request.command === command.writeZeroes && request.noHole) return request.complete(nbdError.notSupported);
    this.#gathered.push(request);
    try {
      this.#gather(request);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The whole blocks that it changes. */
  #gather(request: ExportRequest): void {
    const { offset, length } = request;
    if (request.command === command.write) {
      this.#gatherBytes(offset / blockBytes, request.buffer, request.start, length);
      return;
    }
    const end = offset + length === this.#sizeBytes ? endBlockOf(offset + length) : startBlockOf(offset + length);
    this.#gatherZeros(endBlockOf(offset), end);
  }

  #gatherBytes(startBlock: number, source: Buffer, start: number, lengthBytes: number): void {
    for (let done = 0; done < lengthBytes; ) {
      const bytes = Math.min(recordPayloadBytesMax, lengthBytes - done);
      const blockCount = bytes / blockBytes;
      if (!this.#overlay.hasRoomFor(blockCount)) this.#overlay.commit();
      this.#overlay.write(startBlock + done / blockBytes, blockCount, source, start + done);
      done += bytes;
    }
  }

  #gatherZeros(startBlock: number, endBlock: number): void {
    for (let block = startBlock; block < endBlock; ) {
      const blockCount = Math.min(endBlock - block, viewClearBlocksMax);
      if (!this.#overlay.hasRoomFor(0)) this.#overlay.commit();
      this.#overlay.clear(block, blockCount);
      block += blockCount;
    }
  }

  endBatch(): void {
    if (this.#gathered.length === 0) return;
    try {
      this.#overlay.commit();
    } catch (error) {
      return this.#fail(error);
    }
    const written = this.#gathered;
    this.#gathered = [];
    for (const request of written) this.#written(request);
  }

  /** Of all that is gathered nobody knows whether it is written. */
  #fail(error: unknown): void {
    if (isOwnFault(error)) throw error;
    const failed = this.#gathered;
    this.#gathered = [];
    for (const request of failed) request.complete(nbdErrorOf(error));
  }

  #written(request: ExportRequest): void {
    if (request.fua) this.#sync(request);
    else request.complete(nbdError.ok);
  }

  #flush(request: ExportRequest): void {
    this.endBatch();
    if (this.#overlay.failure === undefined) return this.#sync(request);
    request.keepWithoutPayload();
    this.#track(request, async () => this.#reopened());
  }

  #sync(request: ExportRequest): void {
    request.keepWithoutPayload();
    this.#overlay.sync((error) => request.complete(nbdErrorOf(error)));
  }

  /** With its blocks to itself, for as long as it takes. */
  #inTurn(request: ExportRequest): void {
    request.keep();
    const start = startBlockOf(request.offset) * blockBytes;
    const length = endBlockOf(request.offset + request.length) * blockBytes - start;
    const turn: WriteTurn = {
      offset: start,
      length,
      start: () => {
        this.#track(request, async () => {
          try {
            await this.#change(request);
          } finally {
            this.#order.leave(turn);
          }
        });
      },
    };
    this.#order.enter(turn);
  }

  /** Answers when the work is done. */
  #track(request: ExportRequest, work: () => Promise<void>): void {
    const done = work()
      .then(
        () => this.#written(request),
        (error) => {
          if (isOwnFault(error)) raiseOwnFault(error, this.#clock);
          else request.complete(nbdErrorOf(error));
        },
      )
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  async #change(request: ExportRequest): Promise<void> {
    await this.#reopened();
    // What was gathered before is what the rest of a block has.
    this.endBatch();
    const { offset, length } = request;
    if (request.command === command.trim || this.#isWhole(request)) {
      this.#gather(request);
      return this.#overlay.commit();
    }
    const isZero = request.command === command.writeZeroes;
    for (let done = 0; done < length; ) {
      if (request.abandoned) throw new Error("whoever asked for it is gone");
      const at = offset + done;
      const bytes = Math.min(length - done, recordPayloadBytesMax - (at % blockBytes));
      const payload = isZero ? undefined : request.buffer.subarray(request.start + done, request.start + done + bytes);
      await this.#writeParts(at, bytes, payload);
      done += bytes;
    }
  }

  /** `payload` undefined: zeros, which take their place. */
  async #writeParts(offset: number, lengthBytes: number, payload: Buffer | undefined): Promise<void> {
    const startBlock = startBlockOf(offset);
    const endBlock = endBlockOf(offset + lengthBytes);
    const blocks = Buffer.alloc((endBlock - startBlock) * blockBytes);
    const from = offset - startBlock * blockBytes;
    const isStartCut = from > 0;
    const isEndCut = (offset + lengthBytes) % blockBytes !== 0;
    if (isStartCut || (isEndCut && endBlock - startBlock === 1)) await this.#readBlock(startBlock, blocks, 0);
    if (isEndCut && endBlock - startBlock > 1) await this.#readBlock(endBlock - 1, blocks, blocks.length - blockBytes);
    if (payload === undefined) blocks.fill(0, from, from + lengthBytes);
    else payload.copy(blocks, from);
    this.endBatch();
    this.#gatherBytes(startBlock, blocks, 0, blocks.length);
    this.#overlay.commit();
  }

  async #readBlock(block: number, target: Buffer, start: number): Promise<void> {
    if (await this.#blocks.read(block, 1, target, start)) return;
    throw Object.assign(new Error(`block ${block} is damaged, and only a part of it is written`), { code: "EIO" });
  }

  /** After a write that failed the journals are opened anew, now and then, to find out what counts. */
  async #reopened(): Promise<void> {
    const { failure, hasLostSync } = this.#overlay;
    if (failure === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    if (hasLostSync || (this.#reopening === undefined && nowMs < this.#notBeforeMs)) throw failure;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#notBeforeMs = this.#clock.monotonicMs() + viewReopenMs;
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #reopen(): Promise<void> {
    const before = this.#overlay;
    const overlay = await this.#openAnew();
    await before.close();
    this.#blocks.overlay = overlay;
  }

  /** What is under way is over, and all that is written is durable. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay]);
  }
}

function startBlockOf(offset: number): number {
  return Math.floor(offset / blockBytes);
}

function endBlockOf(offset: number): number {
  return Math.ceil(offset / blockBytes);
}

/** Of what is trimmed in part nothing happens. */
function hasWholeBlock({ offset, length }: ExportRequest, sizeBytes: number): boolean {
  const end = offset + length;
  return endBlockOf(offset) < (end === sizeBytes ? endBlockOf(end) : startBlockOf(end));
}
