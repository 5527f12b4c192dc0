/** A request without a connection, that remembers how it ended. */
import { assert } from "#src/core/assert.ts";
import { command } from "#src/nbd/constants.ts";
import type { ExportRequest, StatusExtent } from "#src/nbd/export.ts";

type Asked = Partial<Pick<ExportRequest, "offset" | "fua" | "noHole" | "fastZero" | "requestOne" | "contexts">> & {
  readonly command: number;
  readonly length?: number;
  readonly payload?: Buffer;
};

export class RecordedRequest implements ExportRequest {
  abandoned = false;
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly fua: boolean;
  readonly noHole: boolean;
  readonly fastZero: boolean;
  readonly requestOne: boolean;
  readonly contexts: readonly string[];
  readonly start = 3;
  buffer: Buffer;
  isKept = false;
  isWithoutPayload = false;
  /** How it ended. */
  error: number | undefined;
  status: readonly (readonly StatusExtent[])[] | undefined;

  constructor(asked: Asked) {
    this.command = asked.command;
    this.offset = asked.offset ?? 0;
    this.length = asked.payload?.length ?? asked.length ?? 0;
    this.fua = asked.fua ?? false;
    this.noHole = asked.noHole ?? false;
    this.fastZero = asked.fastZero ?? false;
    this.requestOne = asked.requestOne ?? false;
    this.contexts = asked.contexts ?? [];
    this.buffer = Buffer.concat([
      Buffer.alloc(this.start),
      asked.payload ?? Buffer.alloc(Math.min(this.length, 1 << 20)),
    ]);
  }

  /** What a read brought. */
  get data(): Buffer {
    return this.buffer.subarray(this.start, this.start + this.length);
  }

  /** As the real one: the memory of before is somebody else's now. */
  keep(): void {
    if (this.isKept) return;
    this.isKept = true;
    const before = this.buffer;
    this.buffer = Buffer.from(before);
    before.fill(0xee);
  }

  /** As the real one: the payload is gone. */
  keepWithoutPayload(): void {
    assert(this.command !== command.read, "a read needs its memory");
    this.isKept = true;
    this.isWithoutPayload = true;
    this.buffer.fill(0xee);
    this.buffer = Buffer.alloc(0);
  }

  complete(error: number): void {
    assert(this.error === undefined, "a request ends once");
    this.error = error;
  }

  completeStatus(extents: readonly (readonly StatusExtent[])[]): void {
    this.complete(0);
    this.status = extents;
  }
}
