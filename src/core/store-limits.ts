/** The bounds of the store and of what is sealed into it, with the arithmetic that ties them together asserted at load. */
import { assert } from "./assert.ts";
import { aggregateRecordsMax, GiB, KiB, MiB, recordExtraBytesMax, sidePatienceMs } from "./limits.ts";

// Sealed segments
/** A data segment that something landed in is closed and sealed after so long, full or not. */
export const remoteSealAfterMs = 10 * 60_000;
/** As long as hosts write more than this, so much waits to be sealed: they get what sealing would take. */
export const sealCalmBytesPerSecond = 32 * MiB;
export const remoteSealBehindBytes = 8 * GiB;
export const remoteSealRetryMs = 10_000;
/** What only a person can help with is tried ever more rarely, but at least so often. */
export const remoteSealRetryMsMax = 10 * 60_000;
/** A command that prints the store's key may take so long. */
export const storeKeyCommandMs = 30_000;
/** Closed segments that a group may have waiting: beyond that the remote takes no more, and the spools fill up. */
export const remoteUnsealedBytesMax = 64 * GiB;
assert(remoteSealBehindBytes < remoteUnsealedBytesMax, "what waits for a calm moment leaves room for more");
/** Kept blocks that are compressed together: a read of one decompresses so many. */
export const frameBlockCountMax = 4;
/** Frames that are read with one request. */
export const frameRunCountMax = 64;
/** Blocks that are read at a time. */
export const readBlockCountMax = 256;
/** Reads whose memory is kept for the next ones; more may be under way. */
export const blockReadsKeptMax = 4;
/** Pieces of so many blocks that are read ahead at a time, by each of those who read. */
export const piecesPerReader = 3;
/** Slots that one part of a sealed segment's directory speaks of. */
export const slotsPerPage = 512;
/** Blocks that are read, fingerprinted and looked up at a time when a segment is sealed. */
export const sealRunBlocks = 256;
/** Threads that help the process that seals: beside their work its own is little. */
export const sealThreadCount = 2;
/** Frames that one thread compresses at a time, where threads help with sealing. */
export const sealBatchFrames = 64;
/** Runs of blocks, and batches of frames, that are with each such thread or on their way to it: some 3 MiB each. */
export const sealAheadPerThread = 2;
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
/** The same of a folded one: where little is overwritten each row that is folded adds the record that ends it. */
export const foldedPieceRecordsMax = 1.5 * sealedPieceRecordsMax;
/** Pieces that one folded piece takes the place of. */
export const foldedPiecesMax = 4096;
/** Rows of blocks that are gathered for one point of a folded piece, at 88 bytes; where there are more, more points are left. */
export const foldedPointExtentsMax = 2 ** 17;
/** Pages of a piece's records, which may be short where extra parts are long, and as many of its index. */
export const sealedPiecePagesMax = 2 ** 13;

assert(recordExtraBytesMax <= sealedPageExtraBytesMax, "a page takes a longest extra part");
assert(aggregateRecordsMax <= sealedPieceRecordsMax, "a piece takes a largest aggregate, which is in one piece whole");
assert(
  2 * foldedPieceRecordsMax <= sealedPiecePagesMax * sealedPageExtentsMax,
  "and the index: a record adds two extents at most, its own and the rest of one that it cuts in two",
);

