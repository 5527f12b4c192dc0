/** Views and snapshots, as they are answered. */
import type { AwaitedSnapshot, MadeSnapshot, SnapshotFacts } from "../../../snapshot-facts.ts";
import type { ViewFacts } from "../../../view.ts";
import { choice, count, type FieldsOf, flag, list, number, object, optional, time, words } from "../../schema.ts";

export const viewFacts = object<ViewFacts>(
  {
    name: words("of its export"),
    volume: words("whose point it is"),
    group: words("of which group"),
    seq: count("of the point's record"),
    time: time("of it"),
    writable: flag("it may be written to; that goes aside"),
    leased: flag("it goes when nobody says any more that he holds it"),
    state: choice(["opening", "open", "put away", "failed"], "open: it can be attached"),
    why: optional(words("why it is not open, or cannot be written")),
    opened: time("when"),
    uri: words("where it is attached"),
    sizeBytes: optional(count("its size")),
    connections: count("of clients, over NBD"),
    writtenBytes: count("that were written aside"),
    changes: count("writes, trims and zeroings since it was opened for the first time"),
    findings: list(
      words("a finding"),
      "what cannot be read of the point, or of what was written to it, as far as it was met",
    ),
    note: optional(words("what else is to be said of its point; told when it is opened")),
  },
  "View",
);

const snapshotFields: FieldsOf<SnapshotFacts> = {
  seq: count("the last record that is in it"),
  time: optional(time("of that record")),
  epoch: optional(count("of the order")),
  point: optional(flag("the volume that was asked after has a point there")),
  isAsked: flag("somebody has asked for it: it stays a point for as long as it is there"),
  sizeBytes: optional(count("that it takes itself")),
  nodes: optional(count("of its trees")),
  pointersToJournal: optional(count("to blocks in the journals")),
  pointersToSnapshots: optional(count("into earlier snapshots")),
  madeOf: optional(count("the one it was made of; 0: none")),
  pointsInto: optional(list(count("seq"), "earlier ones that it points into")),
  layers: optional(count("of the volume that was asked after")),
  isFirst: flag("the history begins with it"),
  heldBy: list(words("a pin"), "what holds it, or all from a point before it on"),
  damage: optional(words("why it cannot be read")),
};

export const snapshotFacts = object<SnapshotFacts>(snapshotFields, "Snapshot");

export const madeSnapshot = object<MadeSnapshot>(
  { ...snapshotFields, isNew: flag("it was not there already"), seconds: number("that making it took") },
  "MadeSnapshot",
);

export const awaitedSnapshot = object<AwaitedSnapshot>({
  seq: count("ask for it by this"),
  storedSeq: count("records up to there are sealed"),
  unsealedBytes: count("that wait to be sealed"),
  why: optional(words("why sealing does not get on just now")),
});
