/** Which snapshots of a group are there, by their names alone. */
import type { Objects } from "#src/store/objects.ts";
import { snapshotOfName, snapshotPrefix } from "./snapshot-format.ts";

/** The seqs of the snapshots whose objects are there, in their order. */
export async function seqsOfSnapshots(objects: Pick<Objects, "list">, group: string): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { name } of objects.list(snapshotPrefix(group))) {
    const identity = snapshotOfName(name);
    if (identity !== undefined) seqs.push(identity.seq);
  }
  return seqs;
}
