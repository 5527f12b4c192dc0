/**
 * What chaos happens to: both sites as three processes on small disks of their own, a network of two proxies between them, clocks that
 * can be set, and a Prometheus with the shipped rules that looks on. Nobody may end but who is meant to.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { StatusReport, VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { WantedMode } from "#src/control/role.ts";
import { GiB } from "#src/core/limits.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import { freePort } from "#test/oracle/free-ports.ts";
import { LinkProxy, type ProxyAddress } from "#test/oracle/link-proxy.ts";
import { isStopped } from "#test/oracle/process-facts.ts";
import type { Program } from "#test/oracle/program.ts";
import { settableClock } from "#test/oracle/settable-clock.ts";
import { type RoleName, roleNames, Sites } from "#test/oracle/sites.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { Alarms } from "./alarms.ts";
import { ask } from "./asked.ts";
import { childrenOf, commandOf } from "./child-processes.ts";
import { FarMachine } from "./far-machine.ts";
import { FillableFolder } from "./fillable-folder.ts";
import { FrameProxy } from "./frame-proxy.ts";
import { SitePower } from "./site-power.ts";
import { smallDisk } from "./small-disk.ts";
import { TurnLock } from "./turn-lock.ts";
import { until } from "./until.ts";
import { settingsOf } from "./world-settings.ts";

export const stampedVolume = "disk";
export const databaseVolume = "database";
const localDiskBytes = GiB;
const remoteDiskBytes = 6 * GiB;
const poweredChance = 0.4;
/** In some worlds the remote appliance is on a machine of its own; in some nobody is killed, so that programs live long and may grow. */
const farChance = 0.5;
const steadyChance = 0.25;

export interface WorldOptions {
  readonly folder: TemporaryFolder;
  readonly random: SeededRandom;
  readonly sizeBytes: number;
  readonly databaseBytes: number;
  readonly complain: (words: string) => void;
}

