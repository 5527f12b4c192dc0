/** The bounds of reading much of a point at a time, by threads. */
import { assert } from "./assert.ts";
import { MiB } from "./limits.ts";
import { readBlockCountMax } from "./store-limits.ts";

/** So few blocks are read at once, frame by frame, by whoever wants them: more are worth a promise, and threads. */
export const readNowBlocksMax = 16;
/** Of whoever reads points: frames as they were decompressed. Views are read in disorder, and each frame that is there is a saving. */
export const pointFrameCacheBytes = 128 * MiB;
/** Threads that help whoever reads much of a point: beside their work its own is little. */
export const crewThreadCount = 2;
/** Pieces of them, of a MiB each. */
export const crewPieceCountMax = 12;
/** No piece is cut smaller than that. */
export const crewBlocksMin = 32;
/** Threads that nobody has needed for so long are ended. */
export const crewIdleMs = 10_000;
/** Of each such thread: it reads in rows, and sees little twice. */
export const crewDirectoryCacheBytes = 8 * MiB;
export const crewFrameCacheBytes = 8 * MiB;

assert(readNowBlocksMax < crewBlocksMin && crewBlocksMin <= readBlockCountMax, "what is read at once needs no thread");
