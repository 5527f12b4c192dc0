/** What can be restored, as it is answered. */
import type { DensityReport, PointReport } from "../../../density.ts";
import type { DifferencePoint, DifferenceReport, DifferentRange } from "../../../difference.ts";
import { type DrillReport, type DrillsReport, drillOutcomes, type WaitingDrill } from "../../../drill.ts";
import type {
  DamagedRange,
  HistoryDrill,
  HistoryEvent,
  HistoryMark,
  HistoryRange,
  HistorySnapshot,
  PointsReport,
  TimelineReport,
} from "../../../volume-history.ts";
import {
  choice,
  count,
  type FieldsOf,
  flag,
  list,
  nullable,
  number,
  object,
  optional,
  record,
  scalar,
  time,
  words,
} from "../../schema.ts";

const range = object<HistoryRange>({
  kind: words("points: there are some; otherwise why there are none: resync, first-copy, joined"),
  granularity: optional(
    words<NonNullable<HistoryRange["granularity"]>>("every-write, aggregate, or seconds with an s"),
  ),
  firstSeq: count("of its first record"),
  lastSeq: count("of its last"),
  from: time("of its first record"),
  to: time("of its last"),
});

const pointsFields: FieldsOf<PointsReport> = {
  volume: words("its name"),
  newest: nullable(
    object<NonNullable<PointsReport["newest"]>>({ seq: count("of the last durable record"), time: time("of it") }),
  ),
  ranges: list(range, "from the oldest on"),
  marks: list(
    object<HistoryMark>({
      name: words("what it is called"),
      seq: count("of its record"),
      time: time("of its record"),
      quiesced: flag("applications were at rest"),
      point: flag("the volume has a point there"),
    }),
    "marks of the group",
  ),
  snapshots: list(
    object<HistorySnapshot>({ seq: count("the last record in it"), time: optional(time("absent: it is damaged")) }),
    "snapshots of the group",
  ),
  drills: list(
    object<HistoryDrill>({
      seq: count("the point"),
      time: time("of its record"),
      outcome: choice(drillOutcomes, "what the last drill there came to"),
      command: words("which command"),
      why: optional(words("why it failed")),
      point: flag("the volume still has a point there"),
    }),
    "points that were tested",
  ),
  damaged: list(
    object<DamagedRange>({
      firstSeq: count("of its first record"),
      lastSeq: count("of its last"),
      finding: words("what is damaged"),
    }),
    "what cannot be read",
  ),
  cut: flag("there is more, of before, than is told at once"),
  earlier: optional(list(words("a volume"), "what else the name stood for before it was removed and added again")),
};

export const pointsReport = object<PointsReport>(pointsFields, "Points");

export const timelineReport = object<TimelineReport>(
  {
    ...pointsFields,
    events: list(
      object<HistoryEvent>({
        seq: count("of its record"),
        time: time("of its record"),
        type: words("what it is about"),
        says: record(scalar("as its record says it"), "what it says"),
      }),
      "modes, levels, sizes, epochs",
    ),
  },
  "Timeline",
);

export const densityReport = object<DensityReport>(
  {
    volume: words("its name"),
    from: time("where the first bucket begins"),
    to: time("where the last one ends"),
    bucketSeconds: number("of each"),
    writes: list(count("writes, trims and zeroings"), "of each bucket"),
    bytes: list(count("their bytes"), "of each bucket"),
    lastSeqs: list(count("0: there was none"), "the last record of the volume in each bucket"),
    estimated: flag("the numbers are in proportion to some of the records: there are too many"),
  },
  "Density",
);

export const pointReport = object<PointReport>(
  {
    volume: words("its name"),
    seq: count("of the point's record"),
    time: time("of it"),
    mark: optional(words("where it is a mark, its name")),
    snapshot: flag("it is a snapshot"),
    note: optional(words("what else is to be said of it")),
  },
  "Point",
);

const differencePoint = object<DifferencePoint>({
  seq: count("of the point's record"),
  time: time("of it"),
  sizeBytes: count("of the volume there"),
});

export const differenceReport = object<DifferenceReport>(
  {
    volume: words("its name"),
    from: differencePoint,
    to: differencePoint,
    ranges: list(
      object<DifferentRange>({
        offset: count("in bytes"),
        length: count("in bytes"),
        kind: choice(["data", "zeros"], "what it is at the later point"),
      }),
      "in their order",
    ),
    next: optional(count("where to ask for more; absent: these are all")),
  },
  "Difference",
);

export const drillReport = object<DrillReport>(
  {
    id: count("given once"),
    volume: words("which volume"),
    group: words("of which group"),
    seq: optional(count("the point; absent: none could be opened")),
    time: optional(time("of its record")),
    outcome: choice(drillOutcomes, "what it says of the point"),
    command: words("which command"),
    why: optional(words("why it failed")),
    by: choice(["operator", "schedule"], "who has asked for it"),
    started: time("when it was begun"),
    seconds: number("how long it took"),
    point: optional(flag("the volume still has a point there; absent: nobody could say it")),
  },
  "Drill",
);

export const drillsReport = object<DrillsReport>({
  drills: list(drillReport, "the newest last"),
  waiting: list(
    object<WaitingDrill>({
      volume: words("its name"),
      group: words("of which group"),
      why: words("why it has no point yet"),
    }),
    "volumes of which drills by themselves have nothing to prove yet",
  ),
});
