/**
 * A view as an export: reads of its blocks, and where it is writable changes that go aside.
 *
 * Invariants: a write is replied to when it is written aside, a flush when all that was replied to before is durable; two changes
 * of one block are made one after the other.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { nbdPayloadBytesMax } from "#src/core/nbd-limits.ts";
import { viewSmallReadBytes } from "#src/core/view-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { allocationFlag, baseAllocation, command, nbdError } from "#src/nbd/constants.ts";
import { nbdErrorOf } from "#src/nbd/error-number.ts";
import type { ExportFeatures, ExportRequest, NbdExport } from "#src/nbd/export.ts";
import { answerStatus, type StatusContext } from "#src/nbd/status-context.ts";
import { DamagePause } from "./damage-pause.ts";
import type { ViewBase } from "./view-base.ts";
import { ViewBlocks } from "./view-blocks.ts";
import type { OpenOverlay } from "./view-changes.ts";
import { ViewChanges } from "./view-changes.ts";
import type { ViewOverlay } from "./view-overlay.ts";

export interface ViewExportParts {
  readonly name: string;
  readonly description: string;
  readonly clock: Clock;
  readonly base: ViewBase;
  /** Undefined: it is read-only. */
  readonly written: { readonly overlay: ViewOverlay; readonly openAnew: OpenOverlay } | undefined;
  /** What else is known of its blocks. */
  readonly contexts?: readonly StatusContext[];
}

export class ViewExport implements NbdExport {
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly blockSizes = { minimumBytes: 1, preferredBytes: blockBytes, payloadBytesMax: nbdPayloadBytesMax };
  readonly features: ExportFeatures;
  readonly #clock: Clock;
  readonly #contexts: readonly StatusContext[];
  readonly #blocks: ViewBlocks;
  readonly #pause: DamagePause;
  readonly #changes: ViewChanges | undefined;
  /** Of small reads of parts of blocks that do not wait; one that does takes it along. */
  #scratch: Buffer | undefined;

  constructor({ name, description, clock, base, written, contexts = [] }: ViewExportParts) {
    this.name = name;
    this.description = description;
    this.#clock = clock;
    this.sizeBytes = base.sizeBytes;
    this.#blocks = new ViewBlocks(base, written?.overlay);
    this.#pause = new DamagePause(clock);
    this.#changes = written && new ViewChanges({ clock, blocks: this.#blocks, openAnew: written.openAnew });
    this.#contexts = [this.#allocation(), ...contexts];
    const isWritable = written !== undefined;
    this.features = {
      ...{ readOnly: !isWritable, flush: true, trim: isWritable, writeZeroes: isWritable, fastZero: isWritable },
      ...{ cache: false, multiConnection: true, rotational: false },
    };
  }

  get metaContexts(): readonly string[] {
    return this.#contexts.map(({ name }) => name);
  }

  /** Of a writable one. */
  get overlay(): ViewOverlay | undefined {
    return this.#blocks.overlay;
  }

  /** What of all that was written to it was found damaged, and may still be so, in words. */
  get findings(): readonly string[] {
    return this.#blocks.findings;
  }

  /** Looks whether that still is, unless it was looked at lately. */
  async lookAgain(): Promise<void> {
    if (this.findings.length === 0 || !this.#pause.mayLook()) return;
    await this.#blocks.lookAgain(() => new Promise<void>((resolve) => this.#clock.soon(resolve)));
    this.#pause.looked();
  }

  submit(request: ExportRequest): void {
    try {
      this.#start(request);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      request.complete(nbdErrorOf(error));
    }
  }

  endBatch(): void {
    this.#changes?.endBatch();
  }

  #start(request: ExportRequest): void {
    if (request.command === command.read) return this.#read(request);
    if (request.command === command.blockStatus) {
      return answerStatus(request, this.#contexts, (error) => raiseOwnFault(error, this.#clock));
    }
    if (this.#changes !== undefined) return this.#changes.submit(request);
    const isFlush = request.command === command.flush;
    request.complete(isFlush ? nbdError.ok : nbdError.notPermitted);
  }

  #read(request: ExportRequest): void {
    const { offset, length } = request;
    const isAligned = offset % blockBytes === 0 && length % blockBytes === 0;
    if (!isAligned) return this.#readPart(request);
    const [startBlock, blockCount] = [offset / blockBytes, length / blockBytes];
    const isSmall = length <= viewSmallReadBytes;
    if (isSmall && this.#blocks.readNow(startBlock, blockCount, request.buffer, request.start)) {
      return request.complete(nbdError.ok);
    }
    // What may be written to later must not be the memory of a batch that is over.
    request.keep();
    this.#end(request, this.#blocks.read(startBlock, blockCount, request.buffer, request.start), nothingToTake);
  }

  /** Of blocks that are not wanted whole: by way of memory of their own. */
  #readPart(request: ExportRequest): void {
    const { offset, length } = request;
    const startBlock = Math.floor(offset / blockBytes);
    const blockCount = Math.ceil((offset + length) / blockBytes) - startBlock;
    const scratch = this.#scratchOf(blockCount);
    const from = offset - startBlock * blockBytes;
    const reading = this.#blocks.read(startBlock, blockCount, scratch, 0);
    if (reading instanceof Promise) request.keep();
    this.#end(request, reading, () => {
      scratch.copy(request.buffer, request.start, from, from + length);
      if (scratch.length === scratchBytes) this.#scratch = scratch;
    });
  }

  #scratchOf(blockCount: number): Buffer {
    if (blockCount * blockBytes > scratchBytes) return Buffer.allocUnsafeSlow(blockCount * blockBytes);
    const scratch = this.#scratch ?? Buffer.allocUnsafeSlow(scratchBytes);
    this.#scratch = undefined;
    return scratch;
  }

  #end(request: ExportRequest, reading: boolean | Promise<boolean>, take: () => void): void {
    const done = (isSound: boolean): void => {
      if (isSound) take();
      request.complete(isSound ? nbdError.ok : nbdError.io);
    };
    if (!(reading instanceof Promise)) return done(reading);
    reading.then(done, (error) => {
      if (isOwnFault(error)) raiseOwnFault(error, this.#clock);
      else request.complete(nbdErrorOf(error));
    });
  }

  #allocation(): StatusContext {
    return {
      name: baseAllocation,
      extents: async (offset, lengthBytes, countMax) => {
        const startBlock = Math.floor(offset / blockBytes);
        const endBlock = Math.ceil((offset + lengthBytes) / blockBytes);
        const spans = await this.#blocks.spans(startBlock, endBlock, countMax);
        // The first one may begin before what was asked about.
        let before = offset - startBlock * blockBytes;
        return spans.map(({ blockCount, isHole }) => {
          const extent = {
            lengthBytes: blockCount * blockBytes - before,
            status: isHole ? allocationFlag.hole | allocationFlag.zero : 0,
          };
          before = 0;
          return extent;
        });
      },
    };
  }

  /**
   * What is under way ends first, and point and overlay are closed too. Answers why nobody knows that all that was written is durable;
   * undefined: it is.
   */
  async close(): Promise<Error | undefined> {
    await this.#changes?.settle();
    this.#blocks.close();
    const { overlay } = this.#blocks;
    const failure = await overlay?.synced();
    await overlay?.close();
    this.#blocks.base.close();
    return failure;
  }
}

const nothingToTake = (): void => {};

/** With a block more at each end than was asked for. */
const scratchBytes = viewSmallReadBytes + 2 * blockBytes;
