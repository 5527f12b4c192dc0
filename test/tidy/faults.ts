/**
 * What Tidemark has to survive, numbered. A test that shows how it does has the numbers in its name, as `fault 7: …` or
 * `faults 7, 8 and 9: …`; docs/reliability.md is put together from this list and from those names.
 */
export interface Fault {
  readonly number: number;
  readonly part: FaultPart;
  /** What goes wrong. */
  readonly title: string;
  /** What somebody outside sees of it. */
  readonly outcome: string;
  /** What is not built, or not shown, as yet. Whoever has no such excuse has a test. */
  readonly missing?: string;
}

export const faultParts = [
  "Processes",
  "Power and disks",
  "The network",
  "Clocks and versions",
  "Hostile peers",
  "Resources and operators",
] as const;
export type FaultPart = (typeof faultParts)[number];

const processes: readonly Omit<Fault, "part">[] = [
  {
    number: 1,
    title: "A process dies before a write is in the spool",
    outcome: "The write is nowhere, and nobody was told that it was made.",
  },
  {
    number: 2,
    title: "A process dies in the middle of a record",
    outcome: "The part that is there is dropped, counted and logged; nobody was told that the write was made.",
  },
  {
    number: 3,
    title: "A process dies when a write is kept, before the answer has left",
    outcome: "The write is there afterwards. A host that tries again does no harm.",
  },
  {
    number: 4,
    title: "The remote dies between payload and metadata",
    outcome: "The payload is seen by nobody, and its place is never given again.",
  },
  {
    number: 5,
    title: "The remote has a record, and its acknowledgement is lost",
    outcome: "The record is sent again and applied once.",
  },
  {
    number: 6,
    title: "A process dies in the middle of a switch of the mode",
    outcome: "The mode is the old one or the new one, and it is the one that the order of records speaks of.",
  },
  {
    number: 7,
    title: "A process dies while it makes a snapshot, an export or a sealed segment",
    outcome: "Nothing that is half made is ever listed.",
  },
  {
    number: 8,
    title: "A process dies while it collects what nobody needs any more",
    outcome: "All that is retained still verifies.",
  },
  {
    number: 9,
    title: "A process dies again and again while it recovers",
    outcome: "The outcome is that of a single recovery.",
  },
];

const disks: readonly Omit<Fault, "part">[] = [
  {
    number: 10,
    title: "The power goes, and what was not synced is lost, names of files too",
    outcome: "Only what nobody had promised is gone.",
  },
  {
    number: 11,
    title: "The power goes, and sectors are torn or reached the disk in another order",
    outcome: "The unpromised end is dropped, and nothing before it.",
  },
  {
    number: 12,
    title: "Something is damaged that sound records come after",
    outcome: "It is told from an end, and work stops there in words. Nothing is cut off silently.",
  },
  {
    number: 13,
    title: "A sync fails",
    outcome:
      "The host gets an error, the volume or the group stops, and the sync is not tried again to be believed then.",
  },
  {
    number: 14,
    title: "The system writes or reads less than it was asked to, or is interrupted",
    outcome: "The rest follows, or the request fails. Nothing counts as done by halves.",
  },
  {
    number: 15,
    title: "The disk of the source or of the spool is full",
    outcome: "Writers wait or are told so, reads go on, and work goes on by itself when there is room.",
  },
  {
    number: 16,
    title: "The disk of the remote is full",
    outcome: "The lag grows and is shown, nothing is lost or doubled, and all goes on when there is room.",
  },
  {
    number: 17,
    title: "A disk stands still for a long time",
    outcome: "Memory stays bounded, the control API answers and says who is silent, and all goes on afterwards.",
  },
  {
    number: 18,
    title: "A bit has flipped in anything that is kept",
    outcome: "It is found. What it covers is an error or stops the work in words; never wrong bytes, never zeros.",
  },
  {
    number: 19,
    title: "A stale or misplaced block has a right checksum",
    outcome: "It is found, since the checksum is bound to volume and place.",
  },
  {
    number: 20,
    title: "An old image of a disk is put back",
    outcome:
      "What both sides know of each other does not fit. It is refused, with what to do, and a resync mends it on request.",
  },
  {
    number: 21,
    title: "Object storage fails, is late, or answers with something else",
    outcome: "Requests that can be repeated are, and what comes is checked.",
    missing: "a store that is not a folder: the tests have a faulty one between store and folder.",
  },
];

