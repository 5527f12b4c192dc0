/**
 * Every bound of the program, in one place, with the arithmetic that ties the bounds together asserted at load.
 * Units stand last in the names.
 */
import { assert } from "./assert.ts";

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** The unit in which everything behind the NBD edge counts. */
export const blockBytes = 4 * KiB;

/** A server that was asked to end waits so long for its clients. */
export const shutdownGraceMs = 5_000;
export const demoVolumeBytes = 1 * GiB;

/** Threads that may wait for disks at the same time, half of them for a single one. */
export const threadPoolSize = 64;

/** After so long without a word the system asks a TCP peer whether it is still there. */
export const socketKeepAliveMs = 60_000;
/** How much goes to a slow socket at a time; a peer that takes less in the time of a stall is dropped. */
export const socketPieceBytes = 64 * KiB;

/** What the system's structure for a Unix socket's address holds, less the zero behind it. */
export const unixPathBytesMax = 107;

export const exportBytesMax = Number.MAX_SAFE_INTEGER;

// Counters and log
/** The most that one addition may bring, so that many threads at once cannot overflow half a cell. */
export const counterStepMax = 64 * MiB;
export const logTextCharactersMax = 1024;
export const logDepthMax = 4;
export const logItemsMax = 32;
export const logLineCharactersMax = 16 * KiB;

assert(counterStepMax * 16 <= 2 ** 30, "sixteen threads may add the most at the same moment");

// Records and batches
export const recordPayloadBytesMax = 1 * MiB;
export const recordHeadBytes = 40;
export const recordExtraBytesMax = 4 * KiB;
/** Records that are checked, written and sent as one. */
export const batchRecordCountMax = 1024;
export const batchPayloadBytesMax = 1 * MiB;
export const batchHeaderBytes = 64;
/** Batches begin at multiples of this in a file, so that a sector that was synced is never written again. */
export const batchAlignmentBytes = 512;
/** The heads of a batch: a head each, a checksum per block, and room for names and texts. */
export const batchHeadsBytesMax =
  batchRecordCountMax * recordHeadBytes + (batchPayloadBytesMax / blockBytes) * 8 + 16 * KiB;
export const batchBytesMax = alignedUp(batchHeaderBytes + batchPayloadBytesMax + batchHeadsBytesMax);

function alignedUp(byteLength: number): number {
  return Math.ceil(byteLength / batchAlignmentBytes) * batchAlignmentBytes;
}

assert(recordPayloadBytesMax <= batchPayloadBytesMax, "a largest record fits into a batch");
assert(
  recordHeadBytes + (recordPayloadBytesMax / blockBytes) * 8 + recordExtraBytesMax <= batchHeadsBytesMax,
  "so does its head",
);

// Aggregates
/** Payload that one aggregate may have, whatever the policy allows. */
export const aggregateBytesMax = 64 * MiB;
export const aggregateBlocksMax = aggregateBytesMax / blockBytes;
/** Trims and zeros of one aggregate. */
export const aggregateRangesMax = 4096;
/** With the one that commits it. What receives an aggregate keeps 64 bytes of each in memory until then. */
export const aggregateRecordsMax = aggregateBlocksMax + aggregateRangesMax + 1;

// Folding records, and shipping aggregates
/** Batches that are gathered before others get their turn. */
export const aggregateGatherBatches = 64;
/** Blocks of an aggregate are read back for so long before others get their turn: they may have to come from a disk. */
export const aggregateReadMs = 2;
/** What is read of a spool at a time to look at heads alone. */
export const spoolHeadsReadBytes = 64 * KiB;
export const aggregateEveryMsDefault = 1_000;
export const aggregateBytesDefault = aggregateBytesMax;
/** One may become as large, however short the link's lives are. */
export const aggregateBytesMin = 1 * MiB;

