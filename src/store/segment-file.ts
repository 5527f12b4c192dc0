/** A sealed segment as it lies in the store: its object, with what its footer and its table say. */
import { blockBytes } from "#src/core/limits.ts";
import { frameBlockCountMax } from "#src/core/store-limits.ts";
import { ObjectDamageError } from "./object-damage.ts";
import type { ObjectSource } from "./object-ends.ts";
import { ObjectFile } from "./object-file.ts";
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

  async readParts(places: readonly PartPlace[]): Promise<(Buffer | undefined)[]> {
    if (places.length === 1) return [await this.readPart(places[0] as PartPlace)];
    const target = Buffer.allocUnsafeSlow(places.length * frameBytesMax);
    let at = 0;
    const parts: (Buffer | undefined)[] = (await this.file.readRun(places, target, 0)).map((found) => {
      if (typeof found !== "number") return undefined;
      at += found;
      return target.subarray(at - found, at);
    });
    for (const [index, place] of places.entries()) parts[index] ??= await this.#readOne(place);
    return parts;
  }

  /** What was damaged among others is asked for once more. */
  async #readOne(place: PartPlace): Promise<Buffer | undefined> {
    try {
      return await this.file.readNewPart(place);
    } catch (error) {
      if (error instanceof ObjectDamageError) return undefined;
      throw error;
    }
  }
}

/** No part of a segment is larger. */
const frameBytesMax = frameBlockCountMax * blockBytes;
