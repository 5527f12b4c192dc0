/** What lies in a snapshot's object, as it is answered. */
import type {
  SnapshotDescriptionItem,
  SnapshotFlawItem,
  SnapshotItem,
  SnapshotPointersItem,
  SnapshotSourceItem,
  SnapshotVolumeItem,
} from "#src/synth/snapshot-description.ts";
import { choice, count, flag, number, object, oneOfKinds, optional, words } from "../../schema.ts";

const snapshot = object<SnapshotItem>({
  kind: choice(["snapshot"], "the object itself"),
  object: words("its name"),
  sizeBytes: count("its size"),
  group: words("the id of the group"),
  seq: count("the last record that is in it"),
  epoch: count("of the order"),
  timeMicros: number("of that record, in microseconds since 1970"),
  baseSeq: count("the snapshot that it was made of; 0: none"),
  nodeCount: count("of its trees"),
  nodeBytes: count("that these take"),
});

const volume = object<SnapshotVolumeItem>({
  kind: choice(["volume"], "a volume of the group"),
  volume: count("its number within the group"),
  name: optional(words("its name")),
  id: optional(words("made by chance, for life")),
  sizeBytes: optional(count("its size there")),
  isPoint: flag("it has a point there"),
});

const source = object<SnapshotSourceItem>({
  kind: choice(["source"], "an earlier snapshot without whose object it cannot be read"),
  seq: count("the last record in that one"),
  usedNodes: count("of its trees, those that are used"),
  usedBytes: count("that these take"),
  nodeBytes: count("that all of its nodes take"),
});

const pointers = object<SnapshotPointersItem>({
  kind: choice(["pointers"], "pointers of its table and its trees"),
  into: choice(["journal", "snapshot"], "where they lead"),
  level: optional(count("of the journal")),
  firstSegment: optional(count("of the journal")),
  lastSegment: optional(count("of the journal")),
  blocks: optional(count("of the journal")),
  seq: optional(count("of the snapshot")),
  pointers: count("so many"),
});

const flaw = object<SnapshotFlawItem>({
  kind: choice(["flaw"], "what cannot be read of it"),
  message: words("what and why"),
});

export const snapshotItem = oneOfKinds<SnapshotDescriptionItem>({ snapshot, volume, source, pointers, flaw });