assert(batchHeadsBytesMax <= spoolHeadsReadBytes, "the heads of a largest batch are read at once");
assert(batchPayloadBytesMax <= aggregateBytesMax, "an empty aggregate has room for any batch,");
assert(batchRecordCountMax <= aggregateRangesMax, "whatever it says");

// Local appliance
export const shipperReadBytes = batchBytesMax;
/** What was just appended leaves when so much is gathered, or after so long. A socket takes this at once. */
export const shipperFrameBytes = 128 * KiB;
/** Nor more than so many of the kind that comes: who writes little at a time should not wait while a lot is sent. */
export const shipperFrameBatches = 8;
export const shipperGatherMs = 5;
/** What waits in memory until the link takes it; beyond this it is read back from the spool. */
export const shipperKeptBytesMax = 8 * MiB;
/** After so many the writers of the moment get their turn. */
export const shipperReadsPerTurn = 4;
export const batchSlabBytes = 4 * MiB;
/**
 * Batches that were not acknowledged, or not written to their source, of all groups of a thread together; where others
 * hold all of it, each group has memory for one largest batch besides.
 */
export const batchSlabCountMax = 12;

// Wire: frames between appliances, and between interceptor and appliance
export const wireFrameHeaderBytes = 32;
/** The body of a frame from a peer that has not yet proved who it is. */
export const wireHandshakeBytesMax = 8 * KiB;
export const wireControlBytesMax = 64 * KiB;
/** Batches of one frame. What receives them holds as much memory, for as long as they keep coming. */
export const wireBulkBytesMax = 4 * MiB;
/** What a connection receives into before it has seen a larger frame, and again when it rests. */
export const wireReceiveBytesMin = 64 * KiB;
/** The beginning of a frame up to this size is moved to where there is room behind it, rather than read to its end alone. */
export const wireMoveBytesMax = 16 * KiB;
/** Control frames that wait for a peer to take them; a peer that lets more gather is given up. */
export const wireControlQueueBytesMax = 256 * KiB;
export const wireTextCharactersMax = 1024;
export const wireNonceBytes = 32;
export const wireConnectMs = 10_000;
/** From the connection to the proof, TLS included. */
export const wireHandshakeMs = 10_000;
export const wireHeartbeatMs = 1_000;
export const wireSilenceMs = 5_000;
/** How long a connection that has said farewell waits for the other side to take it. */
export const wireFarewellMs = 1_000;
export const wireBackoffMsMin = 100;
export const wireBackoffMsMax = 5_000;
/** A peer that says no is asked again after so long. */
export const wireRefusedMs = 15_000;
/** Batches of a volume that the appliance has not taken up yet. */
export const volumeWindowBytes = 4 * batchBytesMax;
export const volumeFlushCountMax = 4096;
/** Of peers that have proved who they are: each group and each volume has one, and comes again before the old one is missed. */
export const wireConnectionCountMax = 4096 + 256;
/** Shorter batches are not compressed. */
export const compressBytesMin = 4 * KiB;
/** A link that was waited for so long is slow, for so long. */
export const compressWaitMsMin = 2;
export const compressAfterWaitMs = 1_000;
/** The part that must be saved; if it is not, it is tried again after so long. */
export const compressSavedMin = 0.2;
export const compressAgainAfterMs = 10_000;
/** What is allowed in so long may be sent in a moment. */
export const bandwidthBurstMs = 100;
/** So often those who wait see whether another limit has begun. */
export const bandwidthLookMs = 1_000;
export const bandwidthHoursMax = 24;
export const wireStrangerCountMax = 64;
/** However many are one too many, they are told of so often at most. */
export const crowdWordMs = 10_000;

assert(batchBytesMax <= wireBulkBytesMax, "a largest batch fits into a frame");
assert(wireHandshakeBytesMax <= wireControlBytesMax, "nobody may say more before the handshake than after it");
assert(wireMoveBytesMax + wireFrameHeaderBytes < wireReceiveBytesMin, "what is moved leaves room behind it");
assert(wireHandshakeBytesMax + wireFrameHeaderBytes < wireReceiveBytesMin, "a handshake needs no larger memory");
assert(wireControlBytesMax + wireFrameHeaderBytes <= wireControlQueueBytesMax, "a largest control frame can wait");
assert(wireHeartbeatMs * 2 < wireSilenceMs, "one heartbeat that is late is no silence");

