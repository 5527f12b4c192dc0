/** What goes wrong, as RFC 9457 problem details. The detail says what, why, and what to do. */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import type { HttpResponse } from "#src/host/http.ts";
import { inWords } from "#src/host/system-words.ts";
import { UnknownNameError } from "../unknown-name.ts";

export const problemTitles = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

export type ProblemStatus = keyof typeof problemTitles;

export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export const problemMediaType = "application/problem+json";

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
  if (error instanceof UnknownNameError) return problem(404, error.message);
  if (error instanceof RefuseError) return problem(422, error.message);
  if (error instanceof RetryError) return problem(503, error.message, { "retry-after": "5" });
  return problem(500, inWords(error));
}

export function problem(
  status: ProblemStatus,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const value: Problem = { title: problemTitles[status], status, detail };
  return {
    status,
    headers: {
      ...{ "content-type": problemMediaType, "cache-control": "no-store", "x-content-type-options": "nosniff" },
      ...headers,
    },
    body: `${JSON.stringify(value)}\n`,
  };
}

/** For a peer that is hung up on then: a whole answer of HTTP/1.1. */
export function lastWords({ status, headers, body }: HttpResponse): string {
  const lines = Object.entries({ ...headers, "content-length": String(Buffer.byteLength(body)), connection: "close" });
  const title = problemTitles[status as ProblemStatus];
  return `HTTP/1.1 ${status} ${title}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
