/** The bounds of the store and of what is sealed into it, with the arithmetic that ties them together asserted at load. */
import { assert } from "./assert.ts";
import { aggregateRecordsMax, GiB, KiB, MiB, recordExtraBytesMax } from "./limits.ts";

// Sealed segments
/** A data segment that something landed in is closed and sealed after so long, full or not. */
export const remoteSealAfterMs = 10 * 60_000;
export const remoteSealRetryMs = 10_000;
/** A command that prints the store's key may take so long. */
export const storeKeyCommandMs = 30_000;
/** Closed segments that a group may have waiting: beyond that the remote takes no more, and the spools fill up. */
export const remoteUnsealedBytesMax = 64 * GiB;
/** Kept blocks that are compressed together: a read of one decompresses so many. */
export const frameBlockCountMax = 4;
/** Frames that are read with one request. */
export const frameRunCountMax = 64;
/** Slots that one part of a sealed segment's directory speaks of. */
export const slotsPerPage = 512;
/** Blocks that are read, fingerprinted and looked up at a time when a segment is sealed. */
export const sealRunBlocks = 256;
/** Directories of sealed segments that are kept in memory, of all segments together. */
export const storeDirectoryCacheBytes = 32 * MiB;
/** Sealed segments of which it is known where their parts are. */
export const storeOpenSegmentsMax = 1024;
/** Frames that are kept as they were decompressed. */
export const storeFrameCacheBytes = 64 * MiB;

// Store
export const objectNameCharactersMax = 200;
/** Objects of a folder that are kept open to be read. */
export const objectHandleCountMax = 128;
/** Names of a folder that are told before others get their turn. */
export const objectListTurnCount = 256;
export const storeDocumentBytesMax = 1 * MiB;
export const storeKeyCopyCountMax = 16;
/** A key file, or what a key command prints. */
export const wrappingKeyTextBytesMax = 4 * KiB;

// Sealed pieces of the metadata journal
/** Records that one page of a piece has; one read of a record reads so many. */
export const sealedPageRecordsMax = 1024;
/** The extra parts of a page's records together. */
export const sealedPageExtraBytesMax = 8 * KiB;
/** What one page of the index says: one look-up reads so many. */
export const sealedPageExtentsMax = 512;
/** Records of a piece. Sealing it holds at most 88 bytes of each in memory. */
export const sealedPieceRecordsMax = 2 ** 20;
/** Pages of a piece's records, which may be short where extra parts are long, and as many of its index. */
export const sealedPiecePagesMax = 2 ** 13;

assert(recordExtraBytesMax <= sealedPageExtraBytesMax, "a page takes a longest extra part");
assert(aggregateRecordsMax <= sealedPieceRecordsMax, "a piece takes a largest aggregate, which is in one piece whole");
assert(
  2 * sealedPieceRecordsMax <= sealedPiecePagesMax * sealedPageExtentsMax,
  "and the index: a record adds two extents at most, its own and the rest of one that it cuts in two",
);

// Objects of the store
/** What a part has before it is compressed and encrypted. */
export const partBytesMax = 1 * MiB;
/** What is gathered of an object before it is written; a largest part comes on top of it. */
export const objectGatherBytes = 1 * MiB;
/** What is read of an object at its end when it is opened: its footer, and most tables. */
export const objectTailBytes = 8 * KiB;
/** Parts that are read at once, as they are stored. */
export const objectRunBytesMax = 2 * MiB;
/** What is read at a time of an object whose parts are gone through. */
export const objectWalkBytes = 2 * MiB;
/** Memory that is kept for reading parts, of each thread: a frame and a part of the directory as they are stored fit. */
export const objectScratchBytes = 64 * KiB;
export const objectScratchCountMax = 32;
/** The same for runs of them. */
export const objectRunScratchCountMax = 2;

assert(partBytesMax + 4 * KiB <= objectWalkBytes, "a largest part as it is stored is gone through in one piece,");
assert(partBytesMax + 4 * KiB <= objectRunBytesMax, "and can be read");

// The index of fingerprints
export const sortedMapTableCountMax = 8;
export const fingerprintKeyBytes = 8;
/** What is gathered in memory before it goes into the file, with what sorting it takes for a moment. */
export const indexGatherBytesDefault = 64 * MiB;
/** The filter that keeps lookups in vain from the file; twice as much where another one is being built for a larger index. */
export const indexFilterBytesDefault = 256 * MiB;
export const indexFilterBitsPerKey = 12;
/** A filter has room for so many keys at least. */
export const indexFilterKeysMin = 2 ** 20;
/** Keys that are read of the file before others get their turn. */
export const indexScanCount = 4096;
/** One that was lost while it was in use is made anew no more often than that. */
export const indexMendPauseMs = 10 * 60_000;
/** An index that was opened so often in a row, and neither closed nor changed, is what ends those who open it. */
export const indexOpeningCountMax = 3;
/** Files that were set aside and are kept for whoever wants to know. */
export const indexAsideCountMax = 1;
