/**
 * How what a connection carries is shaped for its link: compressed where that is worth while, and kept to a limit. Counts
 * how long the link was waited for, in which case alone it is worth while.
 *
 *     ready ──(sent, and not taken; or no credit left)──▶ waiting ──(taken, and credited)──▶ ready
 */
import { compressBytesMin } from "#src/core/limits.ts";
import { byteLengthOf } from "#src/core/pieces.ts";
import type { Clock } from "#src/host/clock.ts";
import type { BandwidthGate, Waiter } from "./bandwidth-gate.ts";
import { encodeCompressedBatches } from "./compressed-batches.ts";
import { CompressionChoice } from "./compression-choice.ts";
import { type FrameType, frameType } from "./frame.ts";
import type { LinkTraffic } from "./link-traffic.ts";

export interface ShaperParts {
  readonly clock: Clock;
  /** Whether this side compresses, where the other takes it. */
  readonly mayCompress: boolean;
  /** Undefined: there is no limit. */
  readonly gate: BandwidthGate | undefined;
  readonly traffic: LinkTraffic;
}

/** What is sent in place of some batches. */
export interface ShapedBatches {
  readonly type: FrameType;
  readonly pieces: readonly Buffer[];
}

export class LinkShaper {
  readonly #parts: ShaperParts;
  readonly #choice = new CompressionChoice();
  /** The other side has said that it takes compressed batches. */
  #isTaken = false;
  #waitingSinceMs: number | undefined;

  constructor(parts: ShaperParts) {
    this.#parts = parts;
  }

  /** What the other side said of itself. */
  welcomed(takesCompressed: boolean): void {
    this.#isTaken = takesCompressed;
  }

  /** False: `waiter` will be called when something may be sent. */
  mayPass(waiter: Waiter): boolean {
    if (this.#parts.gate?.mayPass(waiter) ?? true) return true;
    this.waits();
    return false;
  }

  forget(waiter: Waiter): void {
    this.#parts.gate?.forget(waiter);
  }

  shape(pieces: readonly Buffer[]): ShapedBatches {
    const { gate, traffic } = this.#parts;
    const plainBytes = byteLengthOf(pieces);
    const shaped = this.#compressed(pieces, plainBytes) ?? { type: frameType.batches, pieces };
    const sentBytes = byteLengthOf(shaped.pieces);
    traffic.add(plainBytes, sentBytes);
    gate?.sent(sentBytes);
    return shaped;
  }

  #compressed(pieces: readonly Buffer[], plainBytes: number): ShapedBatches | undefined {
    const { clock, mayCompress } = this.#parts;
    if (!mayCompress || !this.#isTaken || plainBytes < compressBytesMin) return undefined;
    if (!this.#choice.shouldTry(clock.monotonicMs())) return undefined;
    const body = encodeCompressedBatches(pieces);
    if (!this.#choice.tried(plainBytes, body.length, clock.monotonicMs())) return undefined;
    return { type: frameType.compressedBatches, pieces: [body] };
  }

  /** The link takes no more for now. */
  waits(): void {
    this.#waitingSinceMs ??= this.#parts.clock.monotonicMs();
  }

  /** The link takes more again. */
  goesOn(): void {
    if (this.#waitingSinceMs === undefined) return;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#choice.waited(nowMs - this.#waitingSinceMs, nowMs);
    this.#waitingSinceMs = undefined;
  }
}
