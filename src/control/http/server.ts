/**
 * The control API's server: Fastify finds the route, and reads the body; whoever asks is let in or not, and what he asks is
 * checked, before the route is called. Never an exception: whatever goes wrong is answered as a problem.
 */
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  fastify,
} from "fastify";
import { eventMessageBytesMax } from "#src/core/http-limits.ts";
import { httpBodyBytesMax } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { HttpListener, HttpResponse } from "#src/host/http.ts";
import type { Log } from "#src/host/log.ts";
import { boundedServer, listenOn, showCertificate } from "#src/host/node/bounded-server.ts";
import { type Upgraded, WebSocketUpgrade } from "#src/host/node/web-socket-upgrade.ts";
import type { TlsCredentials } from "#src/host/socket.ts";
import { inWords } from "#src/host/system-words.ts";
import { checkAddress, namesOf, pathOf, patternOf } from "./address.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Door } from "./door.ts";
import { eventsProtocol, listeningOf } from "./events/event-door.ts";
import type { EventStream } from "./events/event-stream.ts";
import { LoadedLater } from "./loaded-later.ts";
import type { OrderRecord } from "./order-record.ts";
import { lastWords, ProblemError, type ProblemStatus, problem, problemOf } from "./problem.ts";
import type { Answer, JsonRoute, PlainRoute, Route } from "./route.ts";
import type { JsonSchema } from "./schema.ts";
import type { Part } from "./validation.ts";

export interface ServerParts {
  readonly routes: readonly Route[];
  readonly door: Door;
  readonly orders: OrderRecord;
  readonly audit: AuditLog;
  readonly events: EventStream;
  readonly clock: Pick<Clock, "hostMs">;
  readonly log: Log;
  readonly tls?: TlsCredentials | undefined;
}

export class ApiServer {
  readonly #app: FastifyInstance;
  readonly #parts: ServerParts;
  /** Its library is as large as the server's: loaded when something is asked that has anything to check. */
  readonly #validation = new LoadedLater(async () => new (await import("./validation.ts")).Validation());
  readonly #upgrades = new WebSocketUpgrade({ messageBytesMax: eventMessageBytesMax, protocol: eventsProtocol });
  readonly #patterns: readonly { readonly method: string; readonly pattern: RegExp }[];

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#patterns = parts.routes.map(({ method, path }) => ({ method, pattern: patternOf(path) }));
    this.#app = bareServer(parts.tls);
    this.#app.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
    this.#app.setNotFoundHandler((request, reply) => this.#fail(this.#missing(request), request, reply));
    this.#app.addHook("onRequest", async (request) => checkAddress(request.raw.url ?? ""));
    this.#app.server.on("upgrade", (request, socket, head) => this.#upgrade({ request, socket, head }));
    for (const one of parts.routes) {
      if (one.kind === "json") this.#addJson(one);
      else this.#addPlain(one);
    }
  }

  async listen(host: string, port: number): Promise<HttpListener> {
    await this.#app.ready();
    return listenOn(this.#app.server, host, port);
  }

  show(tls: TlsCredentials): void {
    showCertificate(this.#app.server, tls);
  }

  /** For tests: what it would answer, without a socket. */
  get app(): FastifyInstance {
    return this.#app;
  }

  #addJson(route: JsonRoute): void {
    const checkQuery = route.query === undefined ? refuseQuery : this.#checker(route.query.json, "query");
    const checkBody = route.body === undefined ? undefined : this.#checker(route.body.json, "body");
    const isNoted = route.method !== "GET" && route.isUnnoted !== true;
    this.#app.route({
      method: route.method,
      url: routerPath(route.path),
      onRequest: async (request) => this.#letIn(route, request),
      handler: async (request, reply) => {
        const query = request.query as Readonly<Record<string, unknown>>;
        await checkQuery(query);
        await checkBody?.(request.body);
        const names = request.params as Readonly<Record<string, string>>;
        const asked = { names, query, body: request.body, ...(arrivals.get(request) as Arrival) };
        return send(reply, jsonResponse(await (isNoted ? this.#order(route, asked, request) : route.answer(asked))));
      },
    });
  }

  #checker(schema: JsonSchema, part: Part): (value: unknown) => Promise<void> {
    const check = new LoadedLater(async () => (await this.#validation.get()).checker(schema, part));
    return async (value) => (await check.get())(value);
  }

  #addPlain(route: PlainRoute): void {
    this.#app.route({
      method: route.method,
      url: routerPath(route.path),
      onRequest: async (request) => this.#letIn(route, request),
      handler: async (request, reply) => {
        const header = (name: string): string | undefined => headerOf(request, name);
        const answer = await route.answer({ path: pathOf(request.raw.url ?? ""), header });
        if (answer === undefined) throw this.#missing(request);
        return send(reply, answer);
      },
    });
  }

  #letIn(route: Route, request: FastifyRequest): void {
    const arrivedMs = this.#parts.clock.hostMs();
    const { headers, httpVersion, socket } = request.raw;
    const { remoteAddress: address = "" } = socket;
    const caller = this.#parts.door.check({ headers, httpVersion, address, needs: route.role });
    arrivals.set(request, { caller, arrivedMs });
  }

  /** Nothing that is asked for is secret: keys go by the names of files. */
  async #order(
    route: JsonRoute,
    asked: Parameters<JsonRoute["answer"]>[0],
    { raw }: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const { caller } = asked;
    // It was checked where there is anything to ask for, and is nobody's concern elsewhere.
    const body = route.body === undefined ? undefined : (asked.body as Readonly<Record<string, unknown>>);
    const { method, summary } = route;
    // Without what is explained besides.
    const action = summary.split(";", 1)[0] as string;
    const ended = await this.#parts.orders.begin({ caller, method, target: raw.url ?? "", action, body });
    try {
      const answer = await route.answer(asked);
      ended({ status: answer.status });
      return answer;
    } catch (error) {
      ended({ status: problemOf(error).status, why: inWords(error) });
      throw error;
    }
  }

  /** Also what is asked for without an upgrade goes by the same door. */
  #upgrade(upgraded: Upgraded): void {
    const { request, socket } = upgraded;
    const { url: target = "", headers, httpVersion, method = "" } = request;
    const address = request.socket.remoteAddress ?? "";
    // Who hangs up in the middle wants no answer.
    socket.on("error", () => {});
    try {
      const listening = listeningOf({ target, headers, httpVersion, address }, this.#parts.door);
      this.#upgrades.accept(upgraded, (peer) => this.#parts.events.add(peer, listening));
    } catch (error) {
      this.#noteRefusal(error, { from: address, method, target });
      hangUpWith(problemOf(error), socket);
    }
  }

  #noteRefusal(error: unknown, who: { readonly from: string; readonly method: string; readonly target: string }): void {
    if (!(error instanceof ProblemError) || (error.status !== 401 && error.status !== 403)) return;
    // Whoever does not know how a token is shown may have put it into the query.
    this.#parts.audit.refuse({ ...who, target: pathOf(who.target), status: error.status, why: error.message });
  }

  #missing({ raw }: FastifyRequest): ProblemError {
    const path = pathOf(raw.url ?? "");
    const allowed = this.#patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (allowed.length === 0) return new ProblemError(404, "there is nothing at this address");
    const allow = [...new Set(allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method)))].join(", ");
    return new ProblemError(405, `only ${allow} is possible here`, { allow });
  }

  #fail(error: unknown, { raw }: FastifyRequest, reply: FastifyReply): FastifyReply {
    const response = problemOf(translated(error));
    this.#noteRefusal(error, { from: raw.socket.remoteAddress ?? "", method: raw.method ?? "", target: raw.url ?? "" });
    const level = response.status >= 500 ? "error" : "debug";
    this.#parts.log[level]("a request was not done", { method: raw.method, target: pathOf(raw.url ?? ""), error });
    return send(reply, response);
  }
}

