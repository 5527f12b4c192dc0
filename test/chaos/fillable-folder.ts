/** The file system that a folder is on can be filled up, until there is room again. */
import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { run } from "#test/clients/command.ts";
import { MiB } from "#test/clients/image.ts";

/** What a file system keeps for itself when a file grows. */
const spareBytes = MiB;

export class FillableFolder {
  readonly path: string;
  readonly #filler: string;

  constructor(path: string) {
    this.path = path;
    this.#filler = join(path, "filler");
  }

  /** Leaves about so much; what is written meanwhile takes it. */
  async fill(leaveBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    const bytes = bavail * bsize - leaveBytes - spareBytes;
    if (bytes <= 0) return;
    // It may have become less in between: then the rest is as good as nothing.
    await run("fallocate", ["-l", String(bytes), this.#filler]);
  }

  async makeRoom(): Promise<void> {
    await rm(this.#filler, { force: true });
  }
}
