/**
 * Faults to order, for those who want to see what happens: at named places the program can be told to wait, to fail, to
 * die, or to find an assertion wrong. Off unless configured; an ordered fault is written as `PLACE=kill`, `PLACE=assert`,
 * `PLACE=delay:MILLISECONDS` or `PLACE=error:CODE`, with `@N` behind it for the N-th time only.
 */
import { RefuseError } from "#src/core/errors.ts";

/** Called wherever a fault can be ordered. */
export type FaultHook = (place: string) => void;

export const faultPlaces = [
  "interceptor.before-source",
  "interceptor.after-source",
  "local.before-spool",
  "local.after-spool",
  "remote.before-data",
  "remote.after-data",
  "remote.after-metadata",
  "remote.before-acknowledgement",
  "store.before-snapshot",
  "store.after-snapshot",
  "store.before-fold",
  "store.after-fold",
  "store.before-removal",
] as const;

export interface FaultOrder {
  readonly place: string;
  readonly kind: "kill" | "assert" | "delay" | "error";
  readonly delayMs: number;
  readonly code: string;
  /** The N-th time only; 0: each time. */
  readonly nth: number;
}

export function parseFault(text: string): FaultOrder {
  const match = /^([a-z.-]+)=(kill|assert|delay:(\d+)|error:([A-Z]+))(?:@(\d+))?$/.exec(text);
  const place = match?.[1] ?? "";
  if (match === null || !(faultPlaces as readonly string[]).includes(place)) {
    throw new RefuseError(
      `'${text}' is no fault: it is PLACE=kill, PLACE=assert, PLACE=delay:MILLISECONDS or PLACE=error:CODE, ` +
        `then perhaps @N; places are ${faultPlaces.join(", ")}`,
    );
  }
  const kind = match[2]?.split(":")[0] as FaultOrder["kind"];
  return { place, kind, delayMs: Number(match[3] ?? 0), code: match[4] ?? "", nth: Number(match[5] ?? 0) };
}

/** What is to be done at a place, counted. */
export class FaultPlan {
  readonly #orders: readonly FaultOrder[];
  readonly #counts = new Map<string, number>();

  constructor(orders: readonly FaultOrder[]) {
    this.#orders = orders;
  }

  at(place: string): FaultOrder | undefined {
    const count = (this.#counts.get(place) ?? 0) + 1;
    this.#counts.set(place, count);
    return this.#orders.find((order) => order.place === place && (order.nth === 0 || order.nth === count));
  }
}
