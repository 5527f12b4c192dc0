/**
 * Points of volumes, opened and read as somebody beside the remote appliance does it, who knows the store and the journals'
 * folder and nothing else. What he is given must be what the oracle makes of the disks; what he is not given must have a reason.
 */
import { PointReaders } from "#src/control/point-readers.ts";
import { sentKey } from "#src/control/store-words.ts";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";
import { imageReadBlocksMax, type PointImage } from "#src/synth/point-image.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { FoundEntry } from "./batch-reading.ts";
import type { GroupOracle } from "./group-oracle.ts";
import { type Beginning, beginningOf, contentsByOracle, hasMoved, layoutsByOracle, mayFail } from "./read-back.ts";
import { type as recordTypes } from "./record-history.ts";
import { remoteFolder } from "./remote-site.ts";
import { storeFolder } from "./store-process.ts";
import { demand } from "./violation.ts";
import type { World } from "./world.ts";

const initialComplete = 14;

export class ImageReading {
  readonly #world: World;
  readonly #wrappingKey: WrappingKey | undefined;
  /** In a life of the remote's site. */
  #readers: { readonly remote: World["remote"]; readonly readers: PointReaders } | undefined;

  constructor(world: World, wrappingKey: WrappingKey | undefined) {
    this.#world = world;
    this.#wrappingKey = wrappingKey;
  }

  /** A point drawn by chance. */
  async demandSome(group: GroupOracle, random: SeededRandom): Promise<void> {
    const durableSeq = this.#durableSeq(group);
    const beginning = this.#unlessHarmed(() => beginningOf(this.#world, group));
    if (beginning === undefined) return;
    const { basedOn } = beginning;
    const seqs = this.#entriesOf(group)
      .map(({ seq }) => seq)
      .filter((seq) => seq >= basedOn && seq <= durableSeq);
    if (seqs.length === 0) return;
    await this.#demand(group, random.pick(this.#namesIn(group)), random.pick(seqs), false);
  }

  /** When all has come together: the newest point of each volume, which is one. */
  async demandNewest(group: GroupOracle): Promise<void> {
    const entries = this.#entriesOf(group);
    for (const name of this.#namesIn(group)) {
      const volume = this.#world.volumes.find((one) => one.name === name)?.model.volume;
      const own = entries.filter((entry) => group.history.hostVolumeOf(entry) === volume);
      // One that was removed may have gone in the middle of a copy.
      const isPoint = hasPoints(own) && !this.#world.removals.isGone(name);
      await this.#demand(group, name, this.#durableSeq(group), isPoint);
    }
  }

  /** None where the disk has lost what a sync of it was for: the group stops, and its journals are not whole. */
  #entriesOf(group: GroupOracle): FoundEntry[] {
    return this.#unlessHarmed(() => this.#world.journal.units(group.id).flatMap((unit) => unit.entries)) ?? [];
  }

  /** The oracle reads the same disks. */
  #unlessHarmed<Read>(read: () => Read): Read | undefined {
    try {
      return read();
    } catch (error) {
      if (mayFail(this.#world, error)) return undefined;
      throw error;
    }
  }

  #durableSeq({ id }: GroupOracle): number {
    return this.#world.remote?.groups().find((one) => one.id === id)?.durable ?? 0;
  }

  #namesIn(group: GroupOracle): string[] {
    return this.#world.volumes.filter((volume) => volume.group === group).map(({ name }) => name);
  }

  async #demand(group: GroupOracle, name: string, seq: number, isPoint: boolean): Promise<void> {
    const { remote } = this.#world;
    const beginning = this.#unlessHarmed(() => beginningOf(this.#world, group));
    if (beginning === undefined) return;
    const volume = this.#world.volumes.find((one) => one.name === name)?.model.volume as number;
    try {
      const layouts = layoutsByOracle(this.#world, group, this.#world.journal.units(group.id), seq);
      const expected = contentsByOracle(this.#world, group, layouts).get(volume) as Buffer;
      await this.#demandContent({ group, name, seq, beginning }, expected);
    } catch (error) {
      const isRefused = error instanceof RefuseError && !isPoint;
      const isExcused = isRefused || mayFail(this.#world, error) || remote !== this.#world.remote;
      if (!isExcused && !hasMoved(this.#world, group, beginning, error)) throw error;
    }
  }

  async #demandContent({ group, name, seq, beginning }: WantedPoint, expected: Buffer): Promise<void> {
    const points = await this.#of().of(group.id, seq);
    const number = (await points.volumes()).find(({ identity }) => identity?.name === name)?.number;
    if (number === undefined) throw new RefuseError(`there is no volume ${name} yet`);
    const image = await points.open(number, seq);
    const what = `read back as an image of ${seq}, ${name}`;
    const content = Buffer.alloc(image.blockCount * blockBytes);
    const damaged = new Set(await readAll(image, content));
    for (let block = 0; block < image.blockCount; block++) {
      const [start, end] = [block * blockBytes, Math.min((block + 1) * blockBytes, image.sizeBytes)];
      const isSame = damaged.has(block) || content.subarray(start, end).equals(expected.subarray(start, end));
      demand("truth", isSame, () => `${what} has something else in block ${block}`);
    }
    image.close();
    const error = new Error(`${what} is damaged in ${damaged.size} blocks: ${image.findings.join("; ")}`);
    if (damaged.size > 0 && !hasMoved(this.#world, group, beginning, error)) throw error;
  }

  #of(): PointReaders {
    const { remote, remoteHost } = this.#world;
    if (this.#readers?.remote !== remote) {
      const wrappingKey = this.#wrappingKey === undefined ? undefined : sentKey(this.#wrappingKey);
      const place = { storeFolder, groupsFolder: `${remoteFolder}/groups`, wrappingKey };
      this.#readers = { remote, readers: new PointReaders(remoteHost, place) };
    }
    return this.#readers?.readers as PointReaders;
  }
}

/**
 * A volume of which nothing is said but that it has joined has none. One that begins with a copy has points where it says that
 * its first copy is complete, and else it is not told apart.
 */
function hasPoints(entries: readonly FoundEntry[]): boolean {
  const first = entries.find(({ type }) => type !== recordTypes.volume);
  if (first === undefined) return false;
  return first.type !== recordTypes.resyncBegin || entries.some(({ type }) => type === initialComplete);
}

interface WantedPoint {
  readonly group: GroupOracle;
  readonly name: string;
  readonly seq: number;
  readonly beginning: Beginning;
}

/** Answers which blocks are damaged. */
async function readAll(image: PointImage, content: Buffer): Promise<number[]> {
  const damaged: number[] = [];
  for (let block = 0; block < image.blockCount; block += imageReadBlocksMax) {
    const count = Math.min(imageReadBlocksMax, image.blockCount - block);
    const found = await image.read(block, count, content, block * blockBytes);
    damaged.push(...found.map((index) => block + index));
  }
  return damaged;
}
