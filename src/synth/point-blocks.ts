/**
 * The bytes of a group's blocks by their addresses, wherever they lie just now: in sealed segments, or in the files of open ones,
 * which go when they are sealed.
 *
 * Invariant: bytes that are not what was written under an address are never given; they are told as damaged.
 */

import { crewBlocksMin, readNowBlocksMax } from "#src/core/crew-limits.ts";
import { blockBytes } from "#src/core/limits.ts";
import { pointFilesIdleMs } from "#src/core/point-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import { DamagedBlocksError, type SegmentReader } from "#src/journals/segment-reader.ts";
import { segmentOf, slotOf, slotsPerSegment } from "#src/records/address.ts";
import type { BlockReader } from "#src/store/block-reader.ts";
import type { PieceCrew } from "#src/store/piece-crew.ts";
import type { SealedSegments } from "#src/store/sealed-segments.ts";
import { CrewReading } from "./crew-reading.ts";

export interface PointBlocksParts {
  readonly clock: Clock;
  readonly group: string;
  readonly segments: SealedSegments;
  readonly reader: BlockReader;
  /** Of the open journals' files; undefined: there are none here. */
  readonly files: SegmentReader | undefined;
  /** Helps with reading much at a time; undefined: there is none. */
  readonly crew?: PieceCrew | undefined;
}

/** Blocks of a volume whose addresses follow each other. */
export interface WantedRun {
  readonly volume: number;
  readonly address: number;
  readonly blockCount: number;
}

/** The same, and where in a buffer it goes. */
export interface PlacedRun extends WantedRun {
  readonly at: number;
}

export class PointBlocks {
  readonly #parts: PointBlocksParts;
  /** Set while files are open. */
  #timer: Timer | undefined;
  #hasRead = false;

  constructor(parts: PointBlocksParts) {
    this.#parts = parts;
  }

  /** Others read for it where there is much to read. */
  get isHelped(): boolean {
    return this.#parts.crew !== undefined;
  }

  /**
   * Reads them to `start` in `target`, if nothing has to be waited for and all are sound. False: `read` has to; whatever is in
   * `target` does not count.
   */
  readNow(volume: number, address: number, blockCount: number, target: Buffer, start: number): boolean {
    const { segments, reader, group } = this.#parts;
    for (let done = 0; done < blockCount; ) {
      const first = address + done;
      const count = countInSegment(first, blockCount - done);
      const at = start + done * blockBytes;
      if (segments.has(segmentOf(first))) {
        if (count > readNowBlocksMax) return false;
        if (!reader.readNow(first, count, volume, group, target, at)) return false;
      } else if (this.#readFiles(volume, first, count, target, at).length > 0) {
        return false;
      }
      done += count;
    }
    return true;
  }

  /** Answers which of them are damaged, counted from the first one on. */
  async read({ volume, address, blockCount }: WantedRun, target: Buffer, start: number): Promise<number[]> {
    const damaged: number[] = [];
    for (let done = 0; done < blockCount; ) {
      const first = address + done;
      const count = countInSegment(first, blockCount - done);
      for (const block of await this.#readPart(volume, first, count, target, start + done * blockBytes)) {
        damaged.push(done + block);
      }
      done += count;
    }
    return damaged;
  }

  /** All of them, each to its place, side by side where that pays. Answers where in the buffer blocks are damaged. */
  async readRuns(runs: readonly PlacedRun[], target: Buffer): Promise<number[]> {
    const { crew, group } = this.#parts;
    const damagedAt: number[] = [];
    const blockCount = runs.reduce((sum, run) => sum + run.blockCount, 0);
    if (crew === undefined || blockCount < crewBlocksMin) {
      for (const run of runs) {
        for (const block of await this.read(run, target, run.at)) damagedAt.push(run.at + block * blockBytes);
      }
      return damagedAt;
    }
    const volume = (runs[0] as PlacedRun).volume;
    const reading = new CrewReading({ crew, volume, group, target, blockCount });
    try {
      for (const run of runs) await this.#addRun(run, reading, target, damagedAt);
    } finally {
      for (const { address, blockCount: count, at } of await reading.end()) {
        const damaged = await this.read({ volume, address, blockCount: count }, target, at);
        for (const block of damaged) damagedAt.push(at + block * blockBytes);
        if (damaged.length < count) this.#tellCrew(address);
      }
    }
    return damagedAt;
  }

  async #addRun(
    { volume, address, blockCount, at }: PlacedRun,
    reading: CrewReading,
    target: Buffer,
    damagedAt: number[],
  ) {
    for (let done = 0; done < blockCount; ) {
      const first = address + done;
      const count = countInSegment(first, blockCount - done);
      const place = at + done * blockBytes;
      if (this.#parts.segments.has(segmentOf(first))) await reading.add(first, count, place);
      else {
        for (const block of await this.#readPart(volume, first, count, target, place)) {
          damagedAt.push(place + block * blockBytes);
        }
      }
      done += count;
    }
  }

  /** It was read here, and not by a thread, which may not know what the store has by now. */
  #tellCrew(address: number): void {
    const segment = segmentOf(address);
    const generation = this.#parts.segments.generationOf(segment);
    if (generation !== undefined) this.#parts.crew?.published({ segment, generation });
  }

  async #readPart(
    volume: number,
    address: number,
    blockCount: number,
    target: Buffer,
    start: number,
  ): Promise<readonly number[]> {
    const { segments, reader, group } = this.#parts;
    const segment = segmentOf(address);
    if (!segments.has(segment)) {
      const damaged = this.#readFiles(volume, address, blockCount, target, start);
      // It may have been sealed since it was last looked, and its files be gone for that.
      if (damaged.length === 0 || !(await segments.lookFor(segment))) return damaged;
    }
    return await reader.read({ address, blockCount, volume, group }, target, start);
  }

  /** Files that are open take room also when they were removed. */
  #lookLater(files: SegmentReader): void {
    this.#timer = this.#parts.clock.timer(pointFilesIdleMs, () => {
      this.#timer = undefined;
      if (this.#hasRead) files.closeRemoved();
      else files.close();
      this.#hasRead = false;
      if (files.openCount > 0) this.#lookLater(files);
    });
  }

  /** Whatever is open is opened again by who reads on. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#parts.files?.close();
  }

  /** Those that are damaged, or not there. */
  #readFiles(volume: number, address: number, blockCount: number, target: Buffer, start: number): readonly number[] {
    const { files } = this.#parts;
    if (files === undefined) return all(blockCount);
    this.#hasRead = true;
    if (this.#timer === undefined) this.#lookLater(files);
    try {
      files.read({ volume, address, blockCount, startBlock: 0 }, target, start);
      return [];
    } catch (error) {
      if (error instanceof DamagedBlocksError) return error.blocks;
      // Its files may go at any moment.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return all(blockCount);
      throw error;
    }
  }
}

function countInSegment(address: number, blockCount: number): number {
  return Math.min(blockCount, slotsPerSegment - slotOf(address));
}

function all(blockCount: number): number[] {
  return Array.from({ length: blockCount }, (_, block) => block);
}
