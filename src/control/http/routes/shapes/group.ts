/** Groups, as the local appliance tells of them. */
import type { MarkReport } from "../../../control-plane.ts";
import type { VolumeLevel } from "../../../level-words.ts";
import type { GroupReport } from "../../../readiness.ts";
import { wantedModes } from "../../../role.ts";
import type { SpoolMove } from "../../../spool-move.ts";
import { choice, count, flag, list, number, object, optional, time, words } from "../../schema.ts";

export const modes = ["sync", "async", "aggregated"] as const;

type Levels = NonNullable<GroupReport["levels"]>;
type Switches = NonNullable<GroupReport["modeSwitches"]>;
type LastSwitches = NonNullable<GroupReport["lastSwitches"]>;

const groupFields = {
  id: words("made by chance, for life"),
  name: words("its name"),
  mode: choice(modes, "how writes are acknowledged now; sync only once all before it is durable at the remote"),
  wantedMode: choice(wantedModes, "what was asked for"),
  state: choice(["steady", "draining", "stalled", "suspended", "tracking", "stopped"], "what it is doing"),
  why: optional(words("why it is not steady")),
  refusal: optional(words("why the remote does not let it in")),
  suspendedSinceSeq: optional(count("sync goes on without the remote since this record")),
  volumeNames: list(
    words("its name"),
    "of its volumes; of a local appliance that runs alone also of those removed of which it has not heard yet",
  ),
  missingVolumes: optional(list(words("its name"), "those of them that no interceptor has at this moment")),
  levels: optional(
    list(
      object<Levels[number]>({ volume: words("its name"), seconds: number("between its points") }),
      "of volumes that are not at every write",
    ),
  ),
  epoch: count("grows when the order begins anew"),
  lastSeq: count("of the last record"),
  spoolDurableSeq: count("the last record that the spool has durably"),
  spoolBytes: count("that the spool takes"),
  spoolLimitBytes: count("that it may take"),
  pressure: number("from 0 to 1: how hard writers are slowed"),
  linkUp: flag("the remote appliance can be reached"),
  linkWhy: optional(words("why not")),
  received: count("the last record that the remote has received"),
  durable: count("that it has durably"),
  stored: count("that its store has"),
  shippedBytes: count("sent since the start"),
  wireBytes: count("what that came to on the wire"),
  wireFrames: optional(count("in so many frames")),
  aggregates: count("sent since the start"),
  foldedBytes: count("overwritten before they were sent, and so never sent"),
  lagRecords: count("that are not durable at the remote"),
  lagBytes: count("likewise"),
  lagSeconds: number("the age of the oldest of them"),
  durableMicros: optional(number("all that was written before that moment is durable at the remote")),
  modeSwitches: optional(
    list(
      object<Switches[number]>({
        from: choice(modes, "before"),
        to: choice(modes, "after"),
        why: choice(["asked", "auto", "link-lost", "link-back"], "who or what has switched"),
        count: count("so often"),
      }),
      "since the start",
    ),
  ),
  lastSwitches: optional(
    list(
      object<LastSwitches[number]>({
        from: choice(modes, "before"),
        to: choice(modes, "after"),
        why: words("the reason; one of auto begins with auto"),
        seq: count("of its record"),
      }),
      "the last ones since the start, the newest last; one to sync holds when mode says so",
    ),
  ),
  volumes: optional(count("how many it has, where that is known")),
} satisfies Parameters<typeof object<GroupReport>>[0];

export const groupReport = object<GroupReport>(groupFields, "Group");

export const spoolMove = object<SpoolMove>(
  {
    ...groupFields,
    stillFenced: optional(
      list(
        object<NonNullable<SpoolMove["stillFenced"]>[number]>({ volume: words("its name"), why: words("what for") }),
        "its volumes that are fenced, whatever for: those that the group had fenced were tried to be taken back to work",
      ),
    ),
  },
  "SpoolMove",
);

export const markReport = object<MarkReport>(
  {
    group: words("the group it stands in"),
    name: words("what it is called"),
    quiesced: flag("applications were at rest"),
    epoch: count("of the order"),
    seq: count("of its record: a point of every volume of the group"),
    time: time("of its record"),
  },
  "Mark",
);

export const volumeLevel = object<VolumeLevel>(
  {
    volume: words("its name"),
    group: words("the group it belongs to"),
    level: words("as it is written: every-write, 10s, 1m, 1h"),
    seconds: number("the same in seconds; 0: every write"),
    finer: list(words("its name"), "other volumes of the group whose points are closer: these count for all of them"),
  },
  "Level",
);
