/** A call that calls back, as a promise. For what is rare; on the path of a request callbacks stay callbacks. */
import type { DoneCallback } from "./block-device.ts";

export function whenDone(start: (done: DoneCallback) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)));
  });
}
