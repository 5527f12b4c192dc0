/** A program that a test starts as a user would, and the commands that ask it. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { run } from "#test/clients/command.ts";
import type { Outlast } from "#test/once-for-file.ts";
import { Program } from "#test/oracle/program.ts";
import { whenSeen } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { commandHere } from "./command-here.ts";

export const launcher = join(projectRoot, "src/cli/launch.js");

export class RunningProgram {
  readonly program: Program;
  readonly api: string;

  private constructor(program: Program, api: string) {
    this.program = program;
    this.api = api;
  }

  /** With ports of the system's choice. */
  static async start(command: string, data: string, ...more: readonly string[]): Promise<RunningProgram> {
    return RunningProgram.startFor(onTestFinished, command, data, ...more);
  }

  /** `outlast` is given what ends it. */
  static async startFor(
    outlast: Outlast,
    command: string,
    data: string,
    ...more: readonly string[]
  ): Promise<RunningProgram> {
    const hasHosts = command !== "local" && command !== "remote";
    const ports = ["--set", "http.port=0", ...(hasHosts ? ["--set", "nbd.port=0"] : [])];
    const line = [process.execPath, launcher, command, "--data", data, ...ports, "--json", ...more] as const;
    // Sockets of a stopped program are left to whoever has the folder. What is asked for first is done last: after its end.
    outlast(() => rm(data, { recursive: true, force: true }));
    const program = new Program(command, line, { outlast });
    const ready = JSON.parse(await program.line((text) => text.startsWith("{"))) as { readonly api: string };
    return new RunningProgram(program, ready.api);
  }

  /** As a user types it: a process. */
  async typed(...line: readonly string[]) {
    const { exitCode, stdout, stderr } = await run(process.execPath, [launcher, ...line, ...this.#api(line)]);
    return { exitCode, stdout, stderr };
  }

  /** A command that must succeed, and what it answers. */
  async asked(...line: readonly string[]): Promise<unknown> {
    const { exitCode, stdout, stderr } = await commandHere([...line, "--json", ...this.#api(line)]);
    if (exitCode !== 0) throw new Error(`${line.join(" ")} ended with ${exitCode}: ${stderr}`);
    return JSON.parse(stdout);
  }

  #api(line: readonly string[]): readonly string[] {
    return line.includes("--api") ? [] : ["--api", this.api];
  }

  async status(): Promise<StatusReport> {
    return (await this.got("/api/v1/status")).body as StatusReport;
  }

  /** Resolves when its remote side has all durably that its only group has by then. */
  async whenAllArrived(): Promise<void> {
    await whenSeen(async () => {
      const { groups, remoteGroups } = await this.status();
      expect(remoteGroups[0]?.durable).toBe(groups[0]?.lastSeq);
    });
  }

  /** Of an order that must be carried out. */
  async sent(method: "POST" | "DELETE", path: string, order?: object): Promise<unknown> {
    const content = order === undefined ? {} : { body: JSON.stringify(order) };
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${this.api}${path}`, { method, headers, ...content });
    const answer: unknown = await response.json();
    if (!response.ok)
      throw new Error(`${method} ${path} was answered with ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async got(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await fetch(`${this.api}${path}`);
    return { status: response.status, body: await response.json() };
  }
}
