/**
 * The protected path as its users start it: all roles in one process, or each in one of its own. On a data folder of its
 * own that goes with it, since journals keep everything that was ever written.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { StatusReport } from "#src/control/control-plane.ts";
import type { RoleName } from "#src/control/role.ts";
import type { VolumeRequest } from "#src/control/volume-keeper.ts";
import { type ProcessUsage, totalUsage } from "./process-usage.ts";
import type { Scratch } from "./scratch.ts";
import { launcher, socketUri, startListening } from "./server.ts";

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
}

export type TidemarkVolume = Pick<VolumeRequest, "name" | "source" | "sizeBytes">;

export interface RunningTidemark extends AsyncDisposable {
  /** Of the volumes, in their order. */
  readonly uris: readonly [string, ...string[]];
  readonly processIds: Readonly<Partial<Record<RoleName | "up", number>>>;
  /** Throws unless all volumes are open, and protected in the mode that was asked for. */
  check(): Promise<void>;
  /** Resolves when sources and remote have everything. */
  settle(): Promise<void>;
  status(): Promise<Protection>;
  usage(): Promise<ProcessUsage>;
}

/** What there is to know of volumes and groups, whichever process told it. */
export type Protection = Pick<StatusReport, "volumes" | "groups">;

type ProcessName = RoleName | "up";

const pollMs = 20;
const readyMs = 30_000;
const settleMs = 120_000;
const copyMs = 300_000;

export async function startTidemark(setup: TidemarkSetup): Promise<RunningTidemark> {
  await using stack = new AsyncDisposableStack();
  await mkdir(setup.dataFolder);
  stack.defer(() => rm(setup.dataFolder, { recursive: true }));
  // In an order in which each finds those it needs.
  const names = setup.processes === "one" ? (["up"] as const) : (["remote", "local", "interceptor"] as const);
  const apis: string[] = [];
  const processIds: Partial<Record<ProcessName, number>> = {};
  for (const name of names) {
    const { process, root } = await launch(name, setup);
    processIds[name] = stack.use(process).processId;
    await answering(root);
    if (name === "remote") await setup.remoteStarted?.(setup.sockets.file("wire"));
    // The remote one has nothing to say of volumes, and may be stopped.
    if (name !== "remote") apis.push(`${root}/api/v1`);
  }
  for (const volume of setup.volumes) {
    // The interceptors run in the last process, or in the only one.
    await ask(`${apis.at(-1)}/volumes`, { method: "POST", body: volume });
  }
  const status = async () => mergeStatus(await Promise.all(apis.map((api) => ask<StatusReport>(`${api}/status`))));
  await until(status, (protection) => unprotected(protection, setup.mode), readyMs);
  // What a source has already is copied to the remote first; a host's writes are what is measured.
  await until(status, uncopied, copyMs);
  const parts = stack.move();
  return {
    uris: setup.volumes.map(({ name }) => socketUri(setup.sockets.file("nbd"), name)) as [string, ...string[]],
    processIds,
    status,
    check: async () => {
      const why = unprotected(await status(), setup.mode);
      if (why !== undefined) throw new Error(`tidemark does not protect: ${why}`);
    },
    settle: () => until(status, unsettled, settleMs),
    usage: () => totalUsage(Object.values(processIds)),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function launch(name: ProcessName, { dataFolder, sockets, mode, remoteAddress }: TidemarkSetup) {
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
    modes: { default: mode },
    log: { level: "warn" },
  };
  // JSON is YAML too.
  await writeFile(configFile, JSON.stringify(config));
  const ready = { up: "nbd", interceptor: "nbd", local: "local", remote: "wire" } as const;
  const process = await startListening({
    name: `tidemark ${name}`,
    command: [globalThis.process.execPath, launcher, name, "--config", configFile],
    socket: socket(ready[name]),
  });
  return { process, root: `http://127.0.0.1:${port}` };
}

/** The API opens its door last. */
async function answering(root: string): Promise<void> {
  const deadline = performance.now() + readyMs;
  for (;;) {
    try {
      if ((await fetch(`${root}/healthz`)).ok) return;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`nobody answers at ${root}`, { cause: error });
    }
    await wait(pollMs);
  }
}

/** Free a moment ago, at least. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}

async function ask<Answer>(
  url: string,
  request: { method: string; body: object } | undefined = undefined,
): Promise<Answer> {
  // Between two questions there is a measurement, for which no server keeps a connection open.
  const headers = { connection: "close" };
  const options =
    request === undefined
      ? { headers }
      : {
          method: request.method,
          headers: { ...headers, "content-type": "application/json" },
          body: JSON.stringify(request.body),
        };
  const response = await fetch(url, options);
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${url}: ${(answer as { detail?: string }).detail ?? response.status}`);
  return answer as Answer;
}

/** The local side of one tells of groups, that of another of volumes, and that of `up` of both. */
export function mergeStatus(reports: readonly Protection[]): Protection {
  return {
    volumes: reports.flatMap(({ volumes }) => volumes),
    groups: reports.flatMap(({ groups }) => groups),
  };
}

/** Why what is written is not protected in this mode, if so. */
export function unprotected({ volumes, groups }: Protection, mode: Mode): string | undefined {
  if (volumes.length === 0 || groups.length === 0) return "there is no volume, or no group";
  for (const { name, state, why } of volumes) {
    if (state !== "open") return `volume ${name} is ${state}${why === undefined ? "" : ` (${why})`}`;
  }
  for (const group of groups) {
    if (!group.linkUp) return `group ${group.name} has no link (${group.linkWhy ?? "not yet"})`;
    if (group.mode !== mode || group.state !== "steady") {
      return `group ${group.name} is ${group.state} in ${group.mode}${group.why === undefined ? "" : ` (${group.why})`}`;
    }
  }
  return undefined;
}

/** What the remote does not have of what was there before, if anything. */
export function uncopied(protection: Protection): string | undefined {
  const copied = protection.volumes.find(({ copy }) => copy !== undefined);
  return copied === undefined ? unsettled(protection) : `volume ${copied.name} is being copied`;
}

/** What is still on its way, if anything. */
export function unsettled({ volumes, groups }: Protection): string | undefined {
  const behind = volumes.find(({ added, applied }) => applied < added);
  if (behind !== undefined) return `volume ${behind.name} has applied ${behind.applied} of ${behind.added} writes`;
  const lagging = groups.find(({ lagRecords }) => lagRecords > 0);
  return lagging === undefined ? undefined : `group ${lagging.name} lags by ${lagging.lagRecords} records`;
}

async function until(
  status: () => Promise<Protection>,
  missing: (protection: Protection) => string | undefined,
  patienceMs: number,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const why = missing(await status());
    if (why === undefined) return;
    if (performance.now() > deadline) throw new Error(`after ${patienceMs} ms still: ${why}`);
    await wait(pollMs);
  }
}
