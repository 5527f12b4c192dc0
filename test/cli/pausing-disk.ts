/** A disk that stands still when it is told to: nbdkit's memory, behind its filter that holds all requests. */
import { once } from "node:events";
import { access } from "node:fs/promises";
import net from "node:net";
import { unixUri } from "#test/clients/harness.ts";
import { Program } from "#test/oracle/program.ts";
import { whenSeen } from "#test/patience.ts";

export class PausingDisk {
  readonly uri: string;
  readonly #controlPath: string;

  private constructor(uri: string, controlPath: string) {
    this.uri = uri;
    this.#controlPath = controlPath;
  }

  static async start(folder: string, sizeBytes: number): Promise<PausingDisk> {
    const socket = `${folder}/nbdkit.sock`;
    const control = `${folder}/pause.sock`;
    const options = ["--foreground", "--unix", socket, "--filter=pause", "memory", String(sizeBytes)];
    new Program("nbdkit", ["nbdkit", ...options, `pause-control=${control}`]);
    await whenSeen(() => Promise.all([access(socket), access(control)]));
    return new PausingDisk(unixUri(socket), control);
  }

  /** Resolves when nothing is under way any more, and nothing begins. */
  pause(): Promise<void> {
    return this.#order("p", "P");
  }

  resume(): Promise<void> {
    return this.#order("r", "R");
  }

  async #order(letter: string, answer: string): Promise<void> {
    const socket = net.connect(this.#controlPath);
    socket.write(letter);
    const [bytes] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    if (bytes.toString() !== answer) throw new Error(`nbdkit answered ${bytes.toString()} to ${letter}`);
  }
}
