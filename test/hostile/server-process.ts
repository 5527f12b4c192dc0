/** `tidemark serve` as a process of its own, looked at from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const mainFile = join(import.meta.dirname, "../../src/cli/launch.js");

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly path: string;

  private constructor(child: ChildProcess, path: string) {
    this.#child = child;
    this.path = path;
  }

  /** Serves an empty disk; ended, and checked to have ended well, when the test ends. */
  static async start(diskBytes: number): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), "tidemark-hostile-"));
    const disk = await open(join(folder, "disk"), "w");
    await disk.truncate(diskBytes);
    await disk.close();
    const path = join(folder, "socket");
    const args = ["--disable-warning=ExperimentalWarning", mainFile, "serve", join(folder, "disk"), "--socket", path];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(async () => {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      await rm(folder, { recursive: true });
      if (child.exitCode !== 0) throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}`);
    });
    await once(child.stdout as NonNullable<typeof child.stdout>, "data");
    return new ServerProcess(child, path);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async descriptorCount(): Promise<number> {
    return (await readdir(`/proc/${this.#child.pid}/fd`)).length;
  }

  /** What lies in memory, now or at the most so far. */
  async residentBytes(which: "now" | "most"): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8");
    const name = which === "now" ? "VmRSS" : "VmHWM";
    const found = status.match(new RegExp(`${name}:\\s+(\\d+) kB`));
    return Number(found?.[1]) * 1024;
  }
}
