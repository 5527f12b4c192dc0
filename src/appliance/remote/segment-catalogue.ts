/**
 * The numbers of data segments, given out over all groups, each once for ever: what is reserved is durable before the
 * first number of it is used, and what a crash leaves unused of it stays unused. Where nobody can read which are given,
 * none is, and the groups are stopped.
 */
import { join } from "node:path";
import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { segmentLeaseCount } from "#src/core/limits.ts";
import { type DocumentKind, publishDocument, readMendedDocument } from "#src/host/document.ts";
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
  /** Nobody can say which numbers were given. */
  readonly #damage: StopError | undefined;

  private constructor(files: Files, path: string, reservedEnd: number, damage: StopError | undefined) {
    this.#files = files;
    this.#path = path;
    this.#next = reservedEnd;
    this.#reservedEnd = reservedEnd;
    this.#damage = damage;
  }

  /** `sealedUpTo`: the store has segments up to this one, so these numbers were given, whatever the catalogue says. */
  static open(files: Files, folder: string, sealedUpTo = 0): SegmentCatalogue {
    const path = join(folder, "segments.json");
    const found = reservedEndIn(files, path);
    const isRead = typeof found === "number";
    return new SegmentCatalogue(files, path, Math.max(isRead ? found : 1, sealedUpTo + 1), isRead ? undefined : found);
  }

  /** The numbers go on behind this one, whatever the catalogue says, be it damaged or not there. Durable when it resolves. */
  static async rebuild(files: Files, folder: string, behind: number): Promise<void> {
    await SegmentCatalogue.open(files, folder, behind).reserve();
  }

  #assertSound(): void {
    if (this.#damage !== undefined) throw this.#damage;
  }

  /** Throws where a number is among them that was never given, so the catalogue is older than the journals, or nobody knows. */
  assertGiven(segments: readonly number[], folder: string): void {
    this.#assertSound();
    const segment = segments.find((one) => one >= this.#next);
    if (segment === undefined) return;
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
    this.#assertSound();
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

/** An error says why nobody knows. Throws a `RefuseError` where a later version has written it. */
function reservedEndIn(files: Files, path: string): number | StopError {
  const wayOut = "'tidemark rebuild --in-place' writes it anew";
  try {
    const { reservedEnd } = readMendedDocument(files, path, kind)?.content ?? { reservedEnd: 1 };
    if (typeof reservedEnd === "number" && Number.isSafeInteger(reservedEnd) && reservedEnd >= 1) return reservedEnd;
    return new StopError(`${path} does not say which segment numbers are free: ${wayOut}`);
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return new StopError(`${error.message}: ${wayOut}`, { cause: error });
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
