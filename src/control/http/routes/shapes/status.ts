/** All that there is to know, as it is answered. */
import type { StatusReport } from "../../../control-plane.ts";
import { type RemoteGroupFacts, roleNames, type StoreFacts } from "../../../role.ts";
import { choice, count, flag, list, number, object, optional, record, words } from "../../schema.ts";
import { groupReport } from "./group.ts";
import { jobReport } from "./job.ts";
import { sizes, storeState } from "./store-state.ts";
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
    volumes: list(
      object<RemoteGroupFacts["volumes"][number]>({
        number: count("within the group, from 1 on"),
        id: words("made by chance, for life"),
        name: words("its name"),
        sizeBytes: count("its size"),
        level: optional(number("the seconds between its points; absent: every write is one")),
      }),
      "its volumes, as the journals say",
    ),
    aggregateCount: count("aggregates taken since the journals were opened"),
    aggregateFoldedBytes: count("that they left out because they were overwritten"),
    landedRecords: optional(count("taken since then")),
    landedBytes: optional(count("of what they came in")),
    checksumErrors: count("what did not arrive as it was sent, or is not what was written, since the start"),
    journalErrors: optional(count("of these, blocks that were read back")),
  },
  "RemoteGroup",
);

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
    clockMilliseconds: count("of the clock that notAfterMilliseconds of a mark goes by; nobody sets it"),
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
