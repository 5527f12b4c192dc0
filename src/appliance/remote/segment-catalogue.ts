/**
 * The numbers of data segments, given out over all groups, each once for ever: what is reserved is durable before the
 * first number of it is used, and what a crash leaves unused of it stays unused.
 */
import { join } from "node:path";
import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { segmentLeaseCount } from "#src/core/limits.ts";
import { type DocumentKind, publishDocument, readDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import { segmentMax } from "#src/records/address.ts";

const kind: DocumentKind = { format: "tidemark-segments", version: 1 };

export class SegmentCatalogue {
  readonly #files: Files;
  readonly #path: string;
  #next: number;
  /** Numbers below this are reserved durably. */
  #reservedEnd: number;
  #reserving: Promise<void> | undefined;

  private constructor(files: Files, path: string, reservedEnd: number) {
    this.#files = files;
    this.#path = path;
    this.#next = reservedEnd;
    this.#reservedEnd = reservedEnd;
  }

  /** `sealedUpTo`: the store has segments up to this one, so these numbers were given, whatever the catalogue says. */
  static open(files: Files, folder: string, sealedUpTo = 0): SegmentCatalogue {
    const path = join(folder, "segments.json");
    const content = readDocument(files, path, kind);
    const reservedEnd = content === undefined ? 1 : content.reservedEnd;
    if (typeof reservedEnd !== "number" || !Number.isSafeInteger(reservedEnd) || reservedEnd < 1) {
      throw new StopError(`${path} does not say which segment numbers are free`);
    }
    return new SegmentCatalogue(files, path, Math.max(reservedEnd, sealedUpTo + 1));
  }

  /** Throws where a segment is there whose number was never given: the catalogue is older than the journals. */
  assertGiven(segment: number, folder: string): void {
    if (segment < this.#next) return;
    throw new StopError(
      `${this.#path} is older than ${folder}: segment ${segment} is there, and from ${this.#next} on no number has been given`,
    );
  }

  /** Undefined: none is reserved. */
  #takeNow(): number | undefined {
    if (this.#next === this.#reservedEnd) return undefined;
    return this.#next++;
  }

  async take(): Promise<number> {
    for (let segment = this.#takeNow(); ; segment = this.#takeNow()) {
      if (segment !== undefined) return segment;
      await this.reserve();
    }
  }

  /** Resolves when there are numbers that are reserved durably. */
  reserve(): Promise<void> {
    this.#reserving ??= this.#publish().finally(() => {
      this.#reserving = undefined;
    });
    return this.#reserving;
  }

  async #publish(): Promise<void> {
    const reservedEnd = this.#reservedEnd + segmentLeaseCount;
    assert(reservedEnd <= segmentMax, "there are more numbers than any store will use");
    await publishDocument(this.#files, this.#path, kind, { reservedEnd });
    this.#reservedEnd = reservedEnd;
  }
}

/** Keeps one number ready for a group, so that whoever lands data never waits for the catalogue. */
export class SegmentSupply {
  readonly #catalogue: SegmentCatalogue;
  #ready: number | undefined;
  #filling: Promise<void> | undefined;

  constructor(catalogue: SegmentCatalogue) {
    this.#catalogue = catalogue;
  }

  /** Resolves when a number is ready. */
  fill(): Promise<void> {
    if (this.#ready !== undefined) return Promise.resolve();
    this.#filling ??= this.#take().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #take(): Promise<void> {
    this.#ready = await this.#catalogue.take();
  }

  /** Undefined: none is ready yet. */
  takeNow(): number | undefined {
    const segment = this.#ready;
    this.#ready = undefined;
    // Where that fails the next one who asks tries again.
    this.fill().catch(() => {});
    return segment;
  }
}
