/**
 * The roles of one process, started and ended in order: folders and locks, then the remote side, the local side, the API,
 * the volumes; and back. A thread that fails ends the process: the rest could not keep its promises, and a start mends it.
 */
import { AssertionError } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import type { FolderLock } from "#src/host/files.ts";
import type { HttpListener } from "#src/host/http.ts";
import type { Log } from "#src/host/log.ts";
import type { Machine } from "#src/host/machine.ts";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { nodeModuleSource } from "#src/host/node/module-source.ts";
import { programVersion } from "#src/host/node/program-version.ts";
import { startThread } from "#src/host/node/thread.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import type { Thread } from "#src/host/thread.ts";
import { Catalogue } from "./catalogue.ts";
import { checkConfig } from "./config-check.ts";
import type { Config } from "./config-schema.ts";
import { ControlPlane } from "./control-plane.ts";
import { readCredentials, readToken } from "./credentials.ts";
import { takeFolders } from "./data-folders.ts";
import { type Farewell, joinFarewells } from "./farewell.ts";
import { cataloguePath, openedVolumesFolder } from "./folder-layout.ts";
import { ApiCertificate } from "./http/api-certificate.ts";
import { ControlApi } from "./http/control-api.ts";
import type { Route } from "./http/route.ts";
import { metricsRoutes } from "./http/routes/metrics.ts";
import { listenInWords } from "./listening-address.ts";
import { changesOf, isLive, type Reload, withLive } from "./live-settings.ts";
import { Scrape } from "./metrics/scrape.ts";
import { changedContents, contentsOf, type FileContents } from "./named-files.ts";
import { Page } from "./page/page.ts";
import { pageRoutes } from "./page/page-routes.ts";
import type { RoleName } from "./role.ts";
import type { SideName, SideSettings } from "./side.ts";
import { endlessly, SideClient } from "./side-client.ts";
import { type EndingSide, endSides } from "./side-ends.ts";
import { processLog, setLogLevel } from "./side-machine.ts";
import { SideReload } from "./side-reload.ts";
import { VolumeKeeper } from "./volume-keeper.ts";
import { wireToken } from "./wire-token.ts";

interface RunningSide extends EndingSide {
  readonly client: SideClient;
  readonly thread: Thread;
  isStarted: boolean;
}

/** As published. */
const counterNames = ["writes_total", "write_bytes_total", "reads_total", "read_bytes_total"];

const threadModules: Readonly<Record<SideName, URL>> = {
  local: new URL("./local-side.ts", import.meta.url),
  remote: new URL("./remote-side.ts", import.meta.url),
};

export class Program {
  #config: Config;
  readonly #roles: readonly RoleName[];
  readonly #log: Log;
  readonly #machine: Machine;
  readonly #counters = shareCounters(counterNames, []);
  readonly #sides: RunningSide[] = [];
  readonly #failure = Promise.withResolvers<never>();
  #locks: FolderLock[] = [];
  #api: ControlApi | undefined;
  #certificate: ApiCertificate | undefined;
  #listener: HttpListener | undefined;
  #control: ControlPlane | undefined;
  /** As they were when they were read. */
  #contents: FileContents = new Map();
  readonly #sideReload = new SideReload();
  #isEnding = false;
  #beginning: Promise<void> = Promise.resolve();

  /** Throws if the configuration cannot be used. */
  constructor(config: Config, roles: readonly RoleName[]) {
    checkConfig(config, roles);
    this.#config = config;
    this.#roles = roles;
    this.#log = processLog(config);
    this.#machine = nodeMachine(this.#log);
    this.#failure.promise.catch(() => {});
  }

