/**
 * What chaos happens to: both sites as three processes on small disks of their own, a network of two proxies between them, clocks that
 * can be set, and a Prometheus with the shipped rules that looks on. Nobody may end but who is meant to.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { StatusReport, VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { WantedMode } from "#src/control/role.ts";
import { GiB } from "#src/core/limits.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import { freePort } from "#test/oracle/free-ports.ts";
import { LinkProxy } from "#test/oracle/link-proxy.ts";
import { isStopped } from "#test/oracle/process-facts.ts";
import type { Program } from "#test/oracle/program.ts";
import { settableClock } from "#test/oracle/settable-clock.ts";
import { type RoleName, roleNames, Sites } from "#test/oracle/sites.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { Alarms } from "./alarms.ts";
import { FillableFolder } from "./fillable-folder.ts";
import { FrameProxy } from "./frame-proxy.ts";
import { RemotePower } from "./remote-power.ts";
import { smallDisk } from "./small-disk.ts";
import { TurnLock } from "./turn-lock.ts";
import { until } from "./until.ts";

export const stampedVolume = "disk";
export const databaseVolume = "database";
const askMs = 30_000;
const localDiskBytes = GiB;
const remoteDiskBytes = 6 * GiB;
const poweredChance = 0.4;

export interface WorldOptions {
  readonly folder: TemporaryFolder;
  readonly random: SeededRandom;
  readonly sizeBytes: number;
  readonly databaseBytes: number;
  readonly complain: (words: string) => void;
}

/** All of them small, so that everything happens many times. What a site does when it is in need is drawn. */
function settingsOf(folder: string, random: SeededRandom): Record<string, unknown> {
  return {
    local: { socket: join(folder, "local.sock"), spool: { segment: "4M", limit: random.pick(["32M", "64M"]) } },
    views: { listen: join(folder, "views.sock") },
    store: {
      sealAfterSeconds: random.between(1, 4),
      sealBehind: 0,
      snapshots: { everySeconds: random.between(3, 8), everyRecords: 8000 },
      retention: { keepSeconds: 240, levels: "30s 1s, 90s 5s", marksSeconds: 120 },
      collect: { everySeconds: random.between(10, 20), graceSeconds: 1 },
      scrub: { everySeconds: random.between(10, 30) },
    },
    modes: {
      default: random.pick(["sync", "async"]),
      linkLoss: random.pick(["degrade", "stall"]),
      degradeAfterSeconds: 2,
      overflow: random.pick(["track", "stall"]),
      overflowAfterSeconds: 1,
      aggregateSeconds: 0.2,
    },
    interceptor: {
      checkpointSeconds: 1,
      applianceLost: random.pick(["track", "stall"]),
      trackAfterSeconds: 1,
      sourceFull: "wait",
    },
  };
}

export class World {
  readonly folder: TemporaryFolder;
  readonly sites: Sites;
  readonly link: LinkProxy;
  readonly frames: FrameProxy;
  readonly disks: { readonly local: FillableFolder; readonly remote: FillableFolder };
  /** Of whoever does something to the remote's disk. */
  readonly remoteTurn = new TurnLock();
  /** Undefined: nobody can cut the power of the remote's disk. */
  readonly power: RemotePower | undefined;
  readonly jump: (offsetMs: number) => void;
  readonly alarms: Alarms;
  readonly databaseUri: string;
  readonly #complain: (words: string) => void;
  /** Those that are to end. */
  readonly #sentenced = new Set<Program>();
  readonly #names = new Map<Program, string>();
  #started = 0;

  private constructor(parts: Omit<WorldOptions, "random" | "sizeBytes" | "databaseBytes"> & WorldParts) {
    this.folder = parts.folder;
    this.sites = parts.sites;
    this.link = parts.link;
    this.frames = parts.frames;
    this.disks = parts.disks;
    this.jump = parts.jump;
    this.alarms = parts.alarms;
    this.databaseUri = parts.databaseUri;
    this.power = parts.power;
    this.#complain = parts.complain;
    this.#watch(roleNames);
  }