// Snapshots
/** Trees that together say what a volume holds, one over the other. */
export const snapshotLayersMax = 12;
/** A layer that is no more than so many times as large as what comes on top of it is made one with it. */
export const snapshotLayerGrowth = 8;
/** Extents of a leaf, and children of a node above leaves: a change writes one node of each height anew. */
export const snapshotLeafExtentsMax = 128;
export const snapshotNodePointersMax = 128;
/** So full are nodes where many are written, so that the next changes find room in them. */
export const snapshotNodeFill = 96;
/** A node that would have fewer entries is made together with the one behind it. */
export const snapshotNodeFew = 32;
/** Of an object of which a snapshot uses less its nodes are taken over, so many bytes read for that by each snapshot. */
export const snapshotSparseShare = 1 / 4;
export const snapshotForwardBytesMax = 4 * MiB;
/** Volumes of a group; what is kept of all of them has to fit into one part besides. */
export const snapshotVolumesMax = 4096;
/** Earlier snapshots that one points to; from so many on the nodes of the smallest are taken over too. */
export const snapshotSourcesMax = 4096;
export const snapshotSourcesMany = 256;
/** Pieces that are merged at once: of each a page of its index and its table are in memory. */
export const synthesisPiecesMax = 32;
/**
 * Points that a group's history is held for, snapshots that were taken out of it while others point into them, and those that somebody
 * has asked for.
 */
export const historyPinsMax = 1024;
export const historyWithdrawnMax = 1024;
export const historyAskedMax = 1024;
/** Clocks that differ by less agree. */
export const clockToleranceMicros = 3600e6;
/** History may reach so much further back than it has to, as a part of what it has to: a snapshot is made less often. */
export const historySlack = 1 / 8;
/** History that comes of age waits for so much more, as a part of that age: so pieces are folded many at a time. */
export const ageingSlack = 1 / 8;
/** Snapshots that one who reads another has open. */
export const snapshotOpenSourcesMax = 64;
/** Nodes that one who reads a snapshot keeps as they were decoded. */
export const snapshotNodeCacheCount = 1024;

