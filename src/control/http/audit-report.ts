/** The audit log as it is shown: an order in one line with what came of it. */
import type { AuditEntry, AuditOrder } from "./audit-entry.ts";
import type { AuditSpan } from "./audit-log.ts";

export interface AuditLineReport {
  readonly number: number;
  readonly time: string;
  readonly kind: string;
  readonly who?: string;
  readonly role?: string;
  readonly from?: string;
  readonly does?: string;
  readonly order?: AuditOrder["order"];
  readonly status?: number;
  readonly why?: string;
  readonly unlisted?: number;
  readonly version?: string;
}

export interface AuditReport {
  readonly entries: readonly AuditLineReport[];
  readonly trouble?: string;
}

/** `entries`: the newest last, with what came of them. */
export function auditReport(entries: readonly AuditEntry[], { limit, before }: AuditSpan): AuditLineReport[] {
  const outcomes = new Map(entries.flatMap((entry) => (entry.kind === "outcome" ? [[entry.of, entry] as const] : [])));
  return entries
    .filter(({ kind, number }) => kind !== "outcome" && (before === undefined || number < before))
    .slice(-limit)
    .map((entry) => lineOf(entry, outcomes.get(entry.number)));
}

function lineOf(entry: AuditEntry, outcome: AuditEntry | undefined): AuditLineReport {
  const { number, time, kind } = entry;
  if (kind === "order") {
    const { who, role, from, method, target, order } = entry;
    const ended = outcome?.kind === "outcome" ? outcome : undefined;
    return {
      ...{ number, time, kind, who, role, from, does: `${method} ${target}` },
      ...(order === undefined ? {} : { order }),
      ...(ended === undefined ? {} : { status: ended.status }),
      ...(ended?.why === undefined ? {} : { why: ended.why }),
    };
  }
  if (kind === "refusal") {
    const { from, method, target, status, why, unlisted } = entry;
    return { number, time, kind, from, does: `${method} ${target}`, status, why, unlisted };
  }
  return { number, time, kind, ...(entry.kind === "start" ? { version: entry.version } : {}) };
}
