/** The bounds of the control API's edge: of what is asked, and of what is kept for those who listen or look later. */
import { assert } from "./assert.ts";
import { KiB, MiB } from "./limits.ts";

export const httpHeadersMax = 100;
/** On one connection, while the first of them is not answered yet. */
export const httpUnansweredMax = 32;

// Tokens
export const apiTokensMax = 256;
/** Of chance: nobody finds one by trying, so a plain digest is enough to keep. */
export const apiTokenBytes = 32;
export const apiTokenSecondsMax = 10 * 365 * 86_400;

// The audit log: two files, the older of which goes when the newer one is full.
export const auditFileBytesMax = 4 * MiB;
export const auditLineBytesMax = 8 * KiB;
/** So long an order waits for its entry to be durable; on a bad day it is carried out all the same. */
export const auditPatienceMs = 1_000;
/** Of callers who were turned away, one entry in so long: with the number of those that have none. */
export const auditRefusalEveryMs = 10_000;
export const auditEntriesUsual = 100;
export const auditEntriesMax = 1_000;

assert(auditLineBytesMax * auditEntriesMax <= 2 * auditFileBytesMax, "the most that is asked for can be there");

// Its certificate
/** So often the files of the one that is shown are looked at: who renews them need tell nobody. */
export const certificateLookMs = 60_000;

// What the status says
/** Hosts for which nothing was done for so long wait for a disk that stands still. */
export const hostWaitSecondsMax = 10;

// The stream of events
export const eventsKeptMax = 1_024;
export const eventsKeptBytesMax = 1 * MiB;
/** As it lies in the file of events; a longer one is not kept there. */
export const eventLineBytesMax = 8 * KiB;
export const eventHeadBytes = 512;
export const eventFileBytes = 1216 * KiB;
/** So long what was written there waits for a sync. */
export const eventSyncMs = 1_000;
/** And so long, after a sync has failed, until it is opened anew. */
export const eventReopenMs = 10_000;
/** At the end of the program. */
export const eventPatienceMs = 1_000;
export const eventListenersMax = 64;
/** Of what a listener has not taken yet: all that is kept, and as much again. Then he is dropped. */
export const eventBufferBytesMax = 2 * eventsKeptBytesMax;
/** Listeners have nothing to say. */
export const eventMessageBytesMax = 1 * KiB;
export const eventBeatMs = 15_000;
/** Whoever listens gives up when he hears nothing for so long. */
export const eventSilenceMs = 3 * eventBeatMs;
export const eventWatchMs = 1_000;
/** The remote appliance lags from the first on, until it lags less than the second. */
export const lagEventSeconds = 10;
export const lagEventOverSeconds = 5;

/** What a line says besides its event, and its checksum. */
const eventLineMoreBytes = 128;
assert(
  eventHeadBytes + eventsKeptBytesMax + eventsKeptMax * eventLineMoreBytes + eventLineBytesMax <= eventFileBytes,
  "what is kept in memory is found again after a restart",
);

// The end of the server
/** What was asked before may take so long; whoever is connected then is hung up on. */
export const httpCloseMs = 3_000;
