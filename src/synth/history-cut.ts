/**
 * Takes back what was made of records that a group's history loses, as its pieces have a gap before them: snapshots would pass for
 * points of the records that get the same numbers next.
 */
import type { Objects } from "#src/store/objects.ts";
import { changeHistory, readHistory } from "./history-document.ts";
import { seqsOfSnapshots } from "./history-names.ts";
import { snapshotName } from "./snapshot-format.ts";

/** Nothing that is held, asked for or withdrawn lies behind `lastSeq` afterwards, and no snapshot. Before the pieces behind it go. */
export async function cutSnapshots(objects: Objects, group: string, lastSeq: number): Promise<void> {
  const { document, version, isOfCopy } = await readHistory(objects, group);
  const pins = document.pins.filter(({ seq }) => seq <= lastSeq);
  const withdrawn = document.withdrawn.filter((seq) => seq <= lastSeq);
  const asked = document.asked.filter((seq) => seq <= lastSeq);
  const { length } = [...document.pins, ...document.withdrawn, ...document.asked];
  const isSaid = !isOfCopy && pins.length + withdrawn.length + asked.length === length;
  if (!isSaid) await changeHistory(objects, group, { ...document, pins, withdrawn, asked }, version);
  // The newest first, since each may point into those before it.
  const behind = (await seqsOfSnapshots(objects, group)).filter((seq) => seq > lastSeq);
  for (const seq of behind.reverse()) await objects.remove(snapshotName({ group, seq }));
}
