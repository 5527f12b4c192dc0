/**
 * fio at work on a volume whose processes die: nbdkit stands between them and attaches again when the export has gone, so
 * that fio only waits. At the end fio reads everything and checks it.
 */

import { access } from "node:fs/promises";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import { unixUri } from "#test/clients/harness.ts";
import { Program } from "#test/oracle/program.ts";
import { whenSeen } from "#test/patience.ts";

export interface FioWork {
  readonly sizeBytes: number;
  /** All that is written, often to the same places. */
  readonly writtenBytes: number;
  readonly writesPerSecond: number;
}

export class FioRun {
  readonly #fio: Program;
  readonly #proxy: Program;

  private constructor(fio: Program, proxy: Program) {
    this.#fio = fio;
    this.#proxy = proxy;
  }

  static async start(folder: TemporaryFolder, uri: string, work: FioWork): Promise<FioRun> {
    const socket = folder.file("retrying.sock");
    const retry = ["--filter=retry", "nbd", `uri=${uri}`, "retries=300", "retry-delay=1", "retry-exponential=no"];
    const proxy = new Program("nbdkit", ["nbdkit", "--foreground", "--unix", socket, ...retry]);
    await whenSeen(() => access(socket));
    const verify = ["--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0", "--fsync=500"];
    const fio = new Program("fio", [
      "fio",
      ...["--name=host", "--ioengine=nbd", `--uri=${unixUri(socket)}`, "--rw=randwrite", "--iodepth=16"],
      ...["--bssplit=4k/80:16k/15:64k/5", `--size=${work.sizeBytes}`, `--io_size=${work.writtenBytes}`],
      ...[`--rate_iops=${work.writesPerSecond}`, ...verify],
    ]);
    return new FioRun(fio, proxy);
  }

  get isRunning(): boolean {
    return this.#fio.isRunning;
  }

  /** Resolves when fio has written and checked everything. */
  async finish(): Promise<void> {
    const { code, signal } = await this.#fio.ended;
    const words = [...this.#fio.lines, this.#fio.stderr, "nbdkit:", this.#proxy.stderr].join("\n");
    if (code !== 0) throw new Error(`fio ended with ${code ?? signal}:\n${words}`);
    await this.#proxy.kill();
  }
}
