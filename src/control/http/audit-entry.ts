/**
 * One line of the audit log. An order has two: one before it is carried out and one after, so that an order during which the
 * program ended is there too.
 */
import { auditLineBytesMax } from "#src/core/http-limits.ts";
import type { ApiRole } from "./caller.ts";
import { summedLine } from "./summed-line.ts";

interface Numbered {
  readonly number: number;
  readonly time: string;
}

export interface AuditStart {
  readonly kind: "start";
  readonly version: string;
}

export interface AuditOrder {
  readonly kind: "order";
  /** The name of the token; `local`: without one. */
  readonly who: string;
  readonly role: ApiRole;
  readonly from: string;
  readonly method: string;
  readonly target: string;
  /** What it asked for; left out where that is too long. */
  readonly order?: Readonly<Record<string, unknown>>;
}

export interface AuditOutcome {
  readonly kind: "outcome";
  /** The number of its order. */
  readonly of: number;
  readonly status: number;
  readonly why?: string;
}

/** Somebody was turned away. */
export interface AuditRefusal {
  readonly kind: "refusal";
  readonly from: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly why: string;
  /** Others since the last refusal that is noted. */
  readonly unlisted: number;
}

export type AuditContent = AuditStart | AuditOrder | AuditOutcome | AuditRefusal;
export type AuditEntry = Numbered & AuditContent;

/** The first line of each file. */
export const auditHeader = { format: "tidemark-audit", version: 1 } as const;

export function auditLine(value: object): Buffer {
  const line = summedLine(value);
  return line.length > auditLineBytesMax ? auditLine(shortened(value)) : line;
}

function shortened(value: object): object {
  const { order: _, ...rest } = value as { readonly order?: unknown };
  const entries = Object.entries(rest).map(([key, one]) => [key, typeof one === "string" ? one.slice(0, 512) : one]);
  return Object.fromEntries(entries);
}
