/**
 * Every bound of the program, in one place, with the arithmetic that ties the bounds together asserted at load.
 * Units stand last in the names.
 */
import { assert } from "./assert.ts";

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const TiB = 1024 * GiB;

/** The unit in which everything behind the NBD edge counts. */
export const blockBytes = 4 * KiB;

// NBD: handshake
export const nbdNameBytesMax = 4096;
/** Two names and a few queries fit; a longer option is refused after its bytes were skipped, or the peer is dropped. */
export const nbdOptionBytesMax = 64 * KiB;
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
export const nbdConnectionCountMax = 1024;

// NBD: memory, all connections of one I/O thread together
export const nbdBytesInFlightMax = 64 * MiB;
/** Replies are gathered in slabs; two 128 KiB reads with their headers fit into one. */
export const nbdSlabBytes = 256 * KiB + 4 * KiB;

export const exportBytesMax = Number.MAX_SAFE_INTEGER;

assert(
  nbdPayloadBytesMax + nbdSlabBytes <= nbdBytesInFlightMax,
  "one largest request and its reply fit into the budget",
);
assert(nbdNameBytesMax * 2 <= nbdOptionBytesMax, "an option can carry a longest name and queries beside it");
assert(nbdOptionBytesMax <= nbdOptionSkipBytesMax, "what is understood is never longer than what is skipped");
assert(nbdSlabBytes % blockBytes === 0, "slabs are whole blocks");