const network: readonly Omit<Fault, "part">[] = [
  {
    number: 22,
    title: "The link between the sites is cut",
    outcome: "In sync the policy decides, in async the lag grows and is shown. The link comes back by itself.",
  },
  {
    number: 23,
    title: "The other side is gone and no packet says so",
    outcome: "The heartbeat finds it out.",
  },
  {
    number: 24,
    title: "Frames are doubled, out of order, missing or played again",
    outcome: "Records are applied once; a gap ends the connection, and the next one brings what is missing.",
  },
  {
    number: 25,
    title: "Frames are altered on their way",
    outcome: "They are rejected, counted and sent again.",
  },
  {
    number: 26,
    title: "Two local appliances write to one group",
    outcome: "The older one is refused.",
  },
  {
    number: 27,
    title: "The link comes and goes a thousand times",
    outcome: "No descriptor, timer or memory is left behind.",
  },
];

const clocks: readonly Omit<Fault, "part">[] = [
  {
    number: 28,
    title: "The clock jumps, back or forward",
    outcome: "The order is that of the seqs, times of records never go back, the link stands, and a jump is recorded.",
  },
  {
    number: 29,
    title: "A peer or a file on disk has another version",
    outcome: "It is refused in words before anything is written.",
  },
];

const hostile: readonly Omit<Fault, "part">[] = [
  {
    number: 30,
    title: "An NBD client misbehaves in the handshake",
    outcome: "It gets an error or a closed connection within its time. Memory stays bounded, others are served.",
  },
  {
    number: 31,
    title: "An NBD client sends requests that are not valid",
    outcome: "Each gets the error that the protocol names, or ends its own connection.",
  },
  {
    number: 32,
    title: "Plain text comes behind STARTTLS, or requests before TLS and proof",
    outcome: "Nothing of it counts.",
  },
  {
    number: 33,
    title: "A peer on the wire sends bombs, garbage, or what is not its own",
    outcome: "It is refused with a line in the log. Memory stays bounded, and the others are not harmed.",
  },
  {
    number: 34,
    title: "An HTTP client is slow, too long, or asks for names that lead elsewhere",
    outcome: "It gets an answer of 4xx or a closed connection. Names are looked up and never become paths.",
  },
  {
    number: 35,
    title: "Secrets come near logs, errors and reports",
    outcome: "They are left out.",
  },
  {
    number: 36,
    title: "A tenant asks whether somebody else's data is there",
    outcome: "The remote fingerprints every block itself and answers no such question.",
  },
];

const resources: readonly Omit<Fault, "part">[] = [
  {
    number: 37,
    title: "Descriptors, memory or connections run out",
    outcome: "New load is turned away, those who are connected are served, and what was acknowledged is intact.",
    missing: "a limit that the system sets on memory: who goes beyond it is killed, which is tried as a kill.",
  },
  {
    number: 38,
    title: "A second process is started on the same data",
    outcome: "It does not start, and says who has the data.",
  },
  {
    number: 39,
    title: "Somebody restores onto a live volume, or deletes one that is protected",
    outcome: "It takes a confirmation that names the volume.",
  },
  {
    number: 40,
    title: "A certificate has expired, or a key is the wrong one",
    outcome: "The connection is closed, and it is said why.",
    missing: "a certificate that ends while a connection stands on it.",
  },
];

function inPart(part: FaultPart, faults: readonly Omit<Fault, "part">[]): Fault[] {
  return faults.map((fault) => ({ ...fault, part }));
}

export const faults: readonly Fault[] = [
  ...inPart("Processes", processes),
  ...inPart("Power and disks", disks),
  ...inPart("The network", network),
  ...inPart("Clocks and versions", clocks),
  ...inPart("Hostile peers", hostile),
  ...inPart("Resources and operators", resources),
];
