/** Waits for what surely comes after faults: for the event, with more patience than where nothing goes wrong. */
import { vi } from "vitest";

const timeout = 240_000;
const interval = 200;

/** `what`, in words, for whoever has to be told that it did not come. */
export function until<Found>(what: string, look: () => Promise<Found>): Promise<Found> {
  return vi.waitFor(look, { timeout, interval }).catch((error: Error) => {
    throw new Error(`waited in vain until ${what}: ${error.message}`, { cause: error });
  });
}
