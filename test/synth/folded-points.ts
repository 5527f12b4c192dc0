/** What a history that was folded must still say, by the records that it had before. */
import { recordType } from "#src/records/record.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { type PlainRecord, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import { differencesOf } from "./snapshot-world.ts";
import { applyTo } from "./story-checks.ts";

/** Behind which records there is a point. */
export function pointsOf(records: readonly Pick<PlainRecord, "isAggregated" | "type" | "seq">[]): number[] {
  const points = records.filter(({ isAggregated, type }) => !isAggregated || type === recordType.aggregate);
  return points.map(({ seq }) => seq);
}

/** Whatever record an address is of: what was folded is of the last one of its interval. */
export async function differentAddresses(snapshot: Snapshot, records: readonly PlainRecord[]): Promise<string[]> {
  return (await differencesOf(snapshot, records)).filter((line) => {
    const [, wanted, scanned, lookedUp] =
      /: (.*), scanned (.*), looked up (.*)$/.exec(line.replaceAll(/ by \d+/g, "")) ?? [];
    return wanted !== scanned || wanted !== lookedUp;
  });
}

/** What is wrong with the states behind these records, where what is left is applied to the state of the base. */
export function stateFindings(
  { records, left, basedOn }: { records: readonly PlainRecord[]; left: readonly PlainRecord[]; basedOn: number },
  seqs: readonly number[],
): string[] {
  return seqs.flatMap((seq) => {
    const expected = stateAfter(records, 0, seq);
    const found = stateAfter(records, 0, basedOn);
    for (const record of left) if (record.seq > basedOn && record.seq <= seq) applyTo(found, record);
    const place = expected.findIndex((address, at) => address !== found[at]);
    if (place < 0) return [];
    const block = `block ${place % volumeBlocks} of volume ${Math.floor(place / volumeBlocks)}`;
    return [`${block} is at ${found[place]} after record ${seq}, and was at ${expected[place]}`];
  });
}

function stateAfter(records: readonly PlainRecord[], afterSeq: number, seq: number): Float64Array {
  const state = new Float64Array((volumeCount + 1) * volumeBlocks);
  for (const record of records) if (record.seq > afterSeq && record.seq <= seq) applyTo(state, record);
  return state;
}
