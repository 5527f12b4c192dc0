/** A host that writes all the time, one durable write after the other, and connects again when it is hung up on. */
import { expect, onTestFinished, vi } from "vitest";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { patience } from "#test/patience.ts";

export const blockBytes = 4096;
const blockCount = 64;

export class WritingHost {
  readonly #uri: string;
  #isOver = false;
  #done: Promise<void> | undefined;
  /** Connections that it has had. */
  connections = 0;
  /** Writes that were answered. */
  writes = 0;

  private constructor(uri: string) {
    this.#uri = uri;
  }

  static begin(uri: string): WritingHost {
    const host = new WritingHost(uri);
    host.#done = host.#run();
    onTestFinished(() => host.end());
    return host;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const client = await vi.waitFor(async () => (this.#isOver ? undefined : openVolume(this.#uri)), patience);
      if (client === undefined) return;
      this.connections++;
      // It was hung up on: what was not answered is written again.
      await this.#write(client).catch(() => client.destroy());
    }
  }

  async #write(client: NbdClient): Promise<void> {
    while (!this.#isOver) {
      await client.write((this.writes % blockCount) * blockBytes, Buffer.alloc(blockBytes, byteOf(this.writes)));
      await client.flush();
      this.writes++;
    }
    await client.disconnect();
  }

  /** Resolves when so many more were answered. */
  async goesOn(count = 20): Promise<void> {
    const from = this.writes;
    await vi.waitFor(() => expect(this.writes).toBeGreaterThanOrEqual(from + count), patience);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  /** The first byte of each block, as the last write that was answered has left it. */
  get content(): number[] {
    const last = this.writes - 1;
    return Array.from({ length: blockCount }, (_, block) => {
      const index = last - ((last - block) % blockCount);
      return index < 0 || block > last ? 0 : byteOf(index);
    });
  }
}

/** Never zero, and another one each time around. */
function byteOf(index: number): number {
  return 1 + (Math.floor(index / blockCount) % 255);
}