type Arrival = Pick<Parameters<JsonRoute["answer"]>[0], "caller" | "arrivedMs">;

const arrivals = new WeakMap<FastifyRequest, Arrival>();

const noCompilers = { buildValidator: () => () => () => true, buildSerializer: () => () => JSON.stringify };

function bareServer(tls: TlsCredentials | undefined): FastifyInstance {
  const options: FastifyServerOptions = {
    serverFactory: (handler) => boundedServer(handler, tls),
    clientErrorHandler: hangUp,
    // What the router cannot make anything of, such as an address that is not well encoded.
    frameworkErrors: (error, _, reply) => void send(reply, problemOf(translated(error))),
    bodyLimit: httpBodyBytesMax,
    // What is got is also asked for without its body: by watchers that look at nothing but the status.
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 256 },
    // Its own would be loaded and made for each route at the start: requests are checked by ours, replies are plain JSON.
    schemaController: { compilersFactory: noCompilers as never },
  };
  const app = fastify(options);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_: unknown, bytes: Buffer) =>
    parsed(bytes),
  );
  return app;
}

/** Not what JSON.parse makes of bytes that are no UTF-8: texts with other letters in them. */
function parsed(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ProblemError(400, "the body is no JSON");
  }
}

const libraryProblems: Readonly<Record<string, readonly [ProblemStatus, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, "the body must be JSON, and say so (content-type: application/json)"],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, `a request's body has at most ${httpBodyBytesMax} bytes`],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, "the body is not as long as it was said to be"],
  FST_ERR_MAX_PARAM_LENGTH: [404, "there is nothing at this address"],
  FST_ERR_BAD_URL: [400, "the address is not well encoded"],
};

function translated(error: unknown): unknown {
  const known = libraryProblems[(error as { readonly code?: string }).code ?? ""];
  return known === undefined ? error : new ProblemError(...known);
}

interface EndedSocket {
  readonly writable: boolean;
  end(text: string, said: () => void): unknown;
  destroy(): unknown;
}

/** Whoever does not hang up himself then would hold a connection for as long as he likes. */
function hangUpWith(response: HttpResponse, socket: EndedSocket): void {
  socket.end(lastWords(response), () => socket.destroy());
}

/** A peer that speaks no HTTP, too much of it or too slowly, hears so and is hung up on. */
function hangUp(error: NodeJS.ErrnoException, socket: EndedSocket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = clientProblems[error.code ?? ""] ?? [400, "this is no HTTP request"];
  hangUpWith(problem(status, detail), socket);
}

const clientProblems: Readonly<Record<string, readonly [ProblemStatus, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the headers of a request are too long"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request took too long to come"],
};

function jsonResponse({ status, value, headers = {} }: Answer<unknown>): HttpResponse {
  return {
    status,
    headers: {
      ...{ "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" },
      ...headers,
    },
    body: `${JSON.stringify(value)}\n`,
  };
}

function send(reply: FastifyReply, { status, headers, body }: HttpResponse): FastifyReply {
  // As bytes: of a text the library would change the type.
  return reply.code(status).headers(headers).send(Buffer.from(body));
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function refuseQuery(query: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(query);
  if (name === undefined) return;
  const shown = JSON.stringify(name.slice(0, 64));
  throw new ProblemError(400, `there is no ${shown} in the query of this address; nothing is asked for there`);
}

function routerPath(path: string): string {
  return namesOf(path).reduce((text, name) => text.replace(`{${name}}`, `:${name}`), path);
}
