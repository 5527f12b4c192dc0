/** What was handed to an appliance that has lost it, or never took it, goes to the next link before anything else. */
import type { GateEntry } from "./gate.ts";
import type { RecordInFlight } from "./record-in-flight.ts";

/** If the link is lost once more before all are added, those that are still lacking are the next round's. */
export function addingAgain(records: readonly RecordInFlight[], isCurrent: () => boolean): GateEntry {
  let next = 0;
  return {
    startBlock: 0,
    blockCount: 0,
    byteLength: 0,
    addTo: (outlet) => {
      for (; next < records.length && isCurrent(); next++) {
        const record = records[next] as RecordInFlight;
        if (!outlet.hasRoomFor(record.hold === undefined ? 0 : record.blockCount)) return false;
        outlet.addAgain(record);
      }
      return true;
    },
    passed: () => {},
  };
}
