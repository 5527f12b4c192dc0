/**
 * A bare Debian 12 as the README asks for: the fewest packages, git, and the Node and npm that it names. It is a folder with mounts and
 * processes of its own; the network is this machine's, and so are devices and the kernel.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { run, succeed } from "#test/clients/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { Terminal } from "./terminal.ts";

export const repository = "/srv/tidemark.git";

const makingMs = 600_000;
/** As the README has them: page and NBD. */
const ports = [7878, 10809];
const programs = ["mmdebstrap", "unshare", "chroot", "git", "npm"];
/** Who may be asked through whom is this machine's affair. */
const passedOn = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** The arguments: the root, then what is run in it. */
const enter = `
mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" && mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/run" || exit
shift && exec chroot "$@"`;

export interface Login {
  /** Undefined: root. */
  readonly user?: string;
  readonly folder: string;
}

/** Which of them the README wants to be there. */
export function readmeNeeds(): { readonly npm: string; readonly node: string } {
  const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
  const [, npm, node] = /a bare Debian 12 with git,\s+npm (\d+)\s+and\s+Node (\d+)\b/.exec(readme) ?? [];
  if (npm === undefined || node === undefined) throw new Error("README.md does not say what a bare machine needs");
  return { npm, node };
}

/** Why there can be none here, in words; undefined where there can. */
export async function bareMachineObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "it takes root, who alone can unpack a system with its owners and devices";
  for (const program of programs) {
    const { exitCode } = await run("sh", ["-c", `command -v ${program}`]);
    if (exitCode !== 0) return `it takes the program ${program}: apt-get install ${program}`;
  }
  const { exitCode, stderr } = await run("unshare", [...namespaces, "true"]);
  if (exitCode !== 0) return `this machine lets nobody have namespaces of his own: ${stderr.trim()}`;
  for (const port of ports) {
    if (!(await isFree(port))) return `port ${port}, which the README's commands take, is in use: end what has it`;
  }
  return undefined;
}

const namespaces = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"];

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

export class BareMachine {
  readonly #root: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(root: string, environment: Readonly<Record<string, string>>) {
    this.#root = root;
    this.#environment = environment;
  }

  static async make(folder: string): Promise<BareMachine> {
    const root = join(folder, "root");
    const options = ["--quiet", "--variant=minbase", "--include=git", "bookworm", root];
    // What it mounts meanwhile is its own, and goes with it where it is ended.
    await succeed("unshare", ["--mount", "mmdebstrap", ...options], { timeoutMs: makingMs });
    // As every machine has it that was installed.
    writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
    // It stands for a server, from which everybody clones.
    writeFileSync(join(root, "etc/gitconfig"), `[safe]\n\tdirectory = ${repository}\n`);
    await succeed("git", ["clone", "--quiet", "--bare", projectRoot, join(root, repository)]);
    const passed = passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
    const environment = { ...Object.fromEntries(passed), ...(await trust(folder, root)) };
    await installNode(folder, root);
    return new BareMachine(root, environment);
  }

  /** What is typed there, in a terminal. */
  terminal(command: string, { user, folder }: Login): Terminal {
    const home = user === undefined ? "/root" : `/home/${user}`;
    const variables = { HOME: home, PATH: path, TERM: "dumb", LANG: "C.UTF-8", ...this.#environment };
    const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const typed = ["script", "--quiet", "--return", "--flush", "--command", `cd ${folder} && ${command}`, "/dev/null"];
    const who = user === undefined ? [] : [`--userspec=${user}`];
    const line = [...who, this.#root, "env", "--ignore-environment", ...words, ...typed];
    return new Terminal(command, ["unshare", ...namespaces, "sh", "-c", enter, "sh", this.#root, ...line]);
  }
}

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** In a folder without a project, whose settings npm would take over. */
async function installNode(folder: string, root: string): Promise<void> {
  const { npm, node } = readmeNeeds();
  const line = ["install", "--global", "--prefix", join(root, "usr/local"), `node@${node}`, `npm@${npm}`];
  await asked(folder, line);
}

/** Whom this machine's npm trusts, and which registry it asks. */
async function trust(folder: string, root: string): Promise<Readonly<Record<string, string>>> {
  const setting = async (name: string): Promise<string> => (await asked(folder, ["config", "get", name])).trim();
  const [registry, authorities] = [await setting("registry"), await setting("cafile")];
  if (!existsSync(authorities)) return { NPM_CONFIG_REGISTRY: registry };
  mkdirSync(dirname(join(root, authorities)), { recursive: true });
  cpSync(authorities, join(root, authorities), { dereference: true });
  return { NPM_CONFIG_REGISTRY: registry, NPM_CONFIG_CAFILE: authorities, NODE_EXTRA_CA_CERTS: authorities };
}

/** This machine's npm as it is by itself: one that was started by npm has the checkout's Node, and settings of both. */
async function asked(folder: string, line: readonly string[]): Promise<string> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((one) => !one.includes("node_modules"));
  const environment = { PATH: folders.join(delimiter) };
  return (
    await succeed("bash", ["-c", 'unset $(compgen -v npm_); cd "$0" && npm "$@"', folder, ...line], {
      timeoutMs: makingMs,
      environment,
    })
  ).stdout;
}
