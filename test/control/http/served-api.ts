/** The control API without a socket, on a simulated machine. What it answers is held against what its document says. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";
import type { ControlPlane } from "#src/control/control-plane.ts";
import { patternOf } from "#src/control/http/address.ts";
import { AuditLog } from "#src/control/http/audit-log.ts";
import { Door } from "#src/control/http/door.ts";
import { EventStream } from "#src/control/http/events/event-stream.ts";
import { documentRoute } from "#src/control/http/open-api.ts";
import { OrderRecord } from "#src/control/http/order-record.ts";
import type { JsonRoute, Route } from "#src/control/http/route.ts";
import { apiRoutes } from "#src/control/http/routes/api-routes.ts";
import { schemaName } from "#src/control/http/schema.ts";
import { ApiServer } from "#src/control/http/server.ts";
import { TokenBook } from "#src/control/http/token-book.ts";
import type { HttpHandler, HttpResponse } from "#src/host/http.ts";
import type { SimHost } from "#test/sim/sim-host.ts";

export class ServedApi {
  /** Where it is noted who asks. */
  readonly paper: SimHost;
  readonly tokens: TokenBook;
  readonly audit: AuditLog;
  readonly events: EventStream;
  readonly routes: readonly Route[];
  readonly server: ApiServer;
  readonly #checker = new Ajv2020({ strict: false, validateFormats: false });

  constructor(control: ControlPlane, paper: SimHost, token?: string) {
    const { clock, log } = paper;
    this.paper = paper;
    this.tokens = TokenBook.open(paper, "/tokens.json");
    this.audit = AuditLog.open(paper, "/audit.log");
    this.events = new EventStream({ version: "1.2.3", clock, status: () => control.status() });
    const { tokens, audit, events } = this;
    const api = apiRoutes({ control, tokens, audit, events });
    this.routes = [...api, documentRoute("1.2.3", api)];
    const find = (shown: string) => (shown === token ? ({ name: "t", role: "admin" } as const) : tokens.find(shown));
    this.server = new ApiServer({
      ...{ routes: this.routes, audit, events, clock, log },
      door: new Door({ find, withoutToken: token === undefined ? "admin" : "nothing" }),
      orders: new OrderRecord({ audit, events, clock, log }),
    });
    this.#checker.addKeyword(schemaName);
  }

  readonly handle: HttpHandler = async ({ method, target, headers, body }) => {
    const payload = body.length === 0 ? {} : { payload: body };
    const answer = await this.server.app.inject({
      ...{ method: method as "GET", url: target, ...payload },
      headers: Object.fromEntries(Object.entries({ host: "", ...headers }).map(([name, value]) => [name, value ?? ""])),
    });
    const response: HttpResponse = {
      ...{ status: answer.statusCode, body: answer.body },
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
    };
    this.#check(method, target, response);
    return response;
  };

  #check(method: string, target: string, { status, body, headers }: HttpResponse): void {
    if (method === "HEAD") return;
    const path = target.split("?", 1)[0] as string;
    const route = this.routes.find(
      (one): one is JsonRoute => one.kind === "json" && one.method === method && patternOf(one.path).test(path),
    );
    if (headers["content-type"] === "application/problem+json") {
      expect(JSON.parse(body)).toEqual({ title: expect.any(String), status, detail: expect.any(String) });
    } else if (route !== undefined) {
      expect(Object.keys(route.statuses).map(Number)).toContain(status);
      const isValid = this.#checker.validate(route.reply.json, JSON.parse(body));
      expect([isValid, this.#checker.errors, body]).toEqual([true, null, body]);
    }
  }
}
