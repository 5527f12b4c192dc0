/** A block device, or a file, as an export. */
import { blockBytes } from "#src/core/limits.ts";
import {
  nbdExtentsPerReplyMax,
  nbdPayloadBytesMax,
  nbdPunchPieceBytes,
  nbdZeroPieceBytes,
  nbdZeroRangePieceBytes,
} from "#src/core/nbd-limits.ts";
import type { BlockDevice } from "#src/host/block-device.ts";
import type { Clock } from "#src/host/clock.ts";
import { allocationFlag, baseAllocation, command, nbdError } from "./constants.ts";
import { nbdErrorOf } from "./error-number.ts";
import type { ExportFeatures, ExportRequest, NbdExport, StatusExtent } from "./export.ts";
import { Pace } from "./pace.ts";
import { WriteOrder, type WriteTurn } from "./write-order.ts";

export interface DeviceExportOptions {
  readonly name: string;
  readonly description: string;
  readonly clock: Clock;
}

type ClearWay = "trim" | "punch" | "zero";

/** Ends work on a request, well or with an error. */
type EndWork = (error: number) => void;

const zeroes = Buffer.alloc(nbdZeroPieceBytes);

export class DeviceExport implements NbdExport {
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly blockSizes = { minimumBytes: 1, preferredBytes: blockBytes, payloadBytesMax: nbdPayloadBytesMax };
  readonly features: ExportFeatures;
  readonly metaContexts = [baseAllocation];
  readonly #device: BlockDevice;
  readonly #clock: Clock;
  readonly #pace = new Pace();
  readonly #order = new WriteOrder();

  constructor(device: BlockDevice, options: DeviceExportOptions) {
    this.name = options.name;
    this.description = options.description;
    this.#device = device;
    this.#clock = options.clock;
    this.sizeBytes = device.sizeBytes;
    this.features = {
      readOnly: device.readOnly,
      flush: true,
      trim: true,
      writeZeroes: true,
      fastZero: true,
      cache: true,
      // All connections write to the same descriptor, so a sync of it covers them all.
      multiConnection: true,
      rotational: device.rotational,
    };
  }

  submit(request: ExportRequest): void {
    try {
      this.#start(request);
    } catch (error) {
      request.complete(nbdErrorOf(error));
    }
  }

  endBatch(): void {}

  #start(request: ExportRequest): void {
    switch (request.command) {
      case command.read:
        return this.#read(request);
      case command.write:
        return this.#write(request);
      case command.flush:
        return this.#sync(request);
      case command.trim:
        return this.#inOrder(request, (end) => this.#clear(request, request.offset, "trim", end));
      case command.writeZeroes:
        return this.#inOrder(request, (end) =>
          this.#clear(request, request.offset, request.noHole ? "zero" : "punch", end),
        );
      case command.cache:
        this.#device.willNeed(request.offset, request.length);
        return request.complete(nbdError.ok);
      case command.blockStatus:
        return this.#status(request);
      default:
        return request.complete(nbdError.invalid);
    }
  }

  #read(request: ExportRequest): void {
    const { buffer, start, length, offset } = request;
    if (this.#device.readIfCached(buffer, start, length, offset)) return request.complete(nbdError.ok);
    request.keep();
    this.#device.read(request.buffer, request.start, length, offset, (error) => request.complete(nbdErrorOf(error)));
  }

  #write(request: ExportRequest): void {
    const { buffer, start, length, offset } = request;
    if (this.#order.isFree(offset, length) && this.#pace.mayWriteNow()) {
      const beganMs = this.#clock.monotonicMs();
      this.#device.writeNow(buffer, start, length, offset);
      this.#pace.tookMs(this.#clock.monotonicMs() - beganMs);
      return this.#written(request);
    }
    request.keep();
    this.#inOrder(request, (end) => {
      this.#device.write(request.buffer, request.start, length, offset, (error) => end(nbdErrorOf(error)));
    });
  }

  /** Does work that may take several turns of the event loop, with the request's range to itself until it calls `end`. */
  #inOrder(request: ExportRequest, work: (end: EndWork) => void): void {
    const { offset, length } = request;
    const end = (error: number): void => {
      this.#order.leave(turn);
      if (error === nbdError.ok) this.#written(request);
      else request.complete(error);
    };
    const turn: WriteTurn = {
      offset,
      length,
      start: () => (request.abandoned ? end(nbdError.io) : attempt(end, () => work(end))),
    };
    if (!this.#order.enter(turn)) request.keep();
  }

  /** Everything is written; durable as well if that was asked for. */
  #written(request: ExportRequest): void {
    if (request.fua) this.#sync(request);
    else request.complete(nbdError.ok);
  }

  #sync(request: ExportRequest): void {
    request.keepWithoutPayload();
    this.#device.sync((error) => request.complete(nbdErrorOf(error)));
  }

  /** Zeros from `from` to the request's end. A trim that the device can't do is none; a zeroing is then written out. */
  #clear(request: ExportRequest, from: number, how: ClearWay, end: EndWork): void {
    if (request.abandoned) return end(nbdError.io);
    const rangeEnd = request.offset + request.length;
    // Zeroing may mean writing on a device that cannot do better, so its pieces are small.
    const piece = Math.min(rangeEnd - from, how === "zero" ? nbdZeroRangePieceBytes : nbdPunchPieceBytes);
    const done = how === "zero" ? this.#device.zeroRangeNow(from, piece) : this.#device.punchHoleNow(from, piece);
    if (!done && how !== "trim") return this.#writeZeroes(request, from, end);
    if (!done || from + piece === rangeEnd) return end(nbdError.ok);
    request.keep();
    this.#clock.soon(() => attempt(end, () => this.#clear(request, from + piece, how, end)));
  }

  #writeZeroes(request: ExportRequest, from: number, end: EndWork): void {
    if (request.fastZero) return end(nbdError.notSupported);
    if (request.abandoned) return end(nbdError.io);
    const rangeEnd = request.offset + request.length;
    if (from === rangeEnd) return end(nbdError.ok);
    const piece = Math.min(rangeEnd - from, nbdZeroPieceBytes);
    request.keep();
    this.#device.write(zeroes, 0, piece, from, (error) => {
      if (error === null) attempt(end, () => this.#writeZeroes(request, from + piece, end));
      else end(nbdErrorOf(error));
    });
  }

  #status(request: ExportRequest): void {
    const countMax = request.requestOne ? 1 : nbdExtentsPerReplyMax;
    const runs = this.#device.extentsNow(request.offset, request.length, countMax);
    const extents: StatusExtent[] = runs.map((run) => ({
      lengthBytes: run.lengthBytes,
      status: (run.hole ? allocationFlag.hole : 0) | (run.zero ? allocationFlag.zero : 0),
    }));
    request.completeStatus(request.contexts.map(() => extents));
  }
}

function attempt(end: EndWork, step: () => void): void {
  try {
    step();
  } catch (error) {
    end(nbdErrorOf(error));
  }
}
