/** A mounted file system on a disk whose power a test can cut. Gone without a trace when the test ends. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { attachObstacle } from "#test/clients/attached-disk.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { createImage, MiB } from "#test/clients/image.ts";
import type { DiskAnswer, DiskCommand, DiskOrder, FileSystemKind } from "./disk-commands.ts";
import type { Losses } from "./volatile-disk.ts";

const program = join(import.meta.dirname, "disk-process.ts");

const makers: Readonly<Record<FileSystemKind, readonly [string, ...string[]]>> = {
  // What would be written later, by the kernel in the background, is written at once: a cut shall meet the tests' writes.
  ext4: ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-J", "size=4", "-N", "4096"],
  xfs: ["mkfs.xfs", "-q", "-f"],
};
/** The least that mkfs.xfs takes is 300 MiB; images are sparse. */
const leastBytes: Readonly<Record<FileSystemKind, number>> = { ext4: 32 * MiB, xfs: 304 * MiB };

const cutLatestMs = 1500;

/** Skips each test of a file where disks cannot be had. */
export function needPowerDisks(): void {
  needPrograms("nbdfuse", "fusermount3", "losetup", "mount", "mkfs.ext4", "mkfs.xfs", "setpriv");
  skipWhere(attachObstacle);
}

export class PowerDisk {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<Losses | undefined>>();
  #lastId = 0;
  #cut = Promise.withResolvers<Losses>();
  #words = "";

  private constructor(folder: string, kind: FileSystemKind) {
    this.#folder = folder;
    this.#process = fork(program, [folder, kind], {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#words += text;
    });
    this.#process.on("message", (answer: DiskAnswer) => this.#take(answer));
    this.#process.on("exit", (code, signal) => {
      const error = new Error(`the disk's process ended with ${code ?? signal}:\n${this.#words}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Powered up, mounted and empty. */
  static async make(kind: FileSystemKind = "ext4", sizeBytes = 64 * MiB): Promise<PowerDisk> {
    const folder = await mkdtemp(join(tmpdir(), "tidemark-power-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const image = await createImage(join(folder, "image"), Math.max(sizeBytes, leastBytes[kind]));
    const [maker, ...options] = makers[kind];
    await succeed(maker, [...options, image]);
    const disk = new PowerDisk(folder, kind);
    onTestFinished(() => disk.remove());
    await disk.powerUp();
    return disk;
  }

  /** Where its files are while it has power. */
  get path(): string {
    return join(this.#folder, "mounted");
  }

  /** Resolves when the power has been cut, also by `cutAfter`. */
  get whenCut(): Promise<Losses> {
    return this.#cut.promise;
  }

  async powerUp(): Promise<void> {
    this.#cut = Promise.withResolvers();
    await this.#order({ do: "powerUp" });
  }

  /** From now on nothing reaches the disk; `powerDown` when those who use its files are dead. */
  async cut(seed: number): Promise<Losses> {
    return (await this.#order({ do: "cut", seed })) as Losses;
  }

  /** Cuts the power in the middle of the n-th write or flush from now on; soon, also where nobody writes or flushes. */
  async cutAfter(requests: number, seed: number, latestMs = cutLatestMs): Promise<void> {
    await this.#order({ do: "cutAfter", requests, latestMs, seed });
  }

  /** Takes the file system down; after a cut what it would still write fails. */
  async powerDown(): Promise<void> {
    await this.#order({ do: "powerDown" });
  }

  /** The surviving bytes, kept for a look at what went wrong. */
  async keepImage(path: string): Promise<void> {
    await succeed("cp", ["--sparse=always", join(this.#folder, "image"), path]);
  }

  #order(command: DiskCommand): Promise<Losses | undefined> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Losses | undefined>();
    this.#waiting.set(id, answer);
    this.#process.send({ id, command } satisfies DiskOrder);
    return answer.promise;
  }

  #take(answer: DiskAnswer): void {
    if (answer.kind === "cut") return this.#cut.resolve(answer.losses);
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === "done") waiting?.resolve(answer.losses);
    else waiting?.reject(new Error(answer.why));
  }

  /** At the latest when the test ends. Says so where something had to be torn away. */
  async remove(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.disconnect();
    await gone;
    if (this.#words !== "") throw new Error(`a disk did not go in order:\n${this.#words}`);
  }
}
