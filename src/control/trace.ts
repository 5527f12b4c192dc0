/** The life of single writes, put together from what the interceptor and the local appliance saw of them. */
import type { TracedRecord as ShippedRecord } from "#src/appliance/local/trace-log.ts";
import type { Clock } from "#src/host/clock.ts";
import type { TracedRecord as WrittenRecord } from "#src/interceptor/write-trace.ts";
import { recordType } from "#src/records/record.ts";
import { type TraceEntry, type TraceStep, traceSteps } from "./role.ts";

const kinds: ReadonlyMap<number, TraceEntry["kind"]> = new Map([
  [recordType.write, "write"],
  [recordType.trim, "trim"],
  [recordType.zero, "zero"],
]);

/** Both have their times from the monotonic clock of the same thread. Without a local appliance here, `shipped` is empty. */
export function tracedLives(
  written: readonly WrittenRecord[],
  shipped: readonly Readonly<ShippedRecord>[],
  clock: Clock,
): TraceEntry[] {
  const nowMicros = clock.monotonicMs() * 1000;
  const wallMs = clock.wallMs();
  const byOrdinal = new Map(shipped.map((record) => [record.ordinal, record]));
  return written.flatMap((record) => {
    const kind = kinds.get(record.type);
    if (kind === undefined) return [];
    const later = byOrdinal.get(record.ordinal);
    return [
      {
        ordinal: record.ordinal,
        ...(later === undefined ? {} : { seq: later.seq }),
        kind,
        offsetBytes: record.offsetBytes,
        lengthBytes: record.lengthBytes,
        atWallMs: wallMs - (nowMicros - record.arrivedMicros) / 1000,
        steps: stepsOf(record, later),
      },
    ];
  });
}

function stepsOf(written: WrittenRecord, shipped: Readonly<ShippedRecord> | undefined): TraceEntry["steps"] {
  const micros: Readonly<Record<TraceStep, number>> = {
    acknowledged: written.acknowledgedMicros,
    sourceWritten: written.writtenMicros,
    replied: written.repliedMicros,
    received: (shipped?.receivedAtMs ?? 0) * 1000,
    durable: (shipped?.durableAtMs ?? 0) * 1000,
    stored: (shipped?.storedAtMs ?? 0) * 1000,
  };
  // What has not come yet is 0.
  const reached = traceSteps.filter((step) => micros[step] > 0);
  return Object.fromEntries(reached.map((step) => [step, micros[step] - written.arrivedMicros]));
}
