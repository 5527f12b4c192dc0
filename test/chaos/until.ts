/**
 * Waits for what surely comes after faults: for the event, with more patience than where nothing goes wrong. Whoever has failed again and
 * again rests for minutes before the next time.
 */
import { vi } from "vitest";

const patienceMs = 480_000;
const interval = 200;

/** `what`, in words, for whoever has to be told that it did not come. */
export function until<Found>(what: string, look: () => Promise<Found>, timeout = patienceMs): Promise<Found> {
  return vi.waitFor(look, { timeout, interval }).catch((error: Error) => {
    throw new Error(`waited in vain until ${what}: ${error.message}`, { cause: error });
  });
}