export class World {
  readonly folder: TemporaryFolder;
  readonly sites: Sites;
  readonly link: LinkProxy;
  readonly frames: FrameProxy;
  readonly disks: { readonly local: FillableFolder; readonly remote: FillableFolder };
  /** Of whoever does something to the disk of a site. */
  readonly turns = { local: new TurnLock(), remote: new TurnLock() };
  /** Undefined: nobody can cut the power of the disk of that site. */
  readonly power: SitesPower;
  /** Undefined: it is on this machine, and the wire a Unix socket. */
  readonly far: FarMachine | undefined;
  /** Nobody is killed. */
  readonly isSteady: boolean;
  readonly jump: (offsetMs: number) => void;
  readonly alarms: Alarms;
  readonly databaseUri: string;
  /** Where anybody may knock, by the name of the door. */
  readonly doors: Readonly<Record<"nbd" | "wire" | RoleName, ProxyAddress>>;
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
    this.far = parts.far;
    this.isSteady = parts.isSteady;
    this.doors = parts.doors;
    this.#complain = parts.complain;
    this.#watch(roleNames);
  }

  static async make({ folder, random, sizeBytes, databaseBytes, complain }: WorldOptions): Promise<World> {
    const power: SitesPower = {
      local: undefined,
      remote: random.chance(poweredChance) ? await SitePower.make(folder, "there", remoteDiskBytes) : undefined,
    };
    const here = power.local?.path ?? (await smallDisk(folder, "here", localDiskBytes));
    const there = power.remote?.path ?? (await smallDisk(folder, "there", remoteDiskBytes));
    const disks = { local: new FillableFolder(here), remote: new FillableFolder(there) };
    const data = {
      interceptor: join(here, "i"),
      local: join(here, "l"),
      remote: join(there, "r"),
    };
    for (const path of Object.values(data)) await mkdir(path);
    const { jump, clocks } = settableClock(folder.file("clock-offset"));
    const ports = { interceptor: await freePort(), local: await freePort(), remote: await freePort() };
    const settings = settingsOf(folder.path, random);
    const far = random.chance(farChance) ? await FarMachine.make(folder) : undefined;
    await far?.bringOut(ports.remote);
    const line = await lineBetween(folder, far);
    const http = (role: RoleName) => ({ http: { port: ports[role] } });
    const sites = await Sites.make({
      places: { folder: folder.path, data, source: join(here, "source") },
      ...{ sizeBytes, mode: "async", remoteAddress: line.remoteAddress, settings, ...clocks },
      settingsOf: {
        interceptor: http("interceptor"),
        local: { ...http("local"), ...line.settings.local },
        remote: { ...http("remote"), ...line.settings.remote },
      },
      ...(far === undefined ? {} : { underOf: { remote: far.under } }),
      bootIdFiles: bootIdFilesOf(power),
    });
    const order = { name: databaseVolume, source: join(here, "database-source"), sizeBytes: databaseBytes };
    const question = { role: "interceptor", method: "POST", path: "/volumes", body: order } as const;
    const { uris } = (await ask(sites, question)) as VolumeReport;
    const targets = Object.fromEntries(roleNames.map((role) => [role, sites.api(role)])) as Record<RoleName, string>;
    const alarms = await Alarms.start(folder.path, targets);
    const isSteady = random.chance(steadyChance);
    writeFileSync(folder.file("settings.json"), JSON.stringify({ isSteady, ...settings }, undefined, 2));
    const at = (port: number) => ({ host: "127.0.0.1", port });
    const doors = {
      ...{ nbd: { path: join(folder.path, "nbd.sock") }, wire: line.wire },
      ...{ interceptor: at(ports.interceptor), local: at(ports.local), remote: at(ports.remote) },
    };
    const { link, frames } = line;
    const databaseUri = uris[0] as string;
    return new World({
      folder,
      sites,
      link,
      frames,
      far,
      isSteady,
      doors,
      disks,
      power,
      jump,
      alarms,
      databaseUri,
      complain,
    });
  }

  get inWords(): string {
    const words = [
      this.far === undefined ? "one machine" : "two machines",
      `power that goes ${this.power.local === undefined ? "never" : "now and then"} here`,
      `${this.power.remote === undefined ? "never" : "now and then"} there`,
      this.isSteady ? "nobody is killed" : "anybody may be killed",
    ];
    return words.join(", ");
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

  /** It dies when it has come so often to a place that has a name; before that it does what it always does. */
  async startDoomed(role: RoleName, order: string): Promise<void> {
    this.sites.faults = [order];
    try {
      await this.sites.start(role);
      this.#sentenced.add(this.sites.program(role));
      this.#watch([role]);
    } catch {
      // It was dead before it was ready.
    } finally {
      this.sites.faults = [];
    }
  }

  /** Resolves with what it has said at its end. */
  async startAnother(role: RoleName): Promise<{ readonly code: number | null; readonly stderr: string }> {
    const program = await this.sites.another(role);
    const { code } = await program.ended;
    return { code, stderr: program.stderr };
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

  asked(role: RoleName, method: string, path: string, body?: object, withinMs?: number): Promise<unknown> {
    return ask(this.sites, { role, method, path, body, ...(withinMs === undefined ? {} : { withinMs }) });
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

  async status(role: RoleName, withinMs?: number): Promise<StatusReport> {
    return (await this.asked(role, "GET", "/status", undefined, withinMs)) as StatusReport;
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

type SitesPower = Readonly<Record<"local" | "remote", SitePower | undefined>>;

function bootIdFilesOf({ local, remote }: SitesPower): Partial<Record<RoleName, string>> {
  return {
    ...(local === undefined ? {} : { interceptor: local.bootIdFile, local: local.bootIdFile }),
    ...(remote === undefined ? {} : { remote: remote.bootIdFile }),
  };
}

type WorldParts = Pick<World, "sites" | "disks" | "power" | "jump" | "alarms" | "databaseUri"> &
  Pick<World, "link" | "frames" | "far" | "isSteady" | "doors">;

/** What lies between the appliances: a proxy that knows nothing of what it passes on, and behind it one that knows frames. */
async function lineBetween(folder: TemporaryFolder, far: FarMachine | undefined) {
  const [near, between] = [folder.file("link.sock"), folder.file("frames.sock")];
  if (far === undefined) {
    const wire = { path: folder.file("wire.sock") };
    const frames = await FrameProxy.between({ path: between }, wire);
    const link = await LinkProxy.between({ path: near }, { path: between });
    return { frames, link, wire, remoteAddress: near, settings: { local: {}, remote: {} } };
  }
  const wire = { host: far.host, port: await freePort() };
  const frames = await FrameProxy.between({ path: between }, wire, far.tls);
  const link = await LinkProxy.between({ host: "127.0.0.1", port: 0 }, { path: between });
  const settings = far.wireOf(wire.port, folder.file("token"));
  return { frames, link, wire, remoteAddress: `127.0.0.1:${link.port}`, settings };
}