// Journals
/** A metadata piece that is full is left for a new one. */
export const metadataPieceBytes = 64 * MiB;
/** What is read of a journal at a time. */
export const journalReadBytes = 1 * MiB;
/** Checksums of blocks that have landed are written at the latest when there are so many. */
export const pendingSumCountMax = 4096;
/** Files of data segments that one reader keeps open. */
export const readerSegmentCountMax = 8;

// Remote appliance
/** How much a local appliance may send beyond what has landed. */
export const remoteCreditBytes = 8 * MiB;
/** Credit is given in portions, so that not every read costs a message. */
export const remoteCreditPortionBytes = 1 * MiB;
/** Beyond this no more credit is given until a sync is done. */
export const remoteUndurableBytesMax = 512 * MiB;
export const remoteSyncPatienceMsMin = 50;
/** For each millisecond that a sync takes, so many go by before the next one that nobody waits for. */
export const remoteSyncRest = 10;
export const remoteSyncAfterMs = 500;
export const remoteSyncAfterBytes = 64 * MiB;
/** When nothing came for so long, how far the journals are durable is noted beside them. */
export const remoteCheckpointAfterMs = 5_000;
/** How often a full disk is tried again, and with how much. */
export const remoteFullProbeMs = 1_000;
export const remoteFullProbeBytes = 4 * MiB;
export const remoteGroupCountMax = 4096;
assert(remoteGroupCountMax < wireConnectionCountMax, "each group has a connection");
export const remoteNameBytesMax = 1 * KiB;
/** Groups that keep their files open: three each, and a few that are full and not durable yet. */
export const remoteOpenGroupCountMax = 256;
/** Segment numbers that are taken from the catalogue at a time. */
export const segmentLeaseCount = 64;

assert(remoteCreditPortionBytes + batchBytesMax * 2 <= remoteCreditBytes, "credit never dries up while data lands");
assert(remoteSyncAfterBytes * 2 <= remoteUndurableBytesMax, "a sync begins long before credit ends");
assert(
  aggregateBytesMax * 2 <= remoteUndurableBytesMax,
  "credit never ends in the middle of an aggregate, which no sync ends",
);

// Control plane
export const configFileBytesMax = 1 * MiB;

// Logs
export const logFileHeaderBytes = 512;

assert(logFileHeaderBytes % batchAlignmentBytes === 0, "batches begin right behind a log file's header");
/** Enough for what goes by in the time that the remote appliance takes to make a write durable. */
export const traceRecordCountMax = 2048;
export const tokenCharactersMin = 16;
/** Room for what lives shortly, of each I/O thread. */
export const threadNurseryMiB = 3;
/** A question to a side that needs longer than this is answered with what is known. */
export const sidePatienceMs = 30_000;
export const sideFactsEveryMs = 1_000;
export const nameCharactersMax = 64;
export const volumeIdBytes = 16;
export const catalogueVolumesMax = 1024;
assert(catalogueVolumesMax < wireConnectionCountMax, "each volume has a connection");
/** Questions to a thread that it has not answered; more are refused at once. Each volume that is opened is one of them. */
export const sideAsksMax = catalogueVolumesMax + 64;

/** Between two times that are kept to tell the age of records; more where there are many. */
export const ageSampleMsMin = 10;
export const ageSampleCountMax = 4096;

