/** The bounds of what is kept in memory to read points, with the arithmetic between them. */
import { assert } from "./assert.ts";
import { httpAnswerMs, MiB, sidePatienceMs } from "./limits.ts";

/** Pages of indexes and nodes of trees that all images have in memory together, of all groups that one process reads. */
export const pointPagesBytes = 96 * MiB;
/** Sealed pieces of a group that are kept open: of each its table, 20 bytes for a page. */
export const pointOpenPiecesMax = 1024;
/** Pieces of which it is kept in memory what they say of volumes, marks and modes. */
export const pointPieceEventsMax = 16_384;
/** Snapshots of a group that are kept open. */
export const pointOpenSnapshotsMax = 64;
/** Records of a chunk of what is not sealed, at 56 bytes each; a point within is made of one such chunk. */
export const tailChunkRecords = 2 ** 15;
/** Such records in all: beyond that the oldest chunks are read again for points within them. */
export const tailRecordsMax = 2 ** 20;
/** Such chunks that were read again, and are kept for the next who wants them. */
export const tailChunksReadMax = 2;
/** What all records of a chunk come to, at 32 bytes a row: beyond that the oldest are read again for each point behind them. */
export const tailRowsMax = 2 ** 22;
/** Whatever was found damaged is looked at again after so long: it may have been repaired. */
export const pointDamageMs = 1000;
/** An image that meets damage is put together anew after so long, ever more rarely while it is still there. */
export const imageDamageMsMin = pointDamageMs;
export const imageDamageMsMax = 30_000;
/** What one image has met is told of so many things. */
export const imageFindingsMax = 100;
/** Files of open segments that nobody reads are closed after so long: they may have been removed, and take room until then. */
export const pointFilesIdleMs = 5000;
/** What is there is listed anew at most so often, unless something is missing. */
export const pointListMs = 2000;
/** An image whose objects go while it is read is put together anew so often in a row. */
export const imageLooksMax = 4;
/** To go through all that a history tells for the first time may take so long. */
export const historyPatienceMs = 60_000;
/** Events, marks, ranges and snapshots, each, that one answer tells of: the latest. */
export const timelineItemsMax = 5000;
/** Buckets of a picture of how densely a volume was written to. */
export const densityBucketsMax = 1000;
/** Pages of records that are read for one such picture, and that are kept in memory for the next: 24 bytes for each write. */
export const densityPagesReadMax = 256;
export const densityPagesMax = 512;

// Points that are on their way to the remote appliance
/** One is waited for so long, and looked for so often. */
export const pointArrivalMs = 10_000;
export const pointLookMs = 50;
/** Marks that were promised and have not arrived, of which it is kept what they are called; beyond that the oldest are not. */
export const marksOnTheWayMax = 10_000;

assert(pointArrivalMs + sidePatienceMs < httpAnswerMs, "who asks for a point that is on its way hears of it");
