/** An export in memory that does what a test tells it to: answers at once, or keeps requests until it is told. */
import type { ExportFeatures, ExportRequest, NbdExport, StatusExtent } from "#src/nbd/export.ts";

export const allFeatures: ExportFeatures = {
  readOnly: false,
  flush: true,
  trim: true,
  writeZeroes: true,
  fastZero: true,
  cache: true,
  multiConnection: true,
  rotational: false,
};

const commandRead = 0;
const commandWrite = 1;
const commandWriteZeroes = 6;
const commandStatus = 7;

export class ScriptedExport implements NbdExport {
  readonly name = "disk";
  readonly description = "in memory";
  readonly blockSizes = { minimumBytes: 1, preferredBytes: 4096, payloadBytesMax: 32 * 1024 * 1024 };
  readonly features: ExportFeatures;
  readonly metaContexts = ["base:allocation", "test:second"];
  readonly sizeBytes: number;
  readonly bytes: Buffer;
  /** Every request that came, in order. */
  readonly seen: string[] = [];
  /** Requests that wait to be completed. */
  readonly kept: ExportRequest[] = [];
  /** Which requests are kept, not answered. */
  keeps: (request: ExportRequest) => boolean = () => false;
  /** Which of these are kept without their payload. */
  letsGo: (request: ExportRequest) => boolean = () => false;
  /** The error to answer a request with. */
  fails: (request: ExportRequest) => number = () => 0;

  /** `sizeBytes` may be far more than is in memory: only what lies in memory can be read or written. */
  constructor(
    options: {
      readonly sizeBytes?: number;
      readonly memoryBytes?: number;
      readonly features?: Partial<ExportFeatures>;
    } = {},
  ) {
    this.sizeBytes = options.sizeBytes ?? 1024 * 1024;
    this.bytes = Buffer.alloc(options.memoryBytes ?? this.sizeBytes);
    this.features = { ...allFeatures, ...options.features };
  }

  submit(request: ExportRequest): void {
    this.seen.push(`${request.command} ${request.offset}+${request.length}`);
    if (!this.keeps(request)) {
      this.finish(request);
      return;
    }
    if (this.letsGo(request)) request.keepWithoutPayload();
    else request.keep();
    this.kept.push(request);
  }

  endBatch(): void {}

  /** Does what was asked for and answers. */
  finish(request: ExportRequest): void {
    const { buffer, start, offset, length } = request;
    const error = this.fails(request);
    if (error !== 0) return request.complete(error);
    if (request.command === commandRead) this.bytes.copy(buffer, start, offset, offset + length);
    if (request.command === commandWrite) buffer.copy(this.bytes, offset, start, start + length);
    if (request.command === commandWriteZeroes)
      this.bytes.fill(0, offset, Math.min(offset + length, this.bytes.length));
    if (request.command === commandStatus)
      return request.completeStatus(request.contexts.map(() => this.runs(request)));
    request.complete(0);
  }

  runs: (request: ExportRequest) => readonly StatusExtent[] = (request) => [{ lengthBytes: request.length, status: 0 }];

  /** Completes what was kept, in the order in which it came unless told otherwise. */
  release(order: (kept: readonly ExportRequest[]) => readonly ExportRequest[] = (kept) => kept): void {
    for (const request of order(this.kept.splice(0))) this.finish(request);
  }
}
