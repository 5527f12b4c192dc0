/** A site on a disk whose power can be cut: with it goes what was not synced, and the machine is started anew. */
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import { PowerDisk } from "#test/power/power-disk.ts";

export class SitePower {
  /** What its programs take for the id of the machine's start. */
  readonly bootIdFile: string;
  readonly #disk: PowerDisk;

  private constructor(disk: PowerDisk, bootIdFile: string) {
    this.#disk = disk;
    this.bootIdFile = bootIdFile;
    writeFileSync(bootIdFile, `${randomUUID()}\n`);
  }

  static async make(folder: TemporaryFolder, name: string, sizeBytes: number): Promise<SitePower> {
    return new SitePower(await PowerDisk.make("ext4", sizeBytes), folder.file(`${name}-boot-id`));
  }

  get path(): string {
    return this.#disk.path;
  }

  /** In the middle of whatever; `kill` ends those who use the disk. */
  async cut(seed: number, kill: () => Promise<void>): Promise<void> {
    await this.#disk.cut(seed);
    await kill();
    await this.#disk.powerDown();
  }

  async back(): Promise<void> {
    writeFileSync(this.bootIdFile, `${randomUUID()}\n`);
    await this.#disk.powerUp();
  }

  keepImage(path: string): Promise<void> {
    return this.#disk.keepImage(path);
  }
}
