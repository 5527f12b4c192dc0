/** What a scrub has found, as it is answered. */
import { type AffectedBlocks, damagedThings, type ScrubFinding } from "#src/store/scrub-finding.ts";
import type { SlotRange } from "#src/store/slot-ranges.ts";
import { choice, count, flag, list, number, object, optional, words } from "../../schema.ts";

const affected = object<AffectedBlocks>({
  group: words("its id"),
  volume: count("its number within the group"),
  startBlock: count("the first of the blocks"),
  blockCount: count("so many"),
  fromSeq: count("they are seen from this record on"),
  fromMicros: number("of that record, in microseconds since 1970"),
  untilSeq: optional(count("the record that has written over them; absent: they still are")),
  untilMicros: optional(number("of that record, in microseconds since 1970")),
});

export const scrubFinding = object<ScrubFinding>(
  {
    object: words("of the store"),
    thing: choice(damagedThings, "what of the object is damaged"),
    finding: words("what was found at the first of them"),
    count: count("parts, blocks, forwards or pointers"),
    slots: list(
      object<SlotRange>({ slot: count("the first of them"), count: count("so many") }),
      "of a segment: those that cannot be read for it",
    ),
    seqs: optional(
      object<NonNullable<ScrubFinding["seqs"]>>({ first: count("of its record"), last: count("of its record") }),
    ),
    foundMicros: number("when it was found first, in microseconds since 1970"),
    affected: optional(list(affected, "blocks of volumes that cannot be read, and at which points")),
    isAffectedCut: optional(flag("there are more of those, or nobody can tell whether there are")),
    obstacle: words("why it could not be repaired"),
  },
  "ScrubFinding",
);
