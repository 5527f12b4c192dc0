/**
 * Both sites as real processes: interceptor, local and remote appliance, each with folders of its own, over Unix sockets;
 * or all of them in one process. Each can be killed, frozen and started again at any moment.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { RemoteGroupFacts, TraceEntry, WantedMode } from "#src/control/role.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { whenSeen } from "#test/patience.ts";
import { stampedBytes } from "./block-stamp.ts";
import { JournalReplay } from "./journal-replay.ts";
import { Program } from "./program.ts";
import { openVolume } from "./volume-client.ts";

const launcher = join(import.meta.dirname, "../../src/cli/launch.js");

export const roleNames = ["interceptor", "local", "remote"] as const;
export type RoleName = (typeof roleNames)[number];

export interface SitePlaces {
  /** Sockets and configurations. */
  readonly folder: string;
  /** Where each role keeps what must last. */
  readonly data: Readonly<Record<RoleName, string>>;
  /** The volume's source, a file that is made if it is not there. */
  readonly source: string;
}

export interface SitesOptions {
  readonly places: SitePlaces;
  readonly sizeBytes: number;
  readonly mode: Mode;
  /** Where the local appliance dials, if not straight to the remote one. */
  readonly remoteAddress?: string;
  /** More settings, for all roles. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** More of them, for one role alone. */
  readonly settingsOf?: Readonly<Record<RoleName, Readonly<Record<string, unknown>>>>;
  readonly bootIdFiles?: Readonly<Partial<Record<RoleName, string>>>;
  readonly preloads?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly under?: readonly string[];
  /** The same for one role alone: the machine that it runs on. */
  readonly underOf?: Readonly<Partial<Record<RoleName, readonly string[]>>>;
}

export interface GroupState {
  readonly epoch: number;
  readonly mode: string;
  readonly state: string;
  readonly why?: string;
  readonly suspendedSinceSeq?: number;
  readonly lastSeq: number;
  readonly spoolDurableSeq: number;
  readonly linkUp: boolean;
  readonly received: number;
  readonly durable: number;
  readonly lagRecords: number;
  readonly lagBytes: number;
  readonly shippedBytes: number;
  readonly wireBytes: number;
  readonly wireFrames: number;
  readonly lagSeconds: number;
}

export interface VolumeState {
  readonly name: string;
  readonly state: string;
  readonly uris: readonly string[];
  /** Of hosts. */
  readonly connections: number;
  readonly added: number;
  readonly acknowledged: number;
  readonly applied: number;
  readonly baseMissing: boolean;
  readonly hostWaitSeconds?: number;
  readonly copy?: { readonly kind: string; readonly bytesDone: number };
}

interface Status {
  readonly volumes: readonly VolumeState[];
  readonly groups: readonly GroupState[];
  readonly remoteGroups: readonly RemoteGroupFacts[];
}

interface Running {
  readonly program: Program;
  readonly api: string;
}

export const volumeName = "disk";
const wordsMax = 1500;

export class Sites {
  /** Faults that were ordered for whoever is started from now on. */
  faults: readonly string[] = [];
  /** What the commands of whoever is started from now on are handed to, such as a tracer with its options. */
  under: readonly string[];
  readonly #options: SitesOptions;
  readonly #running = new Map<RoleName, Running>();

  private constructor(options: SitesOptions) {
    this.#options = options;
    this.under = options.under ?? [];
  }