  /** Called once. Resolves when all that was asked for runs, the volumes aside: they open one by one. */
  async start(): Promise<void> {
    this.#beginning = this.#begin();
    try {
      await Promise.race([this.#beginning, this.#failure.promise]);
    } catch (error) {
      if (!this.#isEnding) this.#abandon();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    this.#locks = await takeFolders(this.#machine.files, this.#config, this.#roles);
    this.#contents = contentsOf(this.#config);
    const { clock } = this.#machine;
    const certificate = new ApiCertificate({ files: this.#config.http.tls, clock, log: this.#log });
    this.#certificate = certificate;
    const token = readToken(this.#config.http, "http");
    const api = ControlApi.open({
      ...{ config: this.#config, roles: this.#roles, machine: this.#machine, version: programVersion() },
      ...{ token, certificate },
    });
    this.#api = api;
    const settings = await this.#settings();
    if (this.#roles.includes("remote")) await this.#startSide("remote", settings);
    const isLocal = this.#roles.includes("interceptor") || this.#roles.includes("local");
    const local = isLocal ? await this.#startSide("local", settings) : undefined;
    const keeper = local !== undefined && this.#roles.includes("interceptor") ? await this.#keeper(local) : undefined;
    const sides = this.#sides.map(({ client }) => client);
    const { nbdTls: nbd, wireTls: wire } = settings.secrets;
    const credentials = () => ({ nbd, wire, http: certificate.shown });
    const troubles = () => certificate.troubles;
    const scrape = new Scrape({ config: this.#config, roles: this.#roles, sides, keeper, credentials, troubles });
    this.#control = new ControlPlane({
      version: programVersion(),
      roles: this.#roles,
      sides,
      keeper,
      nbdWithTls: settings.secrets.nbdTls !== undefined,
      counters: countersOver(this.#counters),
      ...{ clock, troubles },
    });
    this.#refuseToGoOn();
    await this.#openApi(api, [...metricsRoutes(scrape), ...pageRoutes(new Page(nodeModuleSource))]);
    keeper?.openAll();
  }

  async #settings(): Promise<SideSettings> {
    const config = this.#config;
    const secrets = {
      nbdTls: readCredentials(config.nbd.tls, "nbd.tls"),
      wireTls: readCredentials(config.wire.tls, "wire.tls"),
      wireToken: await wireToken(config, this.#roles, this.#machine),
    };
    return { config, roles: this.#roles, secrets, counters: this.#counters };
  }

  async #startSide(name: SideName, settings: SideSettings): Promise<SideClient> {
    this.#refuseToGoOn();
    const thread = startThread(threadModules[name], name, settings);
    const client = new SideClient(name, thread, this.#machine.clock);
    const side = { client, thread, isStarted: false };
    this.#sides.push(side);
    const ended = thread.ended.then((error) => {
      this.#sideEnded(name, error);
      throw new StopError(`the ${name} side has ended`);
    });
    ended.catch(() => {});
    // Recovery reads what was left behind, however much that is.
    await Promise.race([client.ask("start", null, endlessly), ended]);
    side.isStarted = true;
    client.watch();
    return client;
  }

  /** A start that is told to stop begins nothing more. */
  #refuseToGoOn(): void {
    if (this.#isEnding) throw new StopError("the program is about to end");
  }

  #sideEnded(name: SideName, error: Error | undefined): void {
    if (this.#isEnding) return;
    // Only a fault of this program's own is worth the place in the code.
    this.#log.error("a thread has failed, and the process ends with it", { side: name, error });
    this.#failure.reject(
      new StopError(`the ${name} side has failed: ${error?.message ?? "it has ended"}`, { cause: error }),
    );
  }

  async #keeper(side: SideClient): Promise<VolumeKeeper> {
    const { files, randomness, clock } = this.#machine;
    const catalogue = Catalogue.open(files, cataloguePath(this.#config));
    const opened = openedVolumesFolder(this.#config);
    const listed = (): readonly string[] => (files.exists(opened) ? files.list(opened) : []);
    await catalogue.noteEarlierRemovals(listed).catch((error: Error) => {
      this.#log.warn("what was removed earlier could not be noted: the next start tries it again", { error });
    });
    return new VolumeKeeper({ catalogue, side, randomness, clock, log: this.#log });
  }

  async #openApi(api: ControlApi, routes: readonly Route[]): Promise<void> {
    const { host, port } = this.#config.http;
    const listen = async (): Promise<SocketAddress> => {
      this.#listener = await api.listen(this.control, routes);
      return { kind: "tcp", host: this.#listener.host, port: this.#listener.port };
    };
    await listenInWords({ kind: "tcp", host, port }, { forWhom: "commands", settings: "http.port" }, listen);
  }

  get control(): ControlPlane {
    if (this.#control === undefined) throw new AssertionError("a program has a control plane once it was started");
    return this.#control;
  }

  get apiUrl(): string {
    const { host, port } = this.#listener ?? this.#config.http;
    const scheme = this.#config.http.tls.certFile === undefined ? "http" : "https";
    return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  /** Takes over what can be while it runs, and tells what waits for the next start. Rejects only where nothing has changed. */
  async reload(config: Config): Promise<Reload> {
    checkConfig(config, this.#roles);
    const changes = changesOf(this.#config, config);
    const next = withLive(this.#config, config);
    // Throws where it cannot be used, when nothing has changed yet. Who gives up TLS may have removed the files already.
    const keepsTls = !changes.waiting.includes("http.tls.certFile");
    const shown = keepsTls ? (this.#certificate?.take(next.http.tls) ?? []) : [];
    const changed = changedContents(this.#contents, contentsOf(config)).filter((key) => !isLive(key));
    this.#config = next;
    setLogLevel(next.log.level);
    const sides = this.#sides.map(({ client }) => client);
    const { taken, failures } = await this.#sideReload.tell(sides, { config: next, changed: changes.taken });
    const anew = (keys: readonly string[]): readonly string[] =>
      keys.filter((key) => !taken.includes(key) && !changes.waiting.includes(key)).map(withOtherContent);
    const reload = { taken: [...taken, ...anew(shown)], waiting: [...changes.waiting, ...anew(changed)], failures };
    this.#log[failures.length === 0 ? "info" : "warn"]("the configuration was read again", { ...reload });
    return reload;
  }

  /** Rejects when a part has failed: then the process must end. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /**
   * NBD first, then the interceptors, the local appliance, the remote one. What is still being started is left as a kill
   * would leave it, for the next start: nothing was promised there.
   */
  async stop(): Promise<Farewell> {
    this.#isEnding = true;
    for (const { thread, isStarted } of this.#sides) if (!isStarted) thread.end();
    await this.#beginning.catch(() => {});
    for (const { client } of this.#sides) client.unwatch();
    const farewells = await endSides(this.#sides.toReversed());
    await this.#api?.close();
    for (const lock of this.#locks) lock.release();
    return { ...joinFarewells(farewells), writes: countersOver(this.#counters).read().writes_total ?? 0 };
  }

  /** Nothing is promised yet, so nothing has to be brought to an end. */
  #abandon(): void {
    this.#isEnding = true;
    for (const { client, thread } of this.#sides) {
      client.unwatch();
      thread.end();
    }
    void this.#api?.close();
    for (const lock of this.#locks) lock.release();
  }
}

function withOtherContent(key: string): string {
  return `${key} (the file has another content)`;
}