// Spool
/** Distance of the entries that are kept in memory to find a record in the spool; larger where the spool is larger. */
export const spoolIndexStepBytesMin = 256 * KiB;
export const spoolIndexEntryCountMax = 262_144;
/** The newest batches can all be found at once. */
export const spoolIndexRecentCount = 8192;
export const spoolSegmentBytesMin = 8 * KiB;
export const spoolSegmentBytesMax = 4 * GiB;
/** What a segment keeps for the record that begins an epoch: a spool at its limit must be able to start, to become emptier. */
export const spoolEpochReserveBytes = 8 * KiB;
/** Smaller ones, which only tests have, keep none. */
export const spoolReservingSegmentBytesMin = 1 * MiB;
/** Segments that are released together, if that is no more than this share of the spool: each release costs a sync. */
export const spoolReleaseCount = 8;
export const spoolReleaseShare = 1 / 8;
/** What is written ahead into a new segment at a time. */
export const spoolPreparePieceBytes = 1 * MiB;
/** What reading the whole spool takes at a time, before others get their turn. */
export const spoolReadBytes = 2 * batchBytesMax;
export const spoolTurnMs = 10;

assert(spoolSegmentBytesMin % batchAlignmentBytes === 0, "a smallest segment is whole");

// The control API
export const httpHeaderBytesMax = 8 * KiB;
export const httpBodyBytesMax = 64 * KiB;
export const httpConnectionsMax = 256;
/** A request's header must have come by then, and all of it by the next. */
export const httpHeaderMs = 10_000;
export const httpRequestMs = 30_000;
export const httpIdleMs = 5_000;
export const httpAnswerBytesMax = 16 * MiB;
export const httpAnswerMs = 60_000;
/** So long a question about the present state waits for what is new before it is answered with what is known. */
export const statusPatienceMs = 500;
/** Likewise a scrape, of which there is one every few seconds. */
export const metricsPatienceMs = 20;
/** Facts that are older are none: whoever has told nothing since counts as down. */
export const metricsFactsAgeMsMax = 5_000;

assert(httpAnswerMs > sidePatienceMs, "who asks waits longer than who answers");
assert(metricsFactsAgeMsMax > 2 * sideFactsEveryMs, "who answers in time is not taken to be down");

// Interceptor
/** The unit of the region map, unless a volume is so large that it would have more than the most regions. */
export const regionBytesMin = 1 * MiB;
export const regionCountMax = 65_536;
/** Regions that are marked together with the one that is needed, behind it. */
export const regionsMarkedAhead = 16;
export const recordBlocksMax = recordPayloadBytesMax / blockBytes;
/** Blocks of one trim or zero: their number must fit into 32 bits, and others wait while the source clears them. */
export const rangeRecordBlocksMax = 2 ** 28;
export const checkpointMsDefault = 30_000;
export const checkpointBytesDefault = 256 * MiB;
/** Less is not worth one, unless the pressure is as high as this: then the spool may wait for it. */
export const checkpointBytesMin = 8 * MiB;
export const checkpointPressureMin = 0.25;
/** For each millisecond that a checkpoint takes, so many go by before the next one that nobody needs. */
export const checkpointRest = 20;
/** A checkpoint waits so long for its flush before it tells without it what the source has. */
export const checkpointFlushMs = 500;
/** From this pressure on writers are slowed. */
export const throttlePressureMin = 0.5;
/** What a write waits at a pressure in the middle between there and 1, twice. */
export const throttleScaleMs = 1;
export const throttleDelayMsMax = 100;
/** Writes longer than this count as several. */
export const throttleUnitBytes = 64 * KiB;
/** A single change never waits longer, however long it is: a client may give up a request that takes too long. */
export const throttleChangeMsMax = 1_000;
/** Timers are coarse: writers that were held up may make up for so much. */
export const throttleBurstMs = 5;
export const reattachMsMin = 100;
export const reattachMsMax = 5_000;
/** Volumes that may come back to a spool that had overflowed have so long to, since only they can make room in it. */
export const overflowComeBackMs = 2 * reattachMsMax;
export const trackAfterMsDefault = 30_000;
/** Pieces of memory that a volume without an appliance writes from, of a batch's size each. */
export const trackingMemoryCountMax = 4;
export const writeTraceCountMax = 65_536;