  static async make({ folder, random, sizeBytes, databaseBytes, complain }: WorldOptions): Promise<World> {
    const here = await smallDisk(folder, "here", localDiskBytes);
    const power = random.chance(poweredChance) ? await RemotePower.make(folder, remoteDiskBytes) : undefined;
    const there = power?.path ?? (await smallDisk(folder, "there", remoteDiskBytes));
    const disks = { local: new FillableFolder(here), remote: new FillableFolder(there) };
    const data = {
      interceptor: join(here, "i"),
      local: join(here, "l"),
      remote: join(there, "r"),
    };
    for (const path of Object.values(data)) await mkdir(path);
    const [link, frames, wire] = [folder.file("link.sock"), folder.file("frames.sock"), folder.file("wire.sock")];
    const { jump, clocks } = settableClock(folder.file("clock-offset"));
    const ports = { interceptor: await freePort(), local: await freePort(), remote: await freePort() };
    const http = (role: RoleName) => ({ http: { port: ports[role] } });
    const settings = settingsOf(folder.path, random);
    const proxies = {
      frames: await FrameProxy.between({ path: frames }, { path: wire }),
      link: await LinkProxy.between({ path: link }, { path: frames }),
    };
    const sites = await Sites.make({
      places: { folder: folder.path, data, source: join(here, "source") },
      ...{ sizeBytes, mode: "async", remoteAddress: link, settings, ...clocks },
      settingsOf: { interceptor: http("interceptor"), local: http("local"), remote: http("remote") },
      ...(power === undefined ? {} : { bootIdFiles: { remote: power.bootIdFile } }),
    });
    const order = { name: databaseVolume, source: join(here, "database-source"), sizeBytes: databaseBytes };
    const { uris } = (await asked(sites, "interceptor", "POST", "/volumes", order)) as VolumeReport;
    const alarms = await Alarms.start(
      folder.path,
      roleNames.map((role) => sites.api(role)),
    );
    writeFileSync(folder.file("settings.json"), JSON.stringify(settings, undefined, 2));
    const databaseUri = uris[0] as string;
    return new World({ folder, sites, ...proxies, disks, power, jump, alarms, databaseUri, complain });
  }

  // Processes

  /** At the same moment. */
  async kill(...roles: readonly RoleName[]): Promise<void> {
    for (const role of roles) this.#sentenced.add(this.sites.program(role));
    await this.sites.kill(...roles);
    this.keepWords();
  }

  async start(...roles: readonly RoleName[]): Promise<void> {
    await this.sites.start(...roles);
    this.#watch(roles);
  }

  async stop(...roles: readonly RoleName[]): Promise<void> {
    for (const role of roles) this.#sentenced.add(this.sites.program(role));
    await this.sites.stop(...roles);
    this.keepWords();
  }

  #watch(roles: readonly RoleName[]): void {
    for (const role of roles) {
      const program = this.sites.program(role);
      this.#names.set(program, `${++this.#started}-${role}`);
      void program.ended.then(({ code, signal }) => {
        if (this.#sentenced.has(program)) return;
        this.#complain(`${role} ended by itself with ${code ?? signal}: ${program.stderr.trim().split("\n").at(-1)}`);
      });
    }
  }

  /** What all programs have said so far, in the folder. */
  keepWords(): void {
    const logs = this.folder.file("logs");
    mkdirSync(logs, { recursive: true });
    for (const [program, name] of this.#names) {
      writeFileSync(join(logs, `${name}.log`), program.stderr);
      if (!program.isRunning) this.#names.delete(program);
    }
  }

  /** The process that keeps the store, and the one that serves views; there may be none. */
  childOfRemote(which: "keeper" | "views"): number | undefined {
    const parent = this.sites.program("remote").processId;
    return childrenOf(parent).find((id) => commandOf(id).includes("no-way-given") === (which === "views"));
  }