  /** All running, with a volume that is open, and empty unless its source is there already. */
  static async make(options: SitesOptions): Promise<Sites> {
    const sites = new Sites(options);
    await writeFile(sites.#tokenFile, `${"0123456789abcdef".repeat(4)}\n`, { mode: 0o600 });
    await sites.start(...roleNames);
    const { source } = options.places;
    const made = existsSync(source) ? {} : { sizeBytes: options.sizeBytes };
    await sites.#ask("interceptor", "POST", "/volumes", { name: volumeName, source, ...made });
    await sites.open();
    return sites;
  }

  /** Made before, and ended. */
  static ended(options: SitesOptions): Sites {
    return new Sites(options);
  }

  get blockCount(): number {
    return this.#options.sizeBytes / stampedBytes;
  }

  get #tokenFile(): string {
    return join(this.#options.places.folder, "token");
  }

  get wireSocket(): string {
    return join(this.#options.places.folder, "wire.sock");
  }

  program(role: RoleName): Program {
    const running = this.#running.get(role);
    if (running === undefined) throw new Error(`${role} does not run`);
    return running.program;
  }

  /** The file with the settings of its last start. */
  configOf(role: RoleName): string {
    return join(this.#options.places.folder, `${role}.yaml`);
  }

  runs(role: RoleName): boolean {
    return this.#running.has(role);
  }

  /** Where its commands are answered. */
  api(role: RoleName): string {
    const running = this.#running.get(role);
    if (running === undefined) throw new Error(`${role} does not run`);
    return new URL(running.api).origin;
  }

  /** Resolves when all of them answer; they may well need each other to be ready. */
  async start(...roles: readonly RoleName[]): Promise<void> {
    await Promise.all(roles.map((role) => this.#start(role)));
  }

  /** Of a role that runs: with the same settings, on the same data. */
  another(role: RoleName): Promise<Program> {
    return this.#begin(role);
  }

  /** Resolves when it has ended by itself, be it before or after it was ready. */
  async startToDie(role: RoleName): Promise<void> {
    await (await this.#begin(role)).ended;
  }

  async #start(role: RoleName): Promise<void> {
    const program = await this.#begin(role);
    const ready = JSON.parse(await program.line((line) => line.startsWith("{")));
    this.#running.set(role, { program, api: `${new URL(ready.api).origin}/api/v1` });
  }

  async #begin(role: RoleName): Promise<Program> {
    const { bootIdFiles, preloads = [], environment = {}, underOf } = this.#options;
    // What holds now, not what does when the file is written.
    const under = [...(underOf?.[role] ?? []), ...this.under];
    const config = this.configOf(role);
    await writeFile(config, JSON.stringify(this.#config(role)));
    const bootIdFile = bootIdFiles?.[role];
    const command = [...under, process.execPath, launcher, role, "--config", config, "--json"];
    return new Program(role, command as [string, ...string[]], {
      preloads,
      environment,
      ...(bootIdFile === undefined ? {} : { bootIdFile }),
    });
  }

  #config(role: RoleName): object {
    const { places, remoteAddress, settings, settingsOf, mode } = this.#options;
    return {
      modes: { default: mode },
      data: places.data[role],
      http: { port: 0 },
      nbd: { port: "off", socket: join(places.folder, "nbd.sock") },
      local: { socket: join(places.folder, "local.sock"), spool: { segment: "4M", limit: "64M" } },
      wire: { port: "off", socket: this.wireSocket, tokenFile: this.#tokenFile },
      remote: { address: remoteAddress ?? this.wireSocket },
      faults: this.faults.length === 0 ? "none" : this.faults.join(","),
      ...settings,
      ...settingsOf?.[role],
    };
  }

  /** At the same moment, as far as there is such a thing. */
  async kill(...roles: readonly RoleName[]): Promise<void> {
    const programs = roles.map((role) => this.program(role));
    for (const role of roles) this.#running.delete(role);
    await Promise.all(programs.map((program) => program.kill()));
  }

  /** In good order. */
  async stop(...roles: readonly RoleName[]): Promise<void> {
    for (const role of roles) {
      await this.program(role).stop();
      this.#running.delete(role);
    }
  }

  async #ask(role: RoleName, method: string, path: string, body?: object): Promise<unknown> {
    const running = this.#running.get(role);
    if (running === undefined) throw new Error(`${role} does not run`);
    const response = await fetch(running.api + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} of ${role}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  async volume(): Promise<VolumeState> {
    const { volumes } = (await this.#ask("interceptor", "GET", "/status")) as Status;
    const [volume] = volumes;
    if (volume === undefined) throw new Error("there is no volume");
    return volume;
  }

  async group(): Promise<GroupState> {
    const { groups } = (await this.#ask("local", "GET", "/status")) as Status;
    const [group] = groups;
    if (group === undefined) throw new Error("there is no group");
    return group;
  }

  /** As the remote appliance itself tells it. */
  async remoteGroup(): Promise<RemoteGroupFacts> {
    const { remoteGroups } = (await this.#ask("remote", "GET", "/status")) as Status;
    const [group] = remoteGroups;
    if (group === undefined) throw new Error("the remote has no group");
    return group;
  }

  /** The life of the last writes. Whoever asks for the first time has them looked at from then on. */
  async trace(): Promise<readonly TraceEntry[]> {
    const answer = await this.#ask("interceptor", "GET", `/volumes/${volumeName}/trace`);
    return (answer as { readonly entries: readonly TraceEntry[] }).entries;
  }

  async setMode(mode: WantedMode): Promise<void> {
    await this.#ask("local", "PUT", `/groups/${volumeName}/mode`, { mode });
  }

  async unfence(): Promise<void> {
    await this.#ask("interceptor", "POST", `/volumes/${volumeName}/unfence`, {});
  }

  /** Resolves when the group's state is what the condition wants. */
  groupThat(condition: (group: GroupState) => boolean): Promise<GroupState> {
    const look = async () => {
      const group = await this.group();
      if (!condition(group)) throw new Error(`not what was waited for: ${JSON.stringify(group)}`);
      return group;
    };
    return whenSeen(look).catch((error: Error) => this.#explain(error));
  }

  /** Asks for a mode, and resolves when it is said to be the group's. */
  async reachMode(mode: Mode): Promise<GroupState> {
    await this.setMode(mode);
    return this.groupThat((group) => group.mode === mode);
  }

  /** Resolves with where to attach the volume, when its export is open. */
  open(): Promise<string> {
    const look = async () => {
      const { state, uris } = await this.volume();
      if (state !== "open") throw new Error(`the volume is ${state}`);
      return uris[0] as string;
    };
    return whenSeen(look).catch((error: Error) => this.#explain(error));
  }

  async connect(): Promise<NbdClient> {
    const uri = await this.open();
    return openVolume(uri).catch((error: Error) => this.#explain(error));
  }

  /** What the programs last had to say of it. */
  #explain(error: Error): never {
    const words = [...this.#running].map(([role, { program }]) => `${role}:\n${program.stderr.slice(-wordsMax)}`);
    throw new Error([error.message, ...words].join("\n"), { cause: error });
  }

  /** Resolves when nothing is under way any more: the source has all, and so has the remote, durably. */
  async calm(): Promise<GroupState> {
    const look = async () => {
      const [group, volume] = await Promise.all([this.group(), this.volume()]);
      const isCalm =
        group.linkUp && group.lagRecords === 0 && group.durable === group.lastSeq && volume.applied === volume.added;
      if (!isCalm) throw new Error(`not calm: ${JSON.stringify({ group, volume })}`);
      return group;
    };
    return whenSeen(look).catch((error: Error) => this.#explain(error));
  }

  /** The journals as they lie there at one moment. `group` may be left out where there is only one. */
  replay(group?: string): JournalReplay {
    const { local, remote } = this.#options.places.data;
    return this.#whileFrozen(["local", "remote"], () => new JournalReplay({ local, remote }, group));
  }

  /** The same from what the remote appliance has, as if the local site were lost. */
  remoteReplay(): JournalReplay {
    const { remote } = this.#options.places.data;
    return this.#whileFrozen(["remote"], () => new JournalReplay({ remote }));
  }

  /** Whichever of them run: what was sealed is removed beside everything else. */
  #whileFrozen<T>([role, ...others]: readonly RoleName[], look: () => T): T {
    if (role === undefined) return look();
    const rest = (): T => this.#whileFrozen(others, look);
    const running = this.#running.get(role);
    return running?.program.isRunning === true ? running.program.whileFrozen(rest) : rest();
  }

  dataOf(role: RoleName): string {
    return this.#options.places.data[role];
  }

  get source(): string {
    return this.#options.places.source;
  }
}
