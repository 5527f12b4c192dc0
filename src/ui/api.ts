/** Asks the API, as the command does, with a token where one is needed. */
import type { Browser } from "./browser.ts";
import { sentence } from "./words.ts";

const prefix = "/api/v1";

/** What the API has answered instead; `status` 0: nothing was answered at all. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ApiAsk {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  /** Ends the waiting: then it counts as not answered. */
  readonly signal?: AbortSignal;
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export class Api {
  readonly #browser: Browser;
  /** Whoever asks without one, or with one that does not hold, hears 401; so does the page. */
  readonly #refused: () => void;
  #token: string | undefined;

  constructor(browser: Browser, refused: () => void) {
    this.#browser = browser;
    this.#refused = refused;
    this.#token = browser.remembered("token");
  }

  get token(): string | undefined {
    return this.#token;
  }

  /** For as long as the tab is open. */
  useToken(token: string | undefined): void {
    this.#token = token;
    this.#browser.remember("token", token);
  }

  async ask<Answer>(method: Method, steps: readonly string[], asked: ApiAsk = {}): Promise<Answer> {
    const { query = {}, body, signal } = asked;
    const response = await this.#send(`${pathOf(steps)}${queryOf(query)}`, {
      method,
      cache: "no-store",
      headers: {
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const answer: unknown = await response.json().catch(() => ({}));
    if (response.ok) return answer as Answer;
    if (response.status === 401) this.#refused();
    const detail = (answer as { readonly detail?: string }).detail;
    throw new ApiError(response.status, detail ?? `the appliance has answered ${response.status}`);
  }

  async #send(path: string, options: RequestInit): Promise<Response> {
    try {
      return await this.#browser.request(path, options);
    } catch {
      throw new ApiError(0, "the appliance does not answer");
    }
  }
}

export function pathOf(steps: readonly string[]): string {
  return [prefix, ...steps.map(encodeURIComponent)].join("/");
}

function queryOf(query: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return set.length === 0 ? "" : `?${set.join("&")}`;
}

export function inWords(error: unknown): string {
  return sentence(error instanceof Error ? error.message : String(error));
}
