/** How much may be sent in a time: a limit that depends on the hour of the day, and a bucket that keeps to it. Pure. */
import { bandwidthBurstMs } from "#src/core/limits.ts";

export const minutesOfDay = 24 * 60;

/** A part of each day; one that ends before it begins goes on over midnight, one that ends where it begins is all day. */
export interface BandwidthHours {
  readonly fromMinute: number;
  readonly toMinute: number;
  /** Infinity: no limit. */
  readonly bytesPerSecond: number;
}

export interface BandwidthPolicy {
  /** At all other hours. Infinity: no limit. */
  readonly bytesPerSecond: number;
  /** The first one that has the minute counts. */
  readonly hours: readonly BandwidthHours[];
}

export function bandwidthAt({ bytesPerSecond, hours }: BandwidthPolicy, minute: number): number {
  const now = hours.find(({ fromMinute, toMinute }) => {
    if (fromMinute < toMinute) return minute >= fromMinute && minute < toMinute;
    return minute >= fromMinute || minute < toMinute;
  });
  return now?.bytesPerSecond ?? bytesPerSecond;
}

/**
 * Fills with time, up to what may be sent in a moment, and may be overdrawn by one piece that is sent: pieces are not
 * divided, and whoever comes next waits until it is made up for.
 */
export class TokenBucket {
  #tokenBytes = 0;
  #filledMs: number;

  constructor(nowMs: number) {
    this.#filledMs = nowMs;
  }

  /** Milliseconds until something may be sent; 0: now. */
  waitMs(nowMs: number, bytesPerSecond: number): number {
    this.#fill(nowMs, bytesPerSecond);
    return this.#tokenBytes >= 0 ? 0 : (-this.#tokenBytes / bytesPerSecond) * 1000;
  }

  take(byteLength: number): void {
    this.#tokenBytes -= byteLength;
  }

  #fill(nowMs: number, bytesPerSecond: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledMs);
    this.#filledMs = nowMs;
    if (bytesPerSecond === Number.POSITIVE_INFINITY) {
      this.#tokenBytes = 0;
      return;
    }
    const burstBytes = (bytesPerSecond * bandwidthBurstMs) / 1000;
    this.#tokenBytes = Math.min(burstBytes, this.#tokenBytes + (bytesPerSecond * elapsedMs) / 1000);
  }
}
