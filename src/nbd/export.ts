/** What a server serves: the border between the protocol and whatever stands behind it. */
import type { BlockSizes } from "./option-codec.ts";

export interface ExportFeatures {
  readonly readOnly: boolean;
  /** FLUSH, and FUA with every command: one is as good a promise as the other. */
  readonly flush: boolean;
  readonly trim: boolean;
  readonly writeZeroes: boolean;
  readonly fastZero: boolean;
  readonly cache: boolean;
  /** A flush on one connection covers what was replied to on all. */
  readonly multiConnection: boolean;
  readonly rotational: boolean;
}

/** A run of bytes with one status in one metadata context. */
export interface StatusExtent {
  readonly lengthBytes: number;
  readonly status: number;
}

/**
 * A request that was found valid: range, flags and payload were checked. It ends with exactly one call of `complete` or
 * `completeStatus`. A read must be ended or kept (`keep`) before `submit` returns, all others before `endBatch` returns.
 */
export interface ExportRequest {
  /** One of `command`: read, write, flush, trim, writeZeroes, cache or blockStatus. */
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly fua: boolean;
  readonly noHole: boolean;
  readonly fastZero: boolean;
  readonly requestOne: boolean;
  /** Payload of a write, or where a read puts its data: `length` bytes from `start` on. `keep` changes both. */
  readonly buffer: Buffer;
  readonly start: number;
  /** The metadata contexts asked for. */
  readonly contexts: readonly string[];
  /** Whoever asked is gone. Work in pieces should stop: they may have come back and written anew where it would go on. */
  readonly abandoned: boolean;
  /** Makes the request outlive the batch: gives it memory of its own (a write's payload is carried over). */
  keep(): void;
  /**
   * As `keep`, for what is no read and whose payload was taken over: its memory is given back at once, and `buffer`
   * means nothing any more. May come after `keep`.
   */
  keepWithoutPayload(): void;
  /** `error` is one of `nbdError`. */
  complete(error: number): void;
  /** Ends a block status: the runs of each context, in the order of `contexts`, none empty. */
  completeStatus(extents: readonly (readonly StatusExtent[])[]): void;
}

export interface NbdExport {
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly blockSizes: BlockSizes;
  readonly features: ExportFeatures;
  /** For example `base:allocation`. */
  readonly metaContexts: readonly string[];
  submit(request: ExportRequest): void;
  /** A request that was submitted is answered with this error: for whoever counts them. */
  failed?(request: ExportRequest, error: number): void;
  /** All requests that came with one read from the socket were submitted: the moment for work done once per batch. */
  endBatch(): void;
}

/** Where a server finds what a client asks for by name. The empty name is the default export. */
export interface ExportDirectory {
  find(name: string): NbdExport | undefined;
  list(): readonly NbdExport[];
}
