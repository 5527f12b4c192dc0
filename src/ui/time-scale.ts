/** Where a moment lies in a picture of some width, and where its axis has marks. Times in milliseconds since 1970. */

export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Tick {
  readonly ms: number;
  /** A day begins there: its label says which. */
  readonly isDay: boolean;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [1, 2, 5, 10, 15, 30]
  .map((count) => count * second)
  .concat([1, 2, 5, 10, 15, 30].map((count) => count * minute))
  .concat([1, 2, 3, 6, 12].map((count) => count * hour))
  .concat([1, 2, 7, 14, 28, 91, 364].map((count) => count * day));

export function spanMs({ fromMs, toMs }: TimeSpan): number {
  return toMs - fromMs;
}

export function xOf(ms: number, span: TimeSpan, width: number): number {
  return ((ms - span.fromMs) / spanMs(span)) * width;
}

export function msAt(x: number, span: TimeSpan, width: number): number {
  return clampMs(span.fromMs + (x / width) * spanMs(span), span);
}

export function clampMs(ms: number, { fromMs, toMs }: TimeSpan): number {
  return Math.min(toMs, Math.max(fromMs, ms));
}

/** At round times of the place, as many as there is room for; `offsetMinutes` as `Date.getTimezoneOffset` says it. */
export function ticksOf(span: TimeSpan, countMax: number, offsetMinutes: number): Tick[] {
  const step = steps.find((one) => spanMs(span) / one <= countMax) ?? (steps.at(-1) as number);
  const shift = offsetMinutes * minute;
  const ticks: Tick[] = [];
  const first = Math.ceil((span.fromMs - shift) / step) * step + shift;
  for (let ms = first; ms <= span.toMs && ticks.length <= countMax; ms += step) {
    ticks.push({ ms, isDay: (ms - shift) % day === 0 });
  }
  return ticks;
}