assert(rangeRecordBlocksMax < 2 ** 32, "a range's blocks can be counted in a record's head");
assert(regionBytesMin % blockBytes === 0, "regions are whole blocks");
export const tokenBytes = 32;
/** A side that was asked to end has so long for it: what is under way, the last syncs, a farewell. */
export const sideStopMs = 60_000;
export const watchEveryMs = 1_000;
export const outputPieceCharacters = 64 * KiB;
/** The last writes of a volume that `trace` shows. */
export const tracedWritesMax = traceRecordCountMax;
/** A volume that cannot be opened yet is tried again after so long. */
export const volumeRetryMsMin = 250;
export const volumeRetryMsMax = 5_000;

// New volumes
/** Runs of a source that are looked at at a time. */
export const sourceRunsMax = 64;

// Looking at single writes
/** Tracing ends by itself so long after somebody has last looked. */
export const traceLeaseMs = 30_000;
export const traceLookMs = 200;
/** After so long without another write, those that came are what was to be seen. */
export const traceQuietMs = 1_000;
export const traceSecondsMax = 3600;

assert(traceLookMs * 10 < traceLeaseMs, "whoever goes on looking is in time for the next look");

// The end of a program
/** What was written last, such as the flush of the end, has so long to get to the remote appliance. */
export const lastShippingMs = 2_000;
export const settleLookMs = 10;

// Files
/** While there is no descriptor free, it is looked for one so often. */
export const descriptorPatienceMs = 20;

// Lost spools
/** So many seqs, epochs and lives are left out where nobody knows which were given: more than can have been. */
export const lostSeqCount = 2 ** 40;
export const lostEpochCount = 2 ** 16;

// Copying the source into the order
/** Pieces that are read, or wait to be added, at the same time: of a largest record's size each. */
export const copyPieceCountMax = 4;
/** While the host writes. */
export const copyPieceCountBesideHost = 2;
/** Pieces that are begun before others get their turn. */
export const copyPiecesPerTurn = 64;
/** Zeros are told from data in parts of a piece of this size. */
export const copyGranuleBlocks = 16;
/** So much of the source is looked over for holes at a time, and so many runs of it at most. */
export const copyLookBytes = 1 * GiB;
export const copyLookRunsMax = 64;
/** From this pressure on the copy waits; from the second on as long as it ever does. */
export const copyPressureMin = 0.25;
export const copyPressureMax = 0.5;
export const copyDelayMsMax = 1_000;
/** So much may be in the order and not durable at the remote, and so often it is looked for whether it is. */
export const copyAheadBytesMax = 128 * MiB;
export const copyAheadLookMs = 20;
/** After a read of the source that failed. */
export const copyRetryMs = 10_000;
/** Pieces that could not be read, and are left for later; beyond that nothing is copied before they are. */
export const copyPutBackCountMax = 1_024;
/** A source that is full is tried again so often. */
export const sourceFullRetryMs = 500;

assert(recordBlocksMax % copyGranuleBlocks === 0, "a piece of the copy is made of whole granules");
assert(copyPressureMax <= throttlePressureMin, "the copy has given way before hosts are slowed");
assert(
  copyAheadBytesMax >= 2 * Math.max(aggregateBytesMax, remoteSyncAfterBytes),
  "while the remote makes something durable, the copy goes on",
);

// Marks
/** So long an order without room is waited for. */
export const markPatienceMs = 5_000;
export const markPatienceMsMax = 20_000;
/** Applications are at rest for as long as this unless told. */
export const quiesceSecondsDefault = 10;
/** A command that takes them up again must have done so by then. */
export const releasePatienceMs = 60_000;

assert(markPatienceMsMax < sidePatienceMs, "who waits for a mark hears of it");

// Levels
/** The longest interval between the points of a data journal. */
export const levelSecondsMax = 366 * 86_400;