  /** For a look at the store's objects, none of which goes meanwhile. */
  whileKeeperFrozen(look: () => void): void {
    const id = this.childOfRemote("keeper");
    if (id === undefined) return look();
    process.kill(id, "SIGSTOP");
    try {
      while (!isStopped(id));
      look();
    } finally {
      process.kill(id, "SIGCONT");
    }
  }

  // What is asked and ordered

  asked(role: RoleName, method: string, path: string, body?: object): Promise<unknown> {
    return asked(this.sites, role, method, path, body);
  }

  /** Orders a long work over the store; resolves with what came of it, rejects where it fails. */
  async worked(kind: "scrub" | "verify", wish: object = {}): Promise<JobReport> {
    const { id } = await until(`a ${kind} is taken`, async () => {
      return (await this.asked("remote", "POST", `/store/${kind}`, wish)) as JobReport;
    });
    const job = await until(`${kind} ${id} has ended`, async () => {
      const found = (await this.asked("remote", "GET", `/jobs/${id}`)) as JobReport;
      if (found.state === "waiting" || found.state === "running") throw new Error(`it is ${found.state}: ${found.why}`);
      return found;
    });
    if (job.state !== "done") throw new Error(`${kind} ${id} is ${job.state}: ${job.why}`);
    return job;
  }

  async status(role: RoleName): Promise<StatusReport> {
    return (await this.asked(role, "GET", "/status")) as StatusReport;
  }

  async volume(name: string): Promise<VolumeReport> {
    const { volumes } = await this.status("interceptor");
    const found = volumes.find((volume) => volume.name === name);
    if (found === undefined) throw new Error(`there is no volume ${name}`);
    return found;
  }

  async group(name: string) {
    const { groups } = await this.status("local");
    const found = groups.find((group) => group.name === name);
    if (found === undefined) throw new Error(`there is no group ${name}`);
    return found;
  }

  setMode(name: string, mode: WantedMode): Promise<unknown> {
    return this.asked("local", "PUT", `/groups/${name}/mode`, { mode });
  }

  connect(name: string): Promise<NbdClient> {
    return until(`volume ${name} can be attached`, async () => {
      const { state, uris } = await this.volume(name);
      if (state !== "open" && state !== "tracking") throw new Error(`it is ${state}`);
      return openVolume(uris[0] as string);
    });
  }

  /** Resolves when all is as on a good day. */
  async recovered(): Promise<void> {
    await until("everything is as on a good day", async () => {
      const { volumes } = await this.status("interceptor");
      const { groups } = await this.status("local");
      const { remoteGroups } = await this.status("remote");
      const isWell =
        volumes.every(({ state, copy, baseMissing }) => state === "open" && copy === undefined && !baseMissing) &&
        groups.length === volumes.length &&
        groups.every(({ linkUp, state }) => linkUp && state === "steady") &&
        remoteGroups.length === groups.length &&
        remoteGroups.every(({ state }) => state === "open");
      if (!isWell) throw new Error(JSON.stringify({ volumes, groups, remoteGroups }));
    });
  }

  /** Resolves with its group as it is when nothing of a volume is under way; nobody may write to it. */
  calm(name: string) {
    return until(`${name} is calm`, async () => {
      const [volume, group] = await Promise.all([this.volume(name), this.group(name)]);
      const isCalm = group.lagRecords === 0 && group.durable === group.lastSeq && volume.applied === volume.added;
      if (!isCalm) throw new Error(JSON.stringify({ volume, group }));
      return group;
    });
  }
}

type WorldParts = Pick<World, "sites" | "link" | "frames" | "disks" | "power" | "jump" | "alarms" | "databaseUri">;

async function asked(sites: Sites, role: RoleName, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${sites.api(role)}/api/v1${path}`, {
    method,
    signal: AbortSignal.timeout(askMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path} of ${role}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((id) => parentOf(id) === parent);
}

function parentOf(id: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1]);
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

function commandOf(id: number): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
