/** Threads of the process that keeps the store, which help it to seal. */
import { sealThreadCount } from "#src/core/store-limits.ts";
import { startThread } from "#src/host/node/thread.ts";
import { LateHelpers } from "#src/store/late-helpers.ts";
import type { SealHelpers } from "#src/store/seal-helpers.ts";
import { type SealThreadSettings, SealThreads } from "#src/store/seal-threads.ts";

/** This file is what they run. */
export { runThread } from "#src/store/seal-threads.ts";

/** They are begun when there is something to seal. */
export function startSealHelp(settings: SealThreadSettings): SealHelpers {
  return new LateHelpers(() => begun(settings));
}

/** One that fails is a fault of this program's own: the process ends with it, and another one begins. */
function begun(settings: SealThreadSettings): SealThreads {
  const threads = Array.from({ length: sealThreadCount }, (_, number) =>
    startThread(new URL(import.meta.url), `seal ${number}`, settings),
  );
  for (const { ended } of threads) {
    void ended.then((error) => {
      throw error ?? new Error("a thread that helps to seal has ended");
    });
  }
  return new SealThreads(threads);
}
