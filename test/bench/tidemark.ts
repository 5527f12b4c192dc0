/**
 * The protected path as its users start it: all roles in one process, or each in one of its own. On a data folder of its
 * own that goes with it, since journals keep everything that was ever written.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { StatusReport } from "#src/control/control-plane.ts";
import type { RoleName } from "#src/control/role.ts";
import type { VolumeRequest } from "#src/control/volume-keeper.ts";
import { type ProcessUsage, totalUsage } from "./process-usage.ts";
import { mergeStatus, type Protection, uncopied, unprotected, unsettled, until } from "./protection.ts";
import type { Scratch } from "./scratch.ts";
import { launcher, socketUri, startListening } from "./server.ts";
import { answering, ask, freePort, readyMs } from "./tidemark-api.ts";

export interface TidemarkSetup {
  /** Made, and removed in the end. */
  readonly dataFolder: string;
  readonly sockets: Scratch;
  readonly mode: Mode;
  readonly volumes: readonly TidemarkVolume[];
  readonly processes: "one" | "one per role";
  /** Where the local appliance is to look for the remote one, and what is to be started between them. */
  readonly remoteAddress?: string;
  readonly remoteStarted?: (wireSocket: string) => Promise<void>;
  /** Settings of the interceptor, other than it has by itself. */
  readonly interceptor?: object;
  /** Likewise of these sections. */
  readonly settings?: { readonly modes?: object; readonly store?: object; readonly views?: object };
  /** Modules that each of its processes begins with. */
  readonly preloaded?: readonly string[];
}

export type TidemarkVolume = Pick<VolumeRequest, "name" | "source" | "sizeBytes" | "group">;

export interface RunningTidemark extends AsyncDisposable {
  /** Of the volumes, in their order. */
  readonly uris: readonly [string, ...string[]];
  uriOf(volume: string): string;
  /** Of the interceptors' process, or of the only one: what is asked there begins with it. */
  readonly api: string;
  /** Of each process. */
  readonly apis: Readonly<Partial<Record<RoleName | "up", string>>>;
  readonly processIds: Readonly<Partial<Record<RoleName | "up", number>>>;
  /** Throws unless all volumes are open, and protected in the mode that was asked for. */
  check(): Promise<void>;
  /** Resolves when sources and remote have everything. */
  settle(): Promise<void>;
  status(): Promise<Protection>;
  /** What the interceptor alone tells. */
  volumes(): Promise<Protection["volumes"]>;
  /** Resolves when the new volume is open, though what its source has is not copied yet. */
  add(volume: TidemarkVolume): Promise<void>;
  /** Resolves when nothing is left to be copied, and the remote has all of it durably. */
  copied(): Promise<void>;
  usage(): Promise<ProcessUsage>;
}

type ProcessName = RoleName | "up";

const settleMs = 120_000;
const copyMs = 300_000;

export async function startTidemark(setup: TidemarkSetup): Promise<RunningTidemark> {
  await using stack = new AsyncDisposableStack();
  await mkdir(setup.dataFolder);
  stack.defer(() => rm(setup.dataFolder, { recursive: true }));
  // In an order in which each finds those it needs.
  const names = setup.processes === "one" ? (["up"] as const) : (["remote", "local", "interceptor"] as const);
  const asked: string[] = [];
  const apis: Partial<Record<ProcessName, string>> = {};
  const processIds: Partial<Record<ProcessName, number>> = {};
  for (const name of names) {
    const { process, root } = await launch(name, setup);
    processIds[name] = stack.use(process).processId;
    apis[name] = root;
    await answering(root);
    if (name === "remote") await setup.remoteStarted?.(setup.sockets.file("wire"));
    // The remote one has nothing to say of volumes, and may be stopped.
    if (name !== "remote") asked.push(`${root}/api/v1`);
  }
  // The interceptors run in the last process, or in the only one.
  const interceptor = asked.at(-1) as string;
  const statusOf = (api: string) => ask<StatusReport>(`${api}/status`);
  const status = async () => mergeStatus(await Promise.all(asked.map(statusOf)));
  const opened = () => until(status, (protection) => unprotected(protection, setup.mode), readyMs);
  const copied = () => until(status, uncopied, copyMs);
  const post = (volume: TidemarkVolume) => ask(`${interceptor}/volumes`, { method: "POST", body: volume });
  for (const volume of setup.volumes) await post(volume);
  if (setup.volumes.length > 0) await opened();
  // What a source has already is copied to the remote first; a host's writes are what is measured.
  if (setup.volumes.length > 0) await copied();
  const uriOf = (name: string) => socketUri(setup.sockets.file("nbd"), name);
  const parts = stack.move();
  return {
    uris: setup.volumes.map(({ name }) => uriOf(name)) as [string, ...string[]],
    uriOf,
    api: interceptor.replace(/\/api\/v1$/, ""),
    apis,
    processIds,
    status,
    volumes: async () => (await statusOf(interceptor)).volumes,
    add: async (volume) => {
      await post(volume);
      await opened();
    },
    copied,
    check: async () => {
      const why = unprotected(await status(), setup.mode);
      if (why !== undefined) throw new Error(`tidemark does not protect: ${why}`);
    },
    settle: () => until(status, unsettled, settleMs),
    usage: () => totalUsage(Object.values(processIds)),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function launch(name: ProcessName, setup: TidemarkSetup) {
  const { dataFolder, sockets, mode, remoteAddress, interceptor = {}, settings = {}, preloaded = [] } = setup;
  const port = await freePort();
  const socket = (of: string) => sockets.file(of);
  const configFile = socket(`${name}.yaml`);
  const config = {
    data: dataFolder,
    http: { port },
    nbd: { port: "off", socket: socket("nbd") },
    wire: { port: "off", socket: socket("wire") },
    remote: name === "local" ? { address: remoteAddress ?? socket("wire") } : {},
    local: { socket: socket("local") },
    modes: { default: mode, ...settings.modes },
    store: settings.store ?? {},
    views: settings.views ?? {},
    interceptor,
    log: { level: "warn" },
  };
  // JSON is YAML too.
  await writeFile(configFile, JSON.stringify(config));
  const ready = { up: "nbd", interceptor: "nbd", local: "local", remote: "wire" } as const;
  const process = await startListening({
    name: `tidemark ${name}`,
    command: [
      ...([globalThis.process.execPath] as const),
      ...preloaded.map((module) => `--import=${module}`),
      ...[launcher, name, "--config", configFile],
    ],
    socket: socket(ready[name]),
  });
  return { process, root: `http://127.0.0.1:${port}` };
}
