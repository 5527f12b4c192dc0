/** One HTTP request, and its whole answer. */
import type { IncomingMessage } from "node:http";
import { httpAnswerBytesMax, httpAnswerMs } from "#src/core/limits.ts";
import { http } from "./http-module.ts";
import { httpsModule } from "./secure-modules.ts";

export interface HttpQuestion {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The authority that signed the server's certificate, where it is not one that the system knows (PEM). */
  readonly ca?: string;
  /** Nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export function askHttp({ url, method, headers, body, ca, signal }: HttpQuestion): Promise<HttpAnswer> {
  const module = url.protocol === "https:" ? httpsModule() : http;
  return new Promise((resolve, reject) => {
    const more = { ...(ca === undefined ? {} : { ca }), ...(signal === undefined ? {} : { signal }) };
    const request = module.request(url, { method, headers, agent: false, ...more });
    const timer = setTimeout(() => {
      request.destroy(Object.assign(new Error(`no answer in ${httpAnswerMs / 1000} s`), { code: "ETIMEDOUT" }));
    }, httpAnswerMs);
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.on("response", (response) => {
      receive(response).then((text) => {
        clearTimeout(timer);
        const contentType = response.headers["content-type"] ?? "";
        resolve({ status: response.statusCode ?? 0, contentType, body: text });
      }, reject);
    });
    request.end(body);
  });
}

async function receive(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let byteLength = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    byteLength += piece.length;
    if (byteLength > httpAnswerBytesMax) throw new Error(`an answer of more than ${httpAnswerBytesMax} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
