/**
 * What one look over the spool tells of a group: its volumes' last ordinals and cuts, the modes that its records were added under, and the
 * marks that may be on their way still.
 */
import { marksOnTheWayMax } from "#src/core/point-limits.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";
import { type ModeChange, ModeHistory } from "./mode-history.ts";
import { askedFor, isMode, type Mode } from "./mode-machine.ts";
import { OrdinalMap } from "./ordinal-map.ts";
import type { Spool } from "./spool.ts";
import { VolumeCuts } from "./volume-cuts.ts";

export interface SpoolFacts {
  readonly ordinals: ReadonlyMap<number, OrdinalMap>;
  readonly cuts: VolumeCuts;
  readonly modes: ModeHistory;
  /** Of the newest record. */
  readonly mode: Mode;
  /** The newest switch in the spool is one that somebody had asked for. */
  readonly wasAskedFor: boolean;
  readonly marks: readonly FoundMark[];
}

/** The last of its name in the spool. */
export interface FoundMark {
  readonly name: string;
  readonly seq: number;
}

export interface MarkOnTheWay extends FoundMark {
  /** Its name. */
  readonly group: string;
}

/** `knownMode`: where no switch is in the spool any more. */
export async function readSpoolFacts(spool: Spool, knownMode: Mode): Promise<SpoolFacts> {
  const ordinals = new Map<number, OrdinalMap>();
  const cuts = new VolumeCuts();
  const changes: ModeChange[] = [];
  let earliest: Mode | undefined;
  const marks = new Map<string, FoundMark>();
  let wasAskedFor = false;
  await spool.scan(0, (record, buffer) => {
    if (record.ordinal > 0) {
      let map = ordinals.get(record.volume);
      if (map === undefined) {
        map = new OrdinalMap(record.ordinal);
        ordinals.set(record.volume, map);
      }
      map.add(record.ordinal, record.seq);
    } else if (record.type === recordType.resize) {
      const extra = buffer.subarray(record.extraAt, record.extraAt + record.extraBytes);
      cuts.add(record.volume, record.seq, decodeExtra(extra) ?? {});
    } else if (record.type === recordType.mark) {
      noteMark(marks, record.seq, buffer.subarray(record.extraAt, record.extraAt + record.extraBytes));
    } else if (record.type === recordType.mode) {
      const content = decodeExtra(buffer.subarray(record.extraAt, record.extraAt + record.extraBytes));
      if (!isMode(content?.to)) return;
      if (isMode(content.from)) earliest ??= content.from;
      wasAskedFor = content.why === askedFor;
      changes.push({ seq: record.seq, to: content.to });
    }
  });
  const modes = new ModeHistory(earliest ?? knownMode, changes);
  return { ordinals, cuts, modes, mode: changes.at(-1)?.to ?? knownMode, wasAskedFor, marks: [...marks.values()] };
}

/** The newest are last, and beyond the bound the oldest go. */
function noteMark(marks: Map<string, FoundMark>, seq: number, extra: Buffer): void {
  const name = decodeExtra(extra)?.name;
  if (typeof name !== "string") return;
  marks.delete(name);
  marks.set(name, { name, seq });
  if (marks.size <= marksOnTheWayMax) return;
  for (const oldest of marks.keys()) {
    marks.delete(oldest);
    return;
  }
}