assert(snapshotLeafExtentsMax <= sealedPageExtentsMax, "a leaf is a page of extents");
assert(
  2 * snapshotNodeFew <= snapshotNodeFill && snapshotNodeFill <= snapshotNodePointersMax,
  "what is split is neither too small nor too large",
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

/** How much time compression may take to leave little. Whatever it took, everybody can read it. */
export const partEfforts = ["normal", "small"] as const;
export type PartEffort = (typeof partEfforts)[number];

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

// Long works beside sealing
/** While something is sealed, a long work rests so many times as long as it worked: it has a quarter of the time then. */
export const workRestFactor = 3;
/** The process that keeps the store says so often that it lives. */
export const keeperBeatMs = 5000;
/** From then on it is said that it does not, or that it gets nowhere. */
export const keeperSilenceMs = 60_000;
/** Then it is ended, and another one begins; later where that did not help. */
export const keeperPatienceMs = 15 * 60_000;
export const keeperPatienceMsMax = 4 * 3_600_000;
/** A long work that is told to end has so long for it when the program ends; then it is cut off. */
export const keeperFarewellMs = 5000;
/** What a long work reads or writes before it says so: others have their turn then. */
export const workPieceBytes = 1 * MiB;
/** So many directories are read before anything is sealed, where an index lacks them; more of them beside it. */
export const indexCatchUpCountMax = 16;
/** How often it is counted what the store holds, at most. */
export const storeCountPauseMs = 60_000;
/** After so long without a question the process that keeps the store looks whether it has to do anything by itself. */
export const keeperLookMs = 60_000;
/** A reserve of room may take so much of what the store takes. */
export const reserveShareOfStore = 1 / 8;
/** Findings of one work that are told one by one; the rest is counted. */
export const storeFindingsMax = 1000;
/** What a long work did not use of its rate is let go after so long. */
export const workBurstMs = 200;

// Scrub and repair
/** What is read of an object with one request. */
export const scrubReadBytes = 1 * MiB;
/** Names of objects that are taken from a list at a time. */
export const scrubListCount = 4096;
/** How far it is, is noted after so much was read, or after so many objects. */
export const scrubNoteBytes = 1 * GiB;
export const scrubNoteObjects = 1024;
/** Findings that are kept, and what they say in numbers; there may be more, which are counted. */
export const scrubFindingsMax = 512;
export const scrubAffectedMax = 64;
export const scrubRangesMax = 2 * scrubAffectedMax;
export const scrubWordsMax = 300;
/** Lost blocks of which it is remembered what they were. */
export const scrubLostMax = 1024;
/** Groups of which the newest piece is remembered. */
export const scrubHeadsMax = 1024;
/** Parts of one object in which a turned bit is looked for. Each takes up to a second. */
export const mendPlacesMax = 64;
/** Longer ones are not tried: it takes time that grows with the square of their length. */
export const mendBytesMax = 32 * KiB;
/** Bits that are tried before others get their turn. */
export const mendTurnBits = 4096;

// Collection
/** So often a reader looks which generation of a segment is there, when the one that it knew is gone. */
export const storeLooksMax = 4;
/** What a folder of objects has open is closed so often: a file that was removed takes room for as long as it is open. */
export const objectHandlesRestMs = 30_000;
/** A read that began before an object had a successor has so long to end before the object goes. */
export const readersGraceMs = 60_000;
/** What is needed of segments, two bits for each slot, as far as it is in memory: of 1 TiB before duplicates are found. */
export const liveMarksBytes = 64 * MiB;
/** A segment is written anew if so much of its object is free then; and where room is needed, for less. */
export const collectedShareMin = 0.25;
export const collectedShareMinInNeed = 0.02;
/** Segments of one plan; what else is worth it is for the next one. */
export const collectionSegmentsMax = 2048;
/** Segments of which a plan says one by one why they stay. */
export const collectionLeftMax = 256;
/** Segments in which readers have met damage: so many are kept in mind, and each is told again after so long. */
export const metDamageMax = 1024;
export const metDamageAgainMs = 60 * 60_000;
/** One that could not be looked at just now, for want of room for example, is looked at again after that. */
export const suspectPauseMs = 10 * 60_000;
/** Volumes of which is noted how much is needed of them, those with most first, */
export const volumeUseCountMax = 4096;
/** and told in the status: those that are over their quota before others. */
export const volumeUseToldMax = 64;
/** Volumes that have a quota of their own. */
export const volumeQuotasMax = 1024;
/** So often a segment's new generation is written that does not come back as it was written. */
export const successorAttemptsMax = 3;
/** How often it is looked whether the grace of readers is over, or the collection has been ended. */
export const graceLookMs = 1_000;

// Rebuilding
/**
 * Numbers of segments that a remote appliance skips which was made anew from its store: the one before it may have given so
 * many to segments that the store has not seen yet. There are enough for thousands of times.
 */
export const segmentNumbersSkipped = 2 ** 24;
/** Where a store tells of less than it had, it is asked so often in all, after so long. */
export const storeLessLooksMax = 5;
export const storeLessLookAgainMs = 1000;
/** Of a group's own metadata journal, what stays beside the store that has it. */
export const remoteKeptPieceBytes = 64 * MiB;
/** Pieces that are looked at from one word about it to the next. */
export const rebuildProgressPieces = 100;

// Jobs
/** How often a command looks how far its job is. */
export const jobFollowMsMin = 20;
export const jobFollowMsMax = 250;
/** Of those that are over, so many are kept to be looked at. */
export const jobsKeptMax = 100;
/** What did not work just now is tried again, ever later. */
export const jobRetryMs = 10_000;
export const jobRetryMsMax = 10 * 60_000;
/** For want of room it is collected again no sooner than after so long. */
export const jobForRoomMs = 3_600_000;
/** How often it is looked whether something is due, or hurries more than what is under way. */
export const jobLookMs = 10_000;

// Snapshots by order
/** How often it is looked whether what one needs is sealed. */
export const sealLookMs = 50;
/** So long whoever asks for one waits for it unless he says so, and at most: then he is told how far it is, and may ask again. */
export const snapshotWaitSeconds = 10;
export const snapshotWaitSecondsMax = 20;
/** A command asks so often, to show how far it is, and in all for so long unless told. */
export const snapshotAskSeconds = 1;
export const snapshotPatienceSeconds = 300;
export const snapshotPatienceSecondsMax = 86_400;
assert(snapshotWaitSecondsMax * 1000 < sidePatienceMs, "who waits for a snapshot hears of it");
