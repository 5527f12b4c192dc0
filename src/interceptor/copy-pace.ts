/**
 * When the copy of a source may go on. It gives way: to the limit of its speed, to the pressure, which tells that spool or
 * remote are behind, and to the host. As long as the host writes, few pieces are under way at a time, and after each the
 * copy rests for as long as the piece took: so it has a part of what there is, and the less the more the host asks for. It
 * never stands still for the host alone, nor makes up for what a piece had to wait for want of a link or of room. Pure.
 */
import {
  copyDelayMsMax,
  copyPieceCountBesideHost,
  copyPieceCountMax,
  copyPressureMax,
  copyPressureMin,
} from "#src/core/limits.ts";

/** How long a piece waits at this pressure. Grows all the way. */
export function copyDelayMs(pressure: number): number {
  const share = (pressure - copyPressureMin) / (copyPressureMax - copyPressureMin);
  return copyDelayMsMax * Math.min(1, Math.max(0, share)) ** 2;
}

export class CopyPace {
  readonly #bytesPerSecond: number;
  /** When all that was copied has been paid for. */
  #paidAtMs: number;
  #restedAtMs = 0;
  #hostChangeCount: number;
  #pieceCountMax: number = copyPieceCountMax;
  #isHostAtWork = false;

  constructor(bytesPerSecond: number, nowMs: number, hostChangeCount: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#paidAtMs = nowMs;
    this.#hostChangeCount = hostChangeCount;
  }

  /** When the last piece was added it had written since the one before. */
  get isHostAtWork(): boolean {
    return this.#isHostAtWork;
  }

  /** How many pieces may be under way. */
  get pieceCountMax(): number {
    return this.#pieceCountMax;
  }

  waitMs(nowMs: number): number {
    return Math.max(0, this.#paidAtMs - nowMs, this.#restedAtMs - nowMs);
  }

  /** A piece was begun that brings so much. */
  begun(nowMs: number, byteLength: number): void {
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + (byteLength / this.#bytesPerSecond) * 1000;
  }

  /** A piece is in the order, so long after it was begun. */
  added(nowMs: number, tookMs: number, pressure: number, hostChangeCount: number): void {
    const isHostAtWork = hostChangeCount !== this.#hostChangeCount;
    const delayMs = copyDelayMs(pressure);
    this.#hostChangeCount = hostChangeCount;
    this.#isHostAtWork = isHostAtWork;
    if (delayMs > 0) this.#pieceCountMax = 1;
    else this.#pieceCountMax = isHostAtWork ? copyPieceCountBesideHost : copyPieceCountMax;
    this.rest(nowMs, Math.max(delayMs, isHostAtWork ? Math.min(copyDelayMsMax, tookMs) : 0));
  }

  rest(nowMs: number, durationMs: number): void {
    this.#restedAtMs = Math.max(this.#restedAtMs, nowMs + durationMs);
  }
}
