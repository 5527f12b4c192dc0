/**
 * The size of Node's thread pool, where reads wait that the page cache could not answer, and syncs. Four, as Node has
 * it, leave a disk idle; with one per request of a usual queue depth cold reads are as fast as with a thread per request: a
 * single disk has half of them (`disk-threads.ts`).
 * It must be set before the pool is first used, so the program's entry imports this file first.
 */
import { threadPoolSize } from "#src/core/limits.ts";

process.env.UV_THREADPOOL_SIZE ??= String(threadPoolSize);
