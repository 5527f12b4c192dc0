/** What a group's history says of its volumes, part by part: that of its pieces behind the base, and of what is not sealed. */
import { recordType } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { SealedPoints } from "./sealed-points.ts";
import type { TailChunk } from "./tail-chunk.ts";
import type { TimelinePart } from "./volume-timeline.ts";

/** `chunks`: behind the pieces, and up to the record `newestSeq`. */
export async function* historyParts(
  sealed: SealedPoints,
  chunks: readonly TailChunk[],
  newestSeq: number,
): AsyncGenerator<TimelinePart, void> {
  const { basedOn } = sealed.history;
  for (const identity of sealed.pieces) {
    const { records, hasAggregates, damaged } = await sealed.events(identity);
    const held = await sealed.held(identity);
    const isRead = !(held instanceof ObjectDamageError);
    yield {
      firstSeq: Math.max(identity.firstSeq, basedOn + 1),
      fromMicros: isRead ? held.piece.numbers.earliestMicros : 0,
      level: isRead ? held.piece.level : 0,
      isFolded: identity.folded !== undefined,
      hasAggregates,
      // A mark at the base is one of its points; all else there the snapshot says.
      records: records.filter(({ seq, type }) => seq > basedOn || (seq === basedOn && type === recordType.mark)),
      damaged,
    };
  }
  for (const chunk of chunks) {
    const { events, hasAggregates, firstPoint } = chunk.summary;
    const records = events.filter(({ seq }) => seq > sealed.lastSeq && seq <= newestSeq);
    const fromMicros = firstPoint?.timeMicros ?? 0;
    yield {
      firstSeq: Math.max(chunk.firstSeq, sealed.lastSeq + 1),
      fromMicros,
      level: 0,
      isFolded: false,
      hasAggregates,
      records,
      damaged: [],
    };
  }
}
