/** What one look over the spool tells of a group: its volumes' last ordinals, its last time, its mode. */
import { decodeExtra, recordType } from "#src/records/record.ts";
import type { Mode } from "./mode-machine.ts";
import { OrdinalMap } from "./ordinal-map.ts";
import type { Spool } from "./spool.ts";

export interface SpoolFacts {
  readonly ordinals: ReadonlyMap<number, OrdinalMap>;
  /** Undefined: no switch is in the spool any more. */
  readonly mode: Mode | undefined;
}

export async function readSpoolFacts(spool: Spool): Promise<SpoolFacts> {
  const ordinals = new Map<number, OrdinalMap>();
  let mode: Mode | undefined;
  await spool.scan(0, (record, buffer) => {
    if (record.ordinal > 0) {
      let map = ordinals.get(record.volume);
      if (map === undefined) {
        map = new OrdinalMap();
        ordinals.set(record.volume, map);
      }
      map.add(record.ordinal, record.seq);
    } else if (record.type === recordType.mode) {
      const content = decodeExtra(buffer.subarray(record.extraAt, record.extraAt + record.extraBytes));
      if (content?.to === "sync" || content?.to === "async") mode = content.to;
    }
  });
  return { ordinals, mode };
}
