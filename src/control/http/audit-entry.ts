/**
 * One line of the audit log. An order has two: one before it is carried out and one after, so that an order during which the
 * program ended is there too.
 */
import { auditLineBytesMax } from "#src/core/http-limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import { withoutSecrets } from "#src/host/redaction.ts";
import type { ApiRole } from "./caller.ts";

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

/** JSON, a tab, the checksum of the JSON in hexadecimal digits. */
export function auditLine(value: object): Buffer {
  const text = JSON.stringify(value, (_, one: unknown) => (typeof one === "string" ? withoutSecrets(one) : one));
  if (Buffer.byteLength(text) > auditLineBytesMax) return auditLine(shortened(value));
  return Buffer.from(`${text}\t${sumOf(text)}\n`);
}

/** Undefined: it is torn or damaged. */
export function readAuditLine(line: string): Record<string, unknown> | undefined {
  const at = line.lastIndexOf("\t");
  const text = line.slice(0, at);
  if (at < 0 || line.slice(at + 1) !== sumOf(text)) return undefined;
  return JSON.parse(text) as Record<string, unknown>;
}

function shortened(value: object): object {
  const { order: _, ...rest } = value as { readonly order?: unknown };
  const entries = Object.entries(rest).map(([key, one]) => [key, typeof one === "string" ? one.slice(0, 512) : one]);
  return Object.fromEntries(entries);
}

function sumOf(text: string): string {
  const bytes = Buffer.from(text);
  const sum = Buffer.alloc(checksumBytes);
  putChecksum(bytes, 0, bytes.length, sum, 0);
  return sum.toString("hex");
}
