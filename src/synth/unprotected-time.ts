/**
 * Where a gap begins: a volume that went on without its appliance was written to before the record that says so, a `resync-begin`,
 * could come. Of that time there is no point of it, whatever other volumes of its group made points meanwhile. Reads only.
 */
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { decodeExtra, isOfBlocks, recordType } from "#src/records/record.ts";
import type { OpenTail } from "./open-tail.ts";
import type { SealedPoints } from "./sealed-points.ts";

/** When what a copy is for began; undefined: the record does not say, or no earlier than it comes. */
export function gapBeginOf({ type, extra, timeMicros }: JournalRecord): number | undefined {
  if (type !== recordType.resyncBegin) return undefined;
  const sinceMicros = decodeExtra(extra)?.sinceMicros;
  return Number.isSafeInteger(sinceMicros) && (sinceMicros as number) < timeMicros
    ? (sinceMicros as number)
    : undefined;
}

/** The record that ends the time without protection that a moment behind the record `seq` lies in; undefined: it lies in none. */
export async function gapEndBehind(
  parts: { readonly sealed: SealedPoints; readonly tail: OpenTail },
  volume: number,
  moment: { readonly seq: number; readonly timeMicros: number },
): Promise<JournalRecord | undefined> {
  for await (const record of nextOf(parts, volume, moment.seq)) {
    if (isOfBlocks(record.type)) return undefined;
    if (record.type !== recordType.resyncBegin) continue;
    const sinceMicros = gapBeginOf(record);
    return sinceMicros !== undefined && sinceMicros < moment.timeMicros ? record : undefined;
  }
  return undefined;
}

/**
 * What tells something of the volume behind a record. As a rule that is soon: volumes of a group share the appliance that one had lost.
 * But others may have gone on without it for as long as they like, and what each piece tells is kept in memory.
 */
async function* nextOf(
  { sealed, tail }: { readonly sealed: SealedPoints; readonly tail: OpenTail },
  volume: number,
  seq: number,
): AsyncGenerator<JournalRecord, void> {
  const isNext = (record: JournalRecord): boolean => record.volume === volume && record.seq > seq;
  const pieces = seq < sealed.lastSeq ? sealed.pieces.slice(Math.max(0, sealed.indexOf(seq))) : [];
  for (const identity of pieces) yield* (await sealed.events(identity)).records.filter(isNext);
  for (const { lastSeq, summary } of tail.chunks) {
    if (lastSeq > Math.max(seq, sealed.lastSeq)) yield* summary.events.filter(isNext);
  }
}
