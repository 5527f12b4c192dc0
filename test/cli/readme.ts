/** The README as a reader follows it: its blocks, and machines on which they are typed. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "#test/clients/command.ts";
import { freePort } from "#test/oracle/free-ports.ts";
import { Program } from "#test/oracle/program.ts";
import { patienceMs } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { launcher } from "./running-program.ts";

export interface Block {
  readonly language: string;
  readonly text: string;
}

/** Of the part below that heading. */
export function blocksBelow(heading: string): Block[] {
  const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
  const [, part] = readme.split(`\n## ${heading}\n`, 2);
  if (part === undefined) throw new Error(`README.md has no part '${heading}'`);
  const [section = ""] = part.split("\n## ", 1);
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({ language, text }));
}

/** As the README has them, and as they are here, where others may have those. */
export type Ports = ReadonlyMap<string, number>;

export async function freePorts(...names: readonly string[]): Promise<Ports> {
  const found = new Map<string, number>();
  for (const name of names) found.set(name, await freePort());
  return found;
}

const runningCommand = /tidemark (up|demo|interceptor|local|remote)\b/;
/** Tens of thousands of writes, on whatever disk there is. */
const scriptMs = 2 * patienceMs;

export class ReaderMachine {
  readonly folder: string;
  readonly #ports: Ports;

  constructor(folder: string, ports: Ports) {
    this.folder = folder;
    this.#ports = ports;
    mkdirSync(join(folder, "srv"), { recursive: true });
  }

  port(name: string): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new Error(`the README was not expected to speak of port ${name}`);
    return port;
  }

  /** Answers the program that it starts, if it is one that goes on. */
  async follow({ language, text }: Block): Promise<Program | undefined> {
    if (language === "yaml") this.#save(text);
    else if (runningCommand.test(text)) return this.start(text);
    else await this.type(text);
    return undefined;
  }

  #save(text: string): void {
    const name = /^# (\S+\.yaml)\n/.exec(text)?.[1];
    if (name === undefined) throw new Error(`no name of a file stands first in:\n${text}`);
    // Nothing here listens beyond loopback.
    writeFileSync(join(this.folder, name), this.#here(text).replace("0.0.0.0", "127.0.0.1"));
  }

  /** What this machine does not have in its place: the command, the folder, the ports. */
  #here(text: string): string {
    return text
      .replaceAll("npx tidemark", `"${process.execPath}" "${launcher}"`)
      .replaceAll("/srv/", `${this.folder}/srv/`)
      .replaceAll("backup.example", "localhost")
      .replaceAll("nbd://127.0.0.1/", `nbd://127.0.0.1:${this.#ports.get("10809")}/`)
      .replaceAll(/\b78\d\d\b/g, (name) => String(this.port(name)));
  }

  async start(text: string): Promise<Program> {
    const [, name = ""] = runningCommand.exec(text) ?? [];
    const hasHosts = name !== "local" && name !== "remote";
    const variables = {
      TIDEMARK_HTTP_PORT: name === "remote" ? "7881" : name === "local" ? "7880" : "7878",
      ...(hasHosts ? { TIDEMARK_NBD_PORT: "10809" } : {}),
      ...(name === "remote" ? { TIDEMARK_WIRE_PORT: "7879" } : {}),
    };
    const environment = Object.fromEntries(
      Object.entries(variables).map(([variable, port]) => [variable, String(this.port(port))]),
    );
    const command = this.#here(text).replace(/("\S+" "\S+" )/, "exec $1");
    const program = new Program(name, ["bash", "-ec", `cd "${this.folder}"\n${command}`], { environment });
    await program.line((line) => / API |^Ctrl-C ends/.test(line));
    return program;
  }

  /** The commands must succeed, one by one. Answers what they said. */
  async type(text: string): Promise<string> {
    // Nothing is mounted by a test that others could trip over.
    const lines = text.split("\n").filter((line) => !/nbdfuse|tidemark attach/.test(line));
    const script = [`cd "${this.folder}"`, "set -o pipefail", ...lines.map((line) => this.#here(line)), "wait"].join(
      "\n",
    );
    const environment = { TIDEMARK_API: `http://127.0.0.1:${this.port("7878")}` };
    const result = await run("bash", ["-ec", script], { environment, timeoutMs: scriptMs });
    if (result.exitCode !== 0)
      throw new Error(`ended with ${result.exitCode}: ${text}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  async status(port: string): Promise<unknown> {
    return (await fetch(`http://127.0.0.1:${this.port(port)}/api/v1/status`)).json();
  }
}
