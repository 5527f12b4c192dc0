/** The bounds of the NBD edge, server and client, with the arithmetic that ties them together asserted at load. */
import { assert } from "./assert.ts";
import { GiB, KiB, MiB } from "./limits.ts";

// NBD: handshake
export const nbdNameBytesMax = 4096;
/** Two names and a few queries fit; a longer option is refused after its bytes were skipped, or the peer is dropped. */
export const nbdOptionBytesMax = 16 * KiB;
/** An option longer than this is not worth skipping: the connection is closed. */
export const nbdOptionSkipBytesMax = 1 * MiB;
export const nbdOptionCountMax = 1000;
export const nbdMetaQueryCountMax = 64;
export const nbdMetaContextCountMax = 16;
export const nbdHandshakeMs = 10_000;

// NBD: transmission
export const nbdPayloadBytesMax = 32 * MiB;
export const nbdErrorMessageBytesMax = 4096;
export const nbdExtentsPerReplyMax = 4096;
/** Requests that one connection may have under way at a backend that answers later. */
export const nbdRequestsInFlightMax = 256;
/** A peer that neither finishes a request it began nor takes a reply for this long is dropped. */
export const nbdStallMs = 30_000;
/** Beyond that time a request that has begun must come at this rate, or its memory would be held for next to nothing. */
export const nbdRequestBytesPerSecondMin = 64 * KiB;
export const nbdPatienceCheckMs = 1_000;
export const nbdConnectionCountMax = 1024;

// NBD: memory, all connections of one I/O thread together
/** With the program itself and a thousand connections this stays within 150 MB resident. */
export const nbdBytesInFlightMax = 40 * MiB;
export const nbdMemoryPageBytes = 4 * KiB;
/** Up to this a request does not wait because its memory would lie in pieces only; it gets some from outside. */
export const nbdSmallRunBytes = 64 * KiB;
/** Kept free of larger requests, so that a few of those which never end cannot stop everybody, and for an export that comes. */
export const nbdSmallReserveBytes = 4 * MiB;
/** The start of a request, or a few without a payload, may wait outside of the budget: each connection has one such rest. */
export const nbdSmallRestBytes = 1 * KiB;
/** Slabs that may be on their way to slow peers at the same time; more replies than that are moved to memory of their size. */
export const nbdSlabsLentMax = 4;
/** From this much missing on, the rest of a payload is read straight into its place instead of by way of the landing. */
export const nbdDirectReadBytes = 32 * KiB;
/** Replies of one batch leave when this much is gathered, so that the peer can begin with them. */
export const nbdSendBytes = 128 * KiB;
/** Or so many: half of a usual queue depth. */
export const nbdRepliesPerSend = 16;
/** How much of a refused payload is read and thrown away before the connection counts as lost. */
export const nbdSkipBytesMax = 64 * MiB;
/** Work on long ranges is cut into pieces, so that others get their turn. */
export const nbdPunchPieceBytes = 1 * GiB;
export const nbdZeroRangePieceBytes = 8 * MiB;
export const nbdZeroPieceBytes = 1 * MiB;
/** What one read from a socket can bring; one such buffer serves all connections of a thread. */
export const nbdLandingBytes = 256 * KiB;
/** What an idle connection's first read can bring; the rest is asked for at once. */
export const nbdPorchBytes = 8 * KiB;
/** Replies of a batch are gathered in a slab; one serves all connections of a thread, until a peer is slow to take it. */
export const nbdSlabBytes = 512 * KiB;
/** A batch of so few requests means a peer that waits for its answers: worth looking at once whether it has more. */
export const nbdSmallBatchCount = 8;

// NBD: client. What a server says is bounded as what a client says is.
export const nbdClientExportCountMax = 4096;
/** All replies to one option together. */
export const nbdClientConnectMs = 10_000;
/** As long as a disk behind the server may stall without being given up. */
export const nbdClientRequestMs = 60_000;
export const nbdClientOptionReplyBytesMax = 64 * KiB;
export const nbdClientOptionRepliesBytesMax = 4 * MiB;
export const nbdClientReceiveBytes = 64 * KiB;
/** A payload with at least this much to come is received where it belongs; less comes with the headers around it. */
export const nbdClientDirectBytesMin = 16 * KiB;
/** A chunk that reports an error: its text and, for kinds yet unknown, some room beside it. */
export const nbdClientErrorChunkBytesMax = nbdErrorMessageBytesMax + 4 * KiB;
/** Pieces without a neighbour that a server may leave of a read it answers out of order. */
export const nbdClientFragmentCountMax = 4096;
/** The specification's advice to servers. */
export const nbdClientExtentsPerChunkMax = 2 ** 20;
/** Extents that are kept per context; those after them are checked, then left out. */
export const nbdClientExtentsKeptMax = 65_536;
export const nbdClientSlabBytes = 256 * KiB;
/** Up to this size a payload is copied behind its header, which is cheaper than a piece of its own. */
export const nbdClientCopyBytesMax = 8 * KiB;
/** One call to the socket takes this much at most, so that a slow link is seen to move. */
export const nbdClientSendBytesMax = 1 * MiB;
export const nbdClientSendPieceCountMax = 64;
export const nbdClientInFlightCountMax = 128;
export const nbdClientInFlightBytesMax = 64 * MiB;
export const nbdClientQueueCountMax = 1024;
export const nbdClientQueueBytesMax = 64 * MiB;
/** Long ranges are zeroed in such pieces, so many at a time: there are servers that write the zeros, at some 50 MB/s. */
export const nbdClientClearPieceBytes = 128 * MiB;
export const nbdClientClearPiecesMax = 4;
const nbdSlowZeroBytesPerSecond = 50_000_000;

// When writing at once stops the thread for so long, so many times in a row, others do the writing
export const paceSlowMs = 2;
export const paceSlowSeriesMax = 3;
export const paceProbeEvery = 64;

assert(
  nbdPayloadBytesMax + nbdSlabBytes <= nbdBytesInFlightMax,
  "one largest request and its reply fit into the budget",
);
assert(nbdSkipBytesMax >= nbdPayloadBytesMax, "a payload somewhat too long can be skipped");
assert(nbdNameBytesMax * 2 <= nbdOptionBytesMax, "an option can carry a longest name and queries beside it");
assert(nbdOptionBytesMax <= nbdOptionSkipBytesMax, "what is understood is never longer than what is skipped");
assert(nbdBytesInFlightMax % nbdMemoryPageBytes === 0, "the budget is whole pages");
assert(nbdSendBytes <= nbdSlabBytes / 2, "after the sending mark a slab still has room");
assert(nbdOptionBytesMax <= nbdClientOptionRepliesBytesMax, "a longest reply to an option is within their sum");
assert(
  nbdClientErrorChunkBytesMax * 2 <= nbdClientReceiveBytes,
  "whatever is gathered fits beside what came before it",
);
assert(
  ((nbdClientClearPieceBytes * nbdClientClearPiecesMax) / nbdSlowZeroBytesPerSecond) * 1000 <= nbdClientRequestMs / 4,
  "a slow server zeroes what it is asked for well before it is given up",
);
assert(nbdPayloadBytesMax <= nbdClientInFlightBytesMax, "a largest request can be under way");
assert(nbdClientCopyBytesMax * 2 <= nbdClientSlabBytes, "a header and what is copied behind it fit into the slab");
