/** Asks a program over its control API. */
import type { RoleName, Sites } from "#test/oracle/sites.ts";

const askMs = 30_000;

export interface Question {
  readonly role: RoleName;
  readonly method: string;
  readonly path: string;
  readonly body?: object | undefined;
  readonly withinMs?: number;
}

/** It has answered, and that it does not do it. */
export class AskedError extends Error {
  override name = "AskedError";
  readonly status: number;

  constructor({ role, method, path }: Question, status: number, answer: unknown) {
    super(`${method} ${path} of ${role}: ${status} ${JSON.stringify(answer)}`);
    this.status = status;
  }

  /** Nobody who asks like that will ever be answered well. */
  get isMisuse(): boolean {
    return [400, 405, 413, 415].includes(this.status);
  }

  /** What it is about is no point, or none any more; or there is nobody just then who could say. */
  get isNoPoint(): boolean {
    return this.status === 422 || this.status === 503;
  }
}

export async function ask(sites: Sites, question: Question): Promise<unknown> {
  const { role, method, path, body, withinMs = askMs } = question;
  const response = await fetch(`${sites.api(role)}/api/v1${path}`, {
    method,
    signal: AbortSignal.timeout(withinMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  const answer: unknown = text === "" ? undefined : JSON.parse(text);
  if (!response.ok) throw new AskedError(question, response.status, answer);
  return answer;
}
