/** Who ordered what, and what came of it. */
import { auditEntriesMax, auditEntriesUsual } from "#src/core/http-limits.ts";
import type { AuditLog } from "../audit-log.ts";
import { type AuditReport, auditReport } from "../audit-report.ts";
import { apiPrefix, done, type Route, route } from "../route.ts";
import { count, list, object, optional, record, scalar, time, words } from "../schema.ts";

interface AuditQuery {
  readonly limit?: number;
  readonly before?: number;
}

type Line = AuditReport["entries"][number];

const line = object<Line>(
  {
    number: count("grows by one"),
    time: time("when"),
    kind: words("start: of the program; order; refusal: somebody was turned away"),
    who: optional(words("the name of the token; local: without one")),
    role: optional(words("of the token")),
    from: optional(words("the address")),
    does: optional(words("method and address")),
    order: optional(record(scalar<unknown>("as it was asked"), "what was asked for besides")),
    status: optional(count("of the answer; absent: it is not known, or not over")),
    why: optional(words("why not")),
    unlisted: optional(count("refusals before this one that are not listed")),
    version: optional(words("of the program that was started")),
  },
  "AuditEntry",
);

export function auditRoutes(audit: AuditLog): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/audit`,
      summary: "who ordered what, when, and what came of it; the newest is last",
      role: "admin",
      query: object<AuditQuery>({
        limit: optional(count(`at most so many (${auditEntriesUsual})`, { min: 1, max: auditEntriesMax })),
        before: optional(count("only those before this number")),
      }),
      reply: object<AuditReport>({
        entries: list(line, "the last ones"),
        trouble: optional(words("why entries are being lost")),
      }),
      answer: async ({ query: { limit = auditEntriesUsual, before } }) => {
        const { trouble } = audit;
        const span = { limit, before };
        const entries = auditReport(await audit.last(span), span);
        return done({ entries, ...(trouble === undefined ? {} : { trouble }) });
      },
    }),
  ];
}
