/** What goes wrong, as RFC 9457 problem details. */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import type { HttpResponse } from "#src/host/http.ts";
import { inWords } from "#src/host/system-words.ts";

const titles = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

type ProblemStatus = keyof typeof titles;

export class ProblemError extends Error {
  override name = "ProblemError";
  readonly status: ProblemStatus;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ProblemStatus, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** By what the one who asked does next: nothing, ask again, or look at the log. */
export function problemOf(error: unknown): HttpResponse {
  if (error instanceof ProblemError) return problem(error.status, error.message, error.headers);
  if (error instanceof RefuseError) return problem(422, error.message);
  if (error instanceof RetryError) return problem(503, error.message, { "retry-after": "5" });
  return problem(500, inWords(error));
}

function problem(status: ProblemStatus, detail: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
    body: `${JSON.stringify({ title: titles[status], status, detail })}\n`,
  };
}
