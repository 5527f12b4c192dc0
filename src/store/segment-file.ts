/** A sealed segment as it lies in the store: its object, with what its footer and its table say. */
import { StopError } from "#src/core/errors.ts";
import { ObjectDamageError } from "./object-damage.ts";
import type { ObjectSource } from "./object-ends.ts";
import { ObjectFile, type PlacedPart } from "./object-file.ts";
import { objectKind } from "./object-format.ts";
import type { PartPlace } from "./part.ts";
import { readAgain } from "./read-again.ts";
import type { SegmentObject } from "./segment-directory.ts";
import {
  decodeSegmentCounts,
  decodeTable,
  type PagePlaces,
  pageCountOf,
  type SegmentCounts,
  type SegmentIdentity,
  segmentObjectName,
} from "./segment-format.ts";

export class SegmentFile implements SegmentObject {
  readonly file: ObjectFile;
  readonly counts: SegmentCounts;
  readonly pages: readonly PagePlaces[];

  get group(): string {
    return this.file.header.group;
  }

  private constructor(file: ObjectFile, counts: SegmentCounts, pages: readonly PagePlaces[]) {
    this.file = file;
    this.counts = counts;
    this.pages = pages;
  }

  /** `key` is the store's. Rejects as `ObjectFile.open` does. */
  static async open(
    objects: ObjectSource,
    { segment, generation }: SegmentIdentity,
    key: Buffer | undefined,
  ): Promise<SegmentFile> {
    const name = segmentObjectName({ segment, generation });
    const identity = { kind: objectKind.segment, group: undefined, number: segment, generation };
    const file = await readAgain(() => ObjectFile.open(objects, name, identity, key));
    const counts = decodeSegmentCounts(file.footer.kindNumbers, 0);
    if (counts === undefined) throw new ObjectDamageError(name, "footer", "no segment has such numbers");
    const pages = decodeTable(file.table, pageCountOf(counts.slots));
    if (pages === undefined) throw new ObjectDamageError(name, "footer", "its table is not as long as its slots need");
    return new SegmentFile(file, counts, pages);
  }

  readPart(place: PartPlace): Promise<Buffer> {
    return readAgain(() => this.file.readNewPart(place));
  }

  readPartNow(place: PartPlace, target: Buffer, targetAt: number): number | undefined {
    return this.file.readPartNow(place, target, targetAt);
  }

  async readParts(parts: readonly PlacedPart[]): Promise<(number | undefined)[]> {
    const found = await this.#readTogether(parts);
    for (const [index, part] of parts.entries()) found[index] ??= await this.#readAlone(part);
    return found;
  }

  async #readTogether(parts: readonly PlacedPart[]): Promise<(number | undefined)[]> {
    try {
      return (await this.file.readRun(parts)).map((one) => (typeof one === "number" ? one : undefined));
    } catch (error) {
      if (error instanceof StopError) return parts.map(() => undefined);
      throw error;
    }
  }

  /** What is wrong with one, or is not to be read, is not to take others with it. */
  async #readAlone(part: PlacedPart): Promise<number | undefined> {
    try {
      return await this.file.readPart(part, part.room, 0);
    } catch (error) {
      if (error instanceof StopError) return undefined;
      throw error;
    }
  }
}
