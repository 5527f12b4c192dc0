/** Lets a fault of this program end the thread, and the process with it, from where it would otherwise be lived with. */
import { isOwnFault } from "#src/core/assert.ts";
import type { Clock } from "./clock.ts";

/** Thrown again where nobody catches it. Any other error passes by. */
export function raiseOwnFault(error: unknown, clock: Clock): void {
  if (!isOwnFault(error)) return;
  clock.soon(() => {
    throw error;
  });
}
