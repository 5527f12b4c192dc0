/** The control API of one program: its door and tokens, its audit log, its events, and the server with all routes. */
import { createHash, timingSafeEqual } from "node:crypto";
import { RefuseError } from "#src/core/errors.ts";
import type { HttpListener } from "#src/host/http.ts";
import type { Machine } from "#src/host/machine.ts";
import type { Config } from "../config-schema.ts";
import type { ControlPlane } from "../control-plane.ts";
import { auditPath, eventFilePath, tokensPath } from "../folder-layout.ts";
import { isLoopback } from "../listening-address.ts";
import type { RoleName } from "../role.ts";
import type { ApiCertificate } from "./api-certificate.ts";
import { AuditLog } from "./audit-log.ts";
import { callerNames } from "./caller.ts";
import { Door } from "./door.ts";
import { EventFile } from "./events/event-file.ts";
import { EventStream } from "./events/event-stream.ts";
import { documentRoute } from "./open-api.ts";
import { OrderRecord } from "./order-record.ts";
import type { Route } from "./route.ts";
import { apiRoutes } from "./routes/api-routes.ts";
import { ApiServer } from "./server.ts";
import { TokenBook } from "./token-book.ts";

export interface ControlApiParts {
  readonly config: Config;
  readonly roles: readonly RoleName[];
  readonly machine: Machine;
  readonly version: string;
  /** Of the configuration. */
  readonly token: string | undefined;
  readonly certificate: ApiCertificate;
}

export class ControlApi {
  readonly #parts: ControlApiParts;
  readonly #tokens: TokenBook;
  readonly #audit: AuditLog;
  readonly #door: Door;
  readonly #eventFile: EventFile;
  #events: EventStream | undefined;
  #listener: HttpListener | undefined;

  private constructor(parts: ControlApiParts, tokens: TokenBook) {
    const { config, roles, machine, token } = parts;
    this.#parts = parts;
    this.#tokens = tokens;
    this.#audit = AuditLog.open(machine, auditPath(config, roles));
    this.#eventFile = EventFile.open(machine, eventFilePath(config, roles));
    this.#door = new Door({
      find: (shown) => (token !== undefined && isSame(shown, token) ? configured : tokens.find(shown)),
      withoutToken: isLoopback(config.http.host) && token === undefined ? config.http.withoutToken : "nothing",
    });
  }

  /** The folders of the roles are there. Throws where anybody on the network could command this program. */
  static open(parts: ControlApiParts): ControlApi {
    const { config, roles, machine, token } = parts;
    const tokens = TokenBook.open(machine, tokensPath(config, roles));
    if (!isLoopback(config.http.host) && token === undefined && tokens.isEmpty && !tokens.wasSetAside) {
      throw new RefuseError(
        `http.host is ${config.http.host}, beyond loopback, where anybody could command this program: set http.tokenFile, ` +
          "or start on loopback first and make tokens ('tidemark token add')",
      );
    }
    return new ControlApi(parts, tokens);
  }

  /** `more`: routes of parts beside the control plane. */
  async listen(control: ControlPlane, more: readonly Route[]): Promise<HttpListener> {
    const { machine, version, config, certificate } = this.#parts;
    const { clock, log } = machine;
    const events = new EventStream({ version, clock, file: this.#eventFile, status: () => control.status() });
    const api = apiRoutes({ control, tokens: this.#tokens, audit: this.#audit, events });
    const routes = [...api, ...more];
    const server = new ApiServer({
      routes: [...routes, documentRoute(version, routes)],
      ...{ door: this.#door, audit: this.#audit, events, clock, log, tls: certificate.shown },
      orders: new OrderRecord({ audit: this.#audit, events, clock, log }),
    });
    this.#listener = await server.listen(config.http.host, config.http.port);
    certificate.begin((tls) => server.show(tls));
    this.#events = events;
    void this.#audit.add({ kind: "start", version });
    events.start();
    return this.#listener;
  }

  async close(): Promise<void> {
    this.#parts.certificate.close();
    this.#events?.close();
    await this.#listener?.close();
    await this.#eventFile.close();
    this.#audit.close();
  }
}

const configured = { name: callerNames.configured, role: "admin" } as const;

/** Digests are of one length, and take one time to compare. */
function isSame(shown: string, token: string): boolean {
  const [first, second] = [shown, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(first as Buffer, second as Buffer);
}
