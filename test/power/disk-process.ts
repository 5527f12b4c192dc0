/**
 * A disk whose power can be cut, as a process: `disk-process.ts FOLDER KIND`. The image, the socket and the mount point
 * lie in the folder. It is a process of its own because whoever touches the mounted files waits for the server behind
 * them, and so must not be that server. Commands come over the channel of `fork`; when that closes, whatever the reason,
 * everything is taken away, the folder too.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { access, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { NbdServer } from "#src/nbd/server.ts";
import { formatNbdUri } from "#src/nbd/uri.ts";
import { patienceMs } from "#test/patience.ts";
import type { DiskAnswer, DiskCommand, DiskOrder, FileSystemKind } from "./disk-commands.ts";
import { VolatileDisk } from "./volatile-disk.ts";

const execute = promisify(execFile);
const lookAgainMs = 5;
const looksMax = patienceMs / lookAgainMs;

/** A file system in a copied image has the identity of the original, of which another copy may be mounted. */
const mountOptions: Readonly<Record<FileSystemKind, string>> = { ext4: "rw", xfs: "rw,nouuid" };

/** What was put up last is taken away first. */
interface Layer {
  readonly name: string;
  takeAway(): Promise<void>;
}

class PoweredDisk {
  readonly #folder: string;
  readonly #kind: FileSystemKind;
  readonly #layers: Layer[] = [];
  #disk: VolatileDisk | undefined;

  constructor(folder: string, kind: FileSystemKind) {
    this.#folder = folder;
    this.#kind = kind;
  }

  get disk(): VolatileDisk {
    if (this.#disk === undefined) throw new Error("the disk has no power");
    return this.#disk;
  }

  async powerUp(): Promise<void> {
    if (this.#disk !== undefined) throw new Error("the disk has power already");
    const uri = await this.#serve();
    const file = await this.#showAsFile(uri);
    const device = await this.#showAsDevice(file);
    const path = join(this.#folder, "mounted");
    await mkdir(path, { recursive: true });
    await execute("mount", ["-t", this.#kind, "-o", mountOptions[this.#kind], device, path]);
    this.#layers.push({ name: "mount", takeAway: () => unmount(path) });
  }

  async #serve(): Promise<string> {
    const image = fs.openSync(join(this.#folder, "image"), "r+");
    const disk = new VolatileDisk(image);
    disk.onCut = (losses) => tell({ kind: "cut", losses });
    const server = new NbdServer({
      exports: { find: () => disk, list: () => [disk] },
      sockets: nodeSockets,
      clock: nodeClock,
    });
    const address = await server.listen({ kind: "unix", path: join(this.#folder, "socket") });
    this.#disk = disk;
    const takeAway = async () => {
      this.#disk = undefined;
      await server.close(0);
      fs.closeSync(image);
    };
    this.#layers.push({ name: "server", takeAway });
    if (address.kind !== "unix") throw new Error("a Unix socket was asked for");
    return formatNbdUri({ address, exportName: "", tls: false });
  }

  async #showAsFile(uri: string): Promise<string> {
    const path = join(this.#folder, "fuse");
    await mkdir(path, { recursive: true });
    const file = join(path, "disk");
    // Where this process is killed it goes too: whoever touches a mount that outlives its server hangs.
    const command = ["--pdeathsig", "KILL", "--", "nbdfuse", file, uri];
    const child = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe"] });
    // It complains of every request that fails, and after a cut all do: only how it begins is of interest.
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (words.length < 1000) words += text;
    });
    this.#layers.push({ name: "nbdfuse", takeAway: () => hide(child, path) });
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`nbdfuse ended with ${child.exitCode}: ${words}`);
      return isThere(file);
    });
    return file;
  }

  async #showAsDevice(file: string): Promise<string> {
    const device = (await execute("losetup", ["--find", "--show", file])).stdout.trim();
    const takeAway = async () => {
      await execute("losetup", ["-d", device]);
      // It stays for as long as someone, such as udev, looks at it.
      await until(async () => (await execute("losetup", ["-j", file])).stdout === "");
    };
    this.#layers.push({ name: device, takeAway });
    return device;
  }

  cutAfter({ requests, latestMs, seed }: Extract<DiskCommand, { readonly do: "cutAfter" }>): void {
    const { disk } = this;
    disk.cutAfter(requests, seed);
    setTimeout(() => disk.cut(seed), latestMs).unref();
  }

  /** Goes on after an error, so that as little as possible stays; the first error is the one to tell. */
  async powerDown(): Promise<void> {
    let first: unknown;
    for (let layer = this.#layers.pop(); layer !== undefined; layer = this.#layers.pop()) {
      try {
        await layer.takeAway();
      } catch (error) {
        first ??= new Error(`taking away ${layer.name}: ${(error as Error).message}`, { cause: error });
      }
    }
    if (first !== undefined) throw first;
  }
}

async function unmount(path: string): Promise<void> {
  try {
    await execute("umount", [path]);
  } catch (error) {
    // Someone still has a file open there; it goes when they have gone.
    await execute("umount", ["--lazy", path]);
    throw error;
  }
}

async function hide(child: ChildProcess, path: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  try {
    await execute("fusermount3", ["-u", path]);
  } catch (error) {
    await execute("fusermount3", ["-u", "-z", path]);
    child.kill("SIGKILL");
    await gone;
    throw error;
  }
  await gone;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await condition()); looks++) {
    if (looks === looksMax) throw new Error("what was waited for did not come");
    await pause(lookAgainMs);
  }
}

function tell(answer: DiskAnswer): void {
  if (process.connected) process.send?.(answer);
}

async function obey(powered: PoweredDisk, command: DiskCommand): Promise<Partial<DiskAnswer>> {
  switch (command.do) {
    case "powerUp":
      await powered.powerUp();
      return {};
    case "cut":
      return { losses: powered.disk.cut(command.seed) };
    case "cutAfter":
      powered.cutAfter(command);
      return {};
    case "powerDown":
      await powered.powerDown();
      return {};
  }
}

const [folder, kind] = process.argv.slice(2) as [string, FileSystemKind];
const powered = new PoweredDisk(folder, kind);
/** Commands are obeyed one after the other; the end of the channel comes behind them all. */
let last: Promise<void> = Promise.resolve();

process.on("message", ({ id, command }: DiskOrder) => {
  const obeyed = command.do === "cut" ? obey(powered, command) : last.then(() => obey(powered, command));
  last = obeyed.then(
    (result) => tell({ kind: "done", id, ...result } as DiskAnswer),
    (error: Error) => tell({ kind: "failed", id, why: error.message }),
  );
});
process.on("disconnect", () => {
  last = last
    .then(() => powered.powerDown())
    .then(() => rm(folder, { recursive: true, force: true }))
    .catch((error: Error) => console.error(error.message));
});
// A signal to the whole group of processes is for the tests; this one goes when they have.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
