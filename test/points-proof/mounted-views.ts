/** Writable views of points of a file system that is in use, each mounted and checked as after a cut of the power. */
import { attach, mount } from "#test/clients/attached-disk.ts";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { FileChurn } from "./file-churn.ts";
import type { WitnessedVolume } from "./witnessed-volume.ts";

export interface FileSystem {
  readonly name: string;
  readonly make: (device: string) => Promise<unknown>;
  /** A view has the same name as the file system that it is a view of. */
  readonly viewMountOptions: string;
  /** Fails where it finds anything. */
  readonly check: (device: string) => Promise<unknown>;
}

interface Parts {
  readonly kind: FileSystem;
  readonly volume: WitnessedVolume;
  readonly folder: TemporaryFolder;
  readonly churn: FileChurn;
  readonly random: SeededRandom;
  /** From there on there is a file system. */
  readonly firstSeq: number;
}

const flushType = 4;
const filesPerPoint = 4;

export class MountedViews {
  readonly #parts: Parts;
  readonly complaints: string[] = [];
  flushPoints = 0;
  otherPoints = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** So many points, every other one where something was flushed. */
  async check(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const isFlush = index % 2 === 0;
      const seq = isFlush ? await this.#drawFlush() : await this.#drawAny();
      if (isFlush) this.flushPoints++;
      else this.otherPoints++;
      await this.#checkSeq(seq);
    }
  }

  async #drawAny(): Promise<number> {
    const { random, volume, firstSeq } = this.#parts;
    return random.between(firstSeq, (await volume.pointSpan()).last);
  }

  async #drawFlush(): Promise<number> {
    const { random, volume, firstSeq } = this.#parts;
    const { last } = await volume.pointSpan();
    const isWanted = ({ type, seq }: { readonly type: number; readonly seq: number }): boolean =>
      type === flushType && seq >= firstSeq && seq <= last;
    return random.pick(volume.order.others.filter(isWanted)).seq;
  }

  async #checkSeq(wanted: number): Promise<void> {
    const { kind, volume, folder, churn, random } = this.#parts;
    const view = await volume.openView(`seq:${wanted}`, true);
    try {
      const disk = await attach(folder, view.uri);
      const mounted = await mount(folder, disk.device, kind.viewMountOptions);
      for (const file of churn.filesAt(view.seq, random, filesPerPoint)) {
        const difference = await churn.differenceOf(file, mounted.path);
        if (difference !== undefined) this.complaints.push(`seq ${view.seq}: ${difference}`);
      }
      await mounted.unmount();
      await kind.check(disk.device);
      await disk.detach();
    } catch (error) {
      this.complaints.push(`seq ${view.seq}: ${(error as Error).message}`);
    }
    await volume.closeView(view);
  }
}
