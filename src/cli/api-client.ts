/** The commands' way to the program that runs: its control API. */
import { readTokenFile } from "#src/control/credentials.ts";
import { eventSilenceMs } from "#src/core/http-limits.ts";
import { httpAnswerBytesMax } from "#src/core/limits.ts";
import { environment } from "#src/host/node/environment.ts";
import { askHttp, type HttpAnswer } from "#src/host/node/http-client.ts";
import { readTextFile } from "#src/host/node/text-file.ts";
import type { OpenWebSocket } from "#src/host/node/web-socket-client.ts";
import { systemReason } from "#src/host/system-words.ts";
import { UsageError } from "./command.ts";
import { explainFile } from "./failure.ts";

export const defaultApiUrl = "http://127.0.0.1:7878";

export const apiOptions = {
  api: { type: "string" },
  "token-file": { type: "string" },
  "api-ca": { type: "string" },
  json: { type: "boolean" },
} as const;

export const apiHelp = `  --api URL          the program's control API (TIDEMARK_API, else ${defaultApiUrl})
  --token-file FILE  the token that it asks for (TIDEMARK_API_TOKEN_FILE)
  --api-ca FILE      the authority that signed its certificate (PEM; TIDEMARK_API_CA)
  --json             JSON with stable names instead of text
  --help             this text
`;

export interface ApiValues {
  readonly api?: string | undefined;
  readonly "token-file"?: string | undefined;
  readonly "api-ca"?: string | undefined;
}

export interface Ask {
  readonly body?: object;
  /** What stands in the query as `NAME=true`. */
  readonly flags?: readonly string[];
  /** What else stands there; what is undefined does not. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** The name once more of what is to be undone by nobody. */
  readonly confirm?: string | undefined;
  /** Nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

export class ApiClient {
  readonly #base: URL;
  readonly #token: string | undefined;
  readonly #ca: string | undefined;

  constructor(values: ApiValues) {
    const variables = environment();
    this.#base = baseUrl(values.api ?? variables.TIDEMARK_API ?? defaultApiUrl);
    const tokenFile = fileOf(values, "token-file", "TIDEMARK_API_TOKEN_FILE");
    this.#token = tokenFile === undefined ? undefined : readTokenFile(tokenFile.path, tokenFile.by);
    const authorityFile = fileOf(values, "api-ca", "TIDEMARK_API_CA");
    this.#ca = authorityFile === undefined ? undefined : authority(authorityFile);
  }

  /** `steps`: the parts of the path behind `/api/v1`, as they are. Throws what the program says against it. */
  async ask(
    method: string,
    steps: readonly string[],
    { body, flags = [], query = {}, confirm, signal }: Ask = {},
  ): Promise<unknown> {
    const url = new URL(`/api/v1/${steps.map(encoded).join("/")}`, this.#base);
    for (const flag of flags) url.searchParams.set(flag, "true");
    for (const [name, text] of Object.entries(query)) if (text !== undefined) url.searchParams.set(name, text);
    if (confirm !== undefined) url.searchParams.set("confirm", confirm);
    const answer = await this.#send(url, method, body, signal);
    const value = parsed(answer, url);
    if (answer.status < 300) return value;
    throw this.#problemOf(value, answer.status, url);
  }

  /** A WebSocket; what loads it is asked for only here. */
  async listen(
    steps: readonly string[],
    query: Readonly<Record<string, string | undefined>>,
    ears: { message(text: string): void; refused(why: Error): void; closed(why: Error): void },
  ): Promise<OpenWebSocket> {
    const { callWebSocket } = await import("#src/host/node/web-socket-client.ts");
    const url = new URL(`/api/v1/${steps.map(encoded).join("/")}`, this.#base);
    for (const [name, text] of Object.entries(query)) if (text !== undefined) url.searchParams.set(name, text);
    const call = {
      ...{ url, protocol: "tidemark", headers: this.#tokenHeaders },
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
      ...{ messageBytesMax: httpAnswerBytesMax, silenceMs: eventSilenceMs },
    };
    return callWebSocket(call, {
      message: ears.message,
      refused: (status, body) => {
        try {
          ears.refused(this.#problemOf(parsed({ status, body, contentType: "application/json" }, url), status, url));
        } catch (error) {
          ears.refused(error as Error);
        }
      },
      closed: (why) => ears.closed(new Error(`no events from ${url.origin}: ${silence(why)}`, { cause: why })),
    });
  }

  get #tokenHeaders(): Readonly<Record<string, string>> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  #problemOf(value: unknown, status: number, url: URL): Error {
    const { detail } = value as { readonly detail?: unknown };
    return new Error(typeof detail === "string" ? detail : `${url.origin} answered with status ${status}`);
  }

  async #send(url: URL, method: string, body?: object, signal?: AbortSignal): Promise<HttpAnswer> {
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...this.#tokenHeaders,
    };
    try {
      return await askHttp({
        url,
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(this.#ca === undefined ? {} : { ca: this.#ca }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw new Error(`no answer from ${url.origin}: ${silence(error as NodeJS.ErrnoException)}`, { cause: error });
    }
  }
}

function silence(error: NodeJS.ErrnoException): string {
  const { code = "", message } = error;
  if (code === "ECONNREFUSED") {
    return "nothing listens there; 'tidemark up' starts the program, and --api URL names another";
  }
  if (code === "EPROTO") return "what listens there speaks no TLS; does the URL begin with http://?";
  if (code === "ECONNRESET") return "what listens there hung up; if it speaks TLS, the URL begins with https://";
  if (code.startsWith("HPE_")) return "what listens there is no control API";
  return systemReason(error) ?? (message || code);
}

interface NamedFile {
  readonly path: string;
  /** What has named it. */
  readonly by: string;
}

/** What the command line says wins over the environment. */
function fileOf(values: ApiValues, option: "token-file" | "api-ca", variable: string): NamedFile | undefined {
  const path = values[option];
  if (path !== undefined) return { path, by: `--${option}` };
  const other = environment()[variable];
  return other === undefined ? undefined : { path: other, by: variable };
}

function authority({ path, by }: NamedFile): string {
  const text = authorityText(path, by);
  // What has no such line is read as no authority at all, and no server would be trusted.
  if (text.includes("-----BEGIN ")) return text;
  throw new Error(`${by} ${path} holds no PEM text ("-----BEGIN …")`);
}

function authorityText(path: string, by: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    throw explainFile(error, `${by} ${path}`);
  }
}

/** A URL takes a step of dots for a way up, so what looks like one goes encoded and is refused at the other end. */
function encoded(step: string): string {
  return encodeURIComponent(step).replace(/^\.{1,2}$/, (dots) => dots.replaceAll(".", "%252e"));
}

function baseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new UsageError(`--api takes a URL like ${defaultApiUrl}, not '${text}'`);
}

function parsed({ body, status, contentType }: HttpAnswer, url: URL): unknown {
  if (/^application\/(problem\+)?json/.test(contentType)) {
    try {
      return JSON.parse(body);
    } catch {
      // Said below.
    }
  }
  throw new Error(`${url.origin} is no control API: it answered with status ${status} and no JSON`);
}
