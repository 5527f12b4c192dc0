/**
 * How densely a volume was written to, of what the store and the open journal say. What it costs is bounded: of sealed pieces so many pages
 * are read, evenly over the span, and the others are counted by what those were like.
 */

import { blockBytes } from "#src/core/limits.ts";
import { densityPagesMax, densityPagesReadMax } from "#src/core/point-limits.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { hasPayload, isOfBlocks } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { LatestPromises } from "./latest-promises.ts";
import type { OpenTail } from "./open-tail.ts";
import type { HeldPiece } from "./piece-layer.ts";
import type { SealedPoints } from "./sealed-points.ts";
import { DensityBuckets, type DensitySpan, type WriteDensity } from "./write-density.ts";

/** The writes of a volume in one page of records. */
interface PageWrites {
  readonly times: Float64Array;
  readonly seqs: Float64Array;
  readonly bytes: Float64Array;
  /** Of all records of the page, and of these writes. */
  readonly recordCount: number;
  readonly byteCount: number;
}

interface PlacedPage {
  readonly held: HeldPiece;
  readonly page: number;
  readonly name: string;
  readonly fromMicros: number;
  readonly toMicros: number;
  readonly lastSeq: number;
  readonly recordCount: number;
}

export class DensitySearch {
  readonly #sealed: SealedPoints;
  readonly #tail: OpenTail;
  readonly #pages = new LatestPromises<PageWrites>(densityPagesMax);

  constructor(sealed: SealedPoints, tail: OpenTail) {
    this.#sealed = sealed;
    this.#tail = tail;
  }

  async find(volume: number, span: DensitySpan, newestSeq: number): Promise<WriteDensity> {
    const buckets = new DensityBuckets(span);
    const pages = await this.#pagesWithin(span);
    const step = Math.max(1, Math.ceil(pages.length / densityPagesReadMax));
    let like: PageWrites | undefined;
    for (const [index, page] of pages.entries()) {
      if (index % step === 0) {
        const read = await this.#writesOf(volume, page);
        if (read !== undefined) addAll(read, buckets);
        like = read ?? like;
      } else if (like !== undefined) addAlike(page, like, buckets);
    }
    await this.#addTail(volume, span, newestSeq, buckets);
    return buckets.finish();
  }

  /** What is damaged has nothing to tell. */
  async #pagesWithin({ fromMicros, toMicros }: DensitySpan): Promise<PlacedPage[]> {
    const found: PlacedPage[] = [];
    for (const identity of this.#sealed.pieces) {
      const held = await this.#sealed.held(identity);
      if (held instanceof ObjectDamageError) continue;
      const { numbers, name } = held.piece;
      if (numbers.latestMicros < fromMicros) continue;
      if (numbers.earliestMicros >= toMicros) break;
      let beforeMicros = numbers.earliestMicros;
      for (let page = 0; page < held.piece.recordPageCount; page++) {
        const { timeMicros, lastSeq, recordCount } = held.piece.recordPagePlace(page);
        if (timeMicros >= fromMicros && beforeMicros < toMicros) {
          found.push({ held, page, name, fromMicros: beforeMicros, toMicros: timeMicros, lastSeq, recordCount });
        }
        beforeMicros = timeMicros;
      }
    }
    return found;
  }

  async #writesOf(volume: number, { held, page, name }: PlacedPage): Promise<PageWrites | undefined> {
    try {
      return await this.#pages.get(`${volume} ${page} ${name}`, () => readPage(held, page, volume));
    } catch (error) {
      if (error instanceof ObjectDamageError) return undefined;
      throw error;
    }
  }

  async #addTail(volume: number, span: DensitySpan, newestSeq: number, buckets: DensityBuckets): Promise<void> {
    const sealedSeq = this.#sealed.lastSeq;
    for (const chunk of this.#tail.chunks.toReversed()) {
      if (chunk.lastSeq <= sealedSeq) break;
      if (chunk.firstSeq > newestSeq) continue;
      (await this.#tail.recordsOf(chunk)).eachWrite(volume, span.fromMicros, (seq, timeMicros, bytes) => {
        if (seq > sealedSeq && seq <= newestSeq) buckets.add(timeMicros, seq, bytes);
      });
      if ((chunk.summary.firstPoint?.timeMicros ?? 0) < span.fromMicros) break;
    }
  }
}

async function readPage({ piece }: HeldPiece, page: number, volume: number): Promise<PageWrites> {
  const { records } = await piece.recordPage(page);
  const writes = records.filter((record) => record.volume === volume && isWrite(record));
  const bytes = writes.map(({ type, blockCount }) => (hasPayload(type) ? blockCount * blockBytes : 0));
  return {
    times: Float64Array.from(writes, ({ timeMicros }) => timeMicros),
    seqs: Float64Array.from(writes, ({ seq }) => seq),
    bytes: Float64Array.from(bytes),
    recordCount: records.length,
    byteCount: bytes.reduce((sum, one) => sum + one, 0),
  };
}

function isWrite({ type, blockCount }: JournalRecord): boolean {
  return isOfBlocks(type) && blockCount > 0;
}

function addAll({ times, seqs, bytes }: PageWrites, buckets: DensityBuckets): void {
  for (let index = 0; index < times.length; index++) {
    buckets.add(times[index] as number, seqs[index] as number, bytes[index] as number);
  }
}

function addAlike({ recordCount, ...row }: PlacedPage, like: PageWrites, buckets: DensityBuckets): void {
  const share = recordCount / like.recordCount;
  const { fromMicros, toMicros, lastSeq } = row;
  buckets.spread({ fromMicros, toMicros, lastSeq, writes: like.times.length * share, bytes: like.byteCount * share });
}
