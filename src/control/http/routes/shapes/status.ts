/** All that there is to know, as it is answered. */
import type { StatusReport } from "../../../control-plane.ts";
import { type RemoteGroupFacts, roleNames, type StoreFacts } from "../../../role.ts";
import type { StoreState } from "../../../store-state.ts";
import { anything, choice, count, flag, list, number, object, optional, record, words } from "../../schema.ts";
import { groupReport } from "./group.ts";
import { jobReport } from "./job.ts";
import { volumeReport } from "./volume.ts";

const remoteGroup = object<RemoteGroupFacts>(
  {
    id: words("made by chance, for life"),
    name: words("its name"),
    epoch: count("of its order"),
    state: choice(["opening", "open", "full", "stopped"], "open: it takes what comes"),
    why: optional(words("why it is not open")),
    peer: optional(words("the local appliance that is connected")),
    timeMicros: number("of the last record, in microseconds since 1970; 0: there is none"),
    received: count("the last record that was received"),
    durable: count("that is durable"),
    stored: count("that the store has"),
    journalBytes: count("what was there at the start, and what has landed since"),
    segmentCount: count("data segments that are not sealed"),
    unsealedBytes: count("of closed segments that are not in the store yet"),
    sealWhy: optional(words("why the oldest of them is not")),
    isSealStuck: optional(flag("that does not pass by itself")),
    volumes: list(anything<RemoteGroupFacts["volumes"][number]>("what the journals say of it"), "its volumes"),
    aggregateCount: count("aggregates taken since the journals were opened"),
    aggregateFoldedBytes: count("that they left out because they were overwritten"),
    landedRecords: optional(count("taken since then")),
    landedBytes: optional(count("of what they came in")),
    checksumErrors: count("what did not arrive as it was sent, or is not what was written, since the start"),
    journalErrors: optional(count("of these, blocks that were read back")),
  },
  "RemoteGroup",
);

const sizes = {
  segmentCount: count("sealed data segments"),
  logicalBytes: count("of blocks that were written, however often they have the same content"),
  uniqueBytes: count("of blocks that are kept"),
  physicalBytes: count("of the objects"),
  damagedBlocks: count("that cannot be read"),
};

const milliseconds = (what: string) => optional(number(`${what}, in milliseconds since 1970`));

const storeState = object<StoreState>({
  counts: optional(anything<NonNullable<StoreState["counts"]>>("what the metrics are made of")),
  sizes: optional(object<NonNullable<StoreState["sizes"]>>(sizes)),
  sizesMs: milliseconds("when that was counted"),
  windows: list(
    object<StoreState["windows"][number]>({
      group: words("its id"),
      fromSeq: count("the oldest record that is kept"),
      oldestMicros: optional(number("of that record, in microseconds since 1970")),
      forecast: optional(
        anything<NonNullable<StoreState["windows"][number]["forecast"]>>("how far back the room will reach"),
      ),
    }),
    "how far back each group can be had",
  ),
  kept: optional(anything<NonNullable<StoreState["kept"]>>("what is kept of each volume, and quotas")),
  scrub: object<StoreState["scrub"]>({
    lastEndedMs: milliseconds("when the last one ended"),
    isUnderWay: flag("one is under way"),
    findings: count("that were not repaired"),
    damagedBlocks: count("of these"),
  }),
  synthesis: object<StoreState["synthesis"]>({
    made: count("snapshots since the start"),
    failed: count("that could not be made"),
    seconds: number("that making them took"),
    lastSeconds: number("that the last one took"),
    pointersToJournal: count("to blocks in the journals"),
    pointersToSnapshots: count("into earlier snapshots"),
    writtenBytes: count("of their objects"),
  }),
  collection: object<StoreState["collection"]>({
    lastMs: milliseconds("when the last one was"),
    freedBytes: number("by the last one"),
    isUnderWay: flag("one is under way"),
  }),
});

const store = object<StoreFacts>(
  {
    segmentCount: count("sealed data segments"),
    sealed: object<StoreFacts["sealed"]>(sizes),
    state: optional(storeState),
    jobTroubles: list(words("a trouble"), "works that went wrong, or have found what a person must see"),
    trouble: optional(words("why nothing gets done there")),
    job: optional(jobReport),
  },
  "Store",
);

export const statusReport = object<StatusReport>(
  {
    version: words("of the program"),
    roles: list(choice(roleNames, "a role"), "that run here"),
    ready: flag("everything here takes writes"),
    why: optional(words("why not")),
    problems: list(words("a problem"), "what else is not as it should be"),
    silent: list(
      object<StatusReport["silent"][number]>({
        side: choice(["local", "remote"], "which"),
        seconds: count("for so long"),
      }),
      "sides that owe an answer: what is shown of them is what they last told",
    ),
    volumes: list(volumeReport, "all volumes"),
    groups: list(groupReport, "as the local appliance has them"),
    remoteGroups: list(remoteGroup, "as the remote appliance has them"),
    store: optional(store),
    nbd: list(words("an NBD URI"), "where hosts attach volumes, each by its name"),
    wire: optional(words("where local appliances find the remote one that runs here")),
    counters: record(count("since the start"), "true at this moment, whatever else is silent"),
  },
  "Status",
);
