/** Two machines as runbooks know them: `site` with interceptor and local appliance, `backup` with the remote one. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { run } from "#test/clients/command.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { patienceMs, whenSeen } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { freePorts, type Ports } from "./readme.ts";
import { launcher } from "./running-program.ts";

export type MachineName = "site" | "backup";
export type RoleName = "interceptor" | "local" | "remote";

const stepMs = 5 * patienceMs;
const ports = ["7878", "7879", "7880", "7881", "10809"];
const httpPort: Readonly<Record<RoleName, string>> = { interceptor: "7878", local: "7880", remote: "7881" };

/** Here everything is of one user. */
const ownUser =
  'runuser() { [ "$1 $2 $3" = "-u tidemark --" ] && shift 3 && "$@"; }; chown() { [ "$1" = tidemark: ]; }';

export class TwoSites {
  readonly folder = temporaryFolder();
  /** What is started from now on. */
  launcher = launcher;
  readonly #ports: Ports;
  readonly #programs = new Map<RoleName, Program>();

  private constructor(free: Ports) {
    this.#ports = free;
    for (const machine of ["site", "backup"] as const) mkdirSync(this.path(machine, "srv"), { recursive: true });
    writeFileSync(join(this.folder, "token"), "ab".repeat(32), { mode: 0o600 });
  }

  /** With the volume that all runbooks are about. `program`: the launcher of another one than this checkout's. */
  static async start(program = launcher): Promise<TwoSites> {
    const sites = new TwoSites(await freePorts(...ports));
    sites.launcher = program;
    for (const role of ["remote", "local", "interceptor"] as const) await sites.startRole(role);
    await sites.type("# on site\ntidemark volume add disk --source /srv/disk.img --size 16M");
    return sites;
  }

  path(machine: MachineName, ...steps: readonly string[]): string {
    return join(this.folder, machine, ...steps);
  }

  lose(machine: MachineName, ...steps: readonly string[]): void {
    rmSync(this.path(machine, "srv", ...steps), { recursive: true });
  }

