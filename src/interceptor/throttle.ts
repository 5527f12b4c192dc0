/**
 * Slows writers down before they would have to stop. The delay of each write grows with the pressure, from nothing to
 * long, so that their speed settles where the pressure does, instead of swinging between all and nothing. Pure.
 */
import {
  throttleBurstMs,
  throttleChangeMsMax,
  throttleDelayMsMax,
  throttlePressureMin,
  throttleScaleMs,
  throttleUnitBytes,
} from "#src/core/limits.ts";

/** What one small write costs the writers in time. Continuous, and growing all the way. */
export function throttleDelayMs(pressure: number): number {
  if (pressure <= throttlePressureMin) return 0;
  if (pressure >= 1) return throttleDelayMsMax;
  const share = (pressure - throttlePressureMin) / (1 - throttlePressureMin);
  return Math.min(throttleDelayMsMax, (throttleScaleMs * share * share) / (1 - share));
}

export class Throttle {
  /** When all that was let through has been waited for. */
  #paidAtMs = Number.NEGATIVE_INFINITY;

  /** How long the next write has to wait; 0: it may go on. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#paidAtMs - nowMs);
  }

  /** A write has gone through. */
  passed(nowMs: number, pressure: number, byteLength: number): void {
    const units = Math.max(1, byteLength / throttleUnitBytes);
    const delayMs = Math.min(throttleChangeMsMax, throttleDelayMs(pressure) * units);
    if (delayMs > 0) this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - throttleBurstMs) + delayMs;
  }
}