  loseSpools(): void {
    const folder = this.path("site", "srv/tidemark/local");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".segment"),
    );
    for (const file of files) rmSync(join(folder, file));
  }

  async startRole(role: RoleName): Promise<void> {
    const machine = role === "remote" ? "backup" : "site";
    const settings = [
      ...[`http.port=${this.#port(httpPort[role])}`, `wire.tokenFile=${join(this.folder, "token")}`],
      ...(role === "interceptor" ? [`nbd.port=${this.#port("10809")}`] : []),
      ...(role === "local" ? [`remote.address=127.0.0.1:${this.#port("7879")}`] : []),
      ...(role === "remote"
        ? [
            `wire.port=${this.#port("7879")}`,
            `store.folder=${this.path("backup", "srv/objects")}`,
            "store.sealAfterSeconds=1",
          ]
        : []),
    ].flatMap((setting) => ["--set", setting]);
    const line = [
      process.execPath,
      this.launcher,
      role,
      "--data",
      this.path(machine, "srv/tidemark"),
      ...settings,
      "--json",
    ];
    const program = new Program(role, line as [string, ...string[]]);
    this.#programs.set(role, program);
    await program.line((text) => text.startsWith("{"));
  }

  async stopRole(role: RoleName): Promise<void> {
    const program = this.#programs.get(role);
    if (program?.isRunning === true) await program.stop();
  }

  /** Without any chance to end in order. */
  async killRole(role: RoleName): Promise<void> {
    await this.#programs.get(role)?.kill();
  }

  #port(name: string): number {
    return this.#ports.get(name) as number;
  }

  /** A step of a runbook: its first line says where. Answers what was said. */
  async type(text: string): Promise<string> {
    const machine = /^# on (site|backup)\n/.exec(text)?.[1] as MachineName | undefined;
    if (machine === undefined) throw new Error(`it does not say where it is typed:\n${text}`);
    let said = "";
    let script: string[] = [];
    const typed = async (): Promise<void> => {
      if (script.length > 0) said += await this.#run(machine, script.join("\n"));
      script = [];
    };
    for (const line of text.split("\n").slice(1)) {
      const [, action, role] = /^systemctl (start|stop) tidemark-(\w+)$/.exec(line) ?? [];
      if (action === undefined) script.push(line);
      else {
        await typed();
        if (action === "start") await this.startRole(role as RoleName);
        else await this.stopRole(role as RoleName);
      }
    }
    await typed();
    return said;
  }

  async #run(machine: MachineName, script: string): Promise<string> {
    const here = script
      .replaceAll("scp backup:/srv/", `cp --sparse=always ${this.path("backup", "srv")}/`)
      .replaceAll(/(?<=[ "])\/srv\//g, `${this.path(machine, "srv")}/`)
      .replaceAll("nbd://127.0.0.1/", `nbd://127.0.0.1:${this.#port("10809")}/`)
      .replaceAll(/\b78\d\d\b/g, (name) => String(this.#port(name)));
    const command = `tidemark() { "${process.execPath}" "${launcher}" "$@"; }`;
    const text = [command, ownUser, "set -o pipefail", `cd "${this.path(machine)}"`, here].join("\n");
    const environment = { TIDEMARK_API: `http://127.0.0.1:${this.#port(machine === "site" ? "7878" : "7881")}` };
    const { exitCode, stdout, stderr } = await run("bash", ["-ec", text], { environment, timeoutMs: stepMs });
    if (exitCode !== 0) throw new Error(`ended with ${exitCode}:\n${script}\n${stdout}${stderr}`);
    return stdout;
  }

  async status(role: RoleName): Promise<StatusReport> {
    const answer = await fetch(`http://127.0.0.1:${this.#port(httpPort[role])}/api/v1/status`);
    return (await answer.json()) as StatusReport;
  }

  async metrics(role: RoleName): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#port(httpPort[role])}/metrics`)).text();
  }

  uri(volume: string): string {
    return `nbd://127.0.0.1:${this.#port("10809")}/${volume}`;
  }

  /** One byte for each block of 64 KiB. */
  async write(volume: string, ...bytes: readonly number[]): Promise<void> {
    await this.open(volume);
    const client = await openVolume(this.uri(volume));
    for (const [block, byte] of bytes.entries()) await client.write(block * 65_536, Buffer.alloc(65_536, byte));
    await client.flush();
    await client.disconnect();
  }

  async read(volume: string, count: number): Promise<number[]> {
    await this.open(volume);
    const client = await openVolume(this.uri(volume));
    const bytes: number[] = [];
    for (let block = 0; block < count; block++) bytes.push((await client.read(block * 65_536, 1))[0] as number);
    await client.disconnect();
    return bytes;
  }

  async open(volume: string): Promise<void> {
    await whenSeen(async () => {
      const { volumes } = await this.status("interceptor");
      const { state, why } = volumes.find((one) => one.name === volume) ?? {};
      expect([state, why]).toEqual(["open", undefined]);
    });
  }

  /** Nothing is copied, and the remote appliance has all. */
  async calm(group: string): Promise<void> {
    await this.open(group);
    await whenSeen(async () => {
      const { groups } = await this.status("local");
      const { volumes } = await this.status("interceptor");
      const facts = groups.find((one) => one.name === group);
      const copy = volumes.find((one) => one.name === group)?.copy;
      expect([facts?.state, facts?.lagRecords, facts?.linkUp, copy]).toEqual(["steady", 0, true, undefined]);
    });
  }

  async stored(): Promise<void> {
    await whenSeen(async () => {
      const { remoteGroups } = await this.status("remote");
      for (const { stored, received } of remoteGroups) expect(stored).toBe(received);
    });
  }
}

/** The steps below that heading of docs/runbooks.md. */
export function stepsOf(heading: string): string[] {
  const text = readFileSync(join(projectRoot, "docs/runbooks.md"), "utf8");
  const [, part] = text.split(`\n## ${heading}\n`, 2);
  if (part === undefined) throw new Error(`docs/runbooks.md has no part '${heading}'`);
  const [section = ""] = part.split("\n## ", 1);
  return [...section.matchAll(/^( *)```sh\n(.*?)^ *```$/gms)].map(([, indent = "", step = ""]) =>
    step.replaceAll(new RegExp(`^${indent}`, "gm"), "").trimEnd(),
  );
}
