/**
 * The index over a file that is larger than memory. What is new is gathered in memory and goes into the file all at once,
 * in the order of its keys and together with the names of its segments; what is not in the file is mostly known not to
 * be there by a filter in memory.
 *
 * Changes take turns: one ends before the next begins. Lookups never wait.
 */
import { assert, isOwnFault } from "#src/core/assert.ts";
import { get32 } from "#src/core/big-endian.ts";
import { RetryError } from "#src/core/errors.ts";
import { indexFilterBytesDefault, indexGatherBytesDefault } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import type { Log } from "#src/host/log.ts";
import { holeAddress } from "#src/records/address.ts";
import type { FingerprintIndex, IndexFigures, IndexState, RebuildProgress } from "./fingerprint-index.ts";
import { GatheredChanges } from "./gathered-changes.ts";
import { IndexFile, type IndexFileParts } from "./index-file.ts";
import type { KeptFingerprints, SegmentFingerprints, SegmentName } from "./segment-fingerprints.ts";
import { CancelledError } from "./work-control.ts";

export interface FingerprintIndexParts extends Omit<IndexFileParts, "filterBytesMax"> {
  readonly filterBytesMax?: number;
  readonly gatherBytesMax?: number;
}

/** EBUSY: another process has it open. */
export async function openFingerprintIndex(parts: FingerprintIndexParts): Promise<FingerprintIndex> {
  const { filterBytesMax = indexFilterBytesDefault, gatherBytesMax = indexGatherBytesDefault } = parts;
  const file = await IndexFile.open({ ...parts, filterBytesMax });
  return new MappedFingerprintIndex(file, new GatheredChanges(gatherBytesMax), parts.log);
}

class MappedFingerprintIndex implements FingerprintIndex {
  readonly #file: IndexFile;
  readonly #gathered: GatheredChanges;
  readonly #log: Log;
  #turn: Promise<unknown> = Promise.resolve();
  #letGoCount = 0;
  /** The losses that somebody has asked after what is missing since. */
  #lossesTold = -1;
  #isClosed = false;
  #lookupCount = 0;
  #hitCount = 0;

  constructor(file: IndexFile, gathered: GatheredChanges, log: Log) {
    this.#file = file;
    this.#gathered = gathered;
    this.#log = log;
  }

  get state(): IndexState {
    const { about } = this.#file;
    return {
      identity: about?.identity.toString("hex") ?? "",
      changeCount: about?.changeCount ?? 0,
      isIncomplete: this.#lossesTold !== this.#losses,
    };
  }

  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void {
    this.#lookupCount += count;
    for (let index = 0; index < count; index++) {
      const at = index * fingerprintBytes;
      const address = this.#addressOf(get32(fingerprints, at), get32(fingerprints, at + 4));
      if (address !== holeAddress) this.#hitCount++;
      addresses[index] = address;
    }
  }

  add(name: SegmentName, kept: KeptFingerprints): Promise<void> {
    return this.#inTurn(async () => {
      const losses = this.#losses;
      await this.#gather(kept, putAddress);
      this.#note(name, losses);
    });
  }

  forget(blocks: KeptFingerprints): Promise<void> {
    return this.#inTurn(() =>
      this.#gather(blocks, (gathered, high, low, address) => {
        if (this.#mayPointTo(high, low, address)) gathered.fingerprints.put(high, low, holeAddress);
      }),
    );
  }

  forgetSegment(segment: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#gathered.generations.set(segment, undefined);
    });
  }

  missing(stored: readonly SegmentName[]): Promise<SegmentName[]> {
    return this.#inTurn(async () => {
      const newest = new Map<number, SegmentName>();
      for (const name of stored) {
        if (name.generation >= (newest.get(name.segment)?.generation ?? 0)) newest.set(name.segment, name);
      }
      const known = this.#known();
      if (isOfAnother(known, newest)) {
        this.#file.lose("it knows segments that the store does not have");
        this.#gathered.clear();
        known.clear();
      }
      await this.#file.settle();
      this.#lossesTold = this.#losses;
      return [...newest.values()].filter(({ segment, generation }) => known.get(segment) !== generation);
    });
  }

  beginAnew(why: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#file.lose(why);
      this.#gathered.clear();
      await this.#file.settle();
    });
  }

  async rebuild(
    segments: AsyncIterable<SegmentFingerprints>,
    progress: (done: RebuildProgress) => void,
  ): Promise<RebuildProgress> {
    let done: RebuildProgress = { segmentCount: 0, fingerprintCount: 0, unreadable: [] };
    for await (const directory of segments) {
      const { segment, generation } = directory;
      try {
        const fingerprintCount = done.fingerprintCount + (await this.#take(directory));
        done = { ...done, segmentCount: done.segmentCount + 1, fingerprintCount };
      } catch (error) {
        if (isOwnFault(error) || error instanceof CancelledError) throw error;
        this.#log.warn("a segment's directory cannot be read, and the index goes without it", {
          segment,
          generation,
          error,
        });
        done = { ...done, unreadable: [...done.unreadable, { segment, generation }] };
      }
      progress(done);
    }
    await this.#inTurn(() => this.#write());
    return done;
  }

  flush(): Promise<void> {
    return this.#inTurn(async () => {
      if (!(await this.#write())) throw new RetryError("the index of fingerprints cannot be written; its log says why");
    });
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        this.#isClosed = true;
        await this.#write();
        await this.#file.close();
      } catch (error) {
        if (isOwnFault(error)) throw error;
        this.#log.warn("the index of fingerprints was not closed as it should be", { error });
      }
    });
  }

  figures(): IndexFigures {
    return {
      ...this.#file.figures(),
      gatheredCount: this.#gathered.fingerprints.count,
      gatheredBytes: this.#gathered.fingerprints.bytes,
      segmentCount: this.#known().size,
      lookupCount: this.#lookupCount,
      hitCount: this.#hitCount,
    };
  }

  /** Another number, and something that was added before is not known any more. */
  get #losses(): number {
    return this.#file.lossCount + this.#letGoCount;
  }

  #addressOf(high: number, low: number): number {
    return this.#gathered.fingerprints.get(high, low) ?? this.#file.addressOf(high, low);
  }

  #mayPointTo(high: number, low: number, address: number): boolean {
    const gathered = this.#gathered.fingerprints.get(high, low);
    if (gathered !== undefined) return gathered === address;
    return !this.#file.isOpen || this.#file.addressOf(high, low) === address;
  }

  async #take(directory: SegmentFingerprints): Promise<number> {
    const losses = this.#losses;
    let count = 0;
    for await (const kept of directory.pieces) {
      await this.#inTurn(() => this.#gather(kept, putAddress));
      count += kept.count;
    }
    await this.#inTurn(async () => this.#note(directory, losses));
    return count;
  }

  /** All of them, with the room that there is: what is gathered is written in between where that is needed. */
  async #gather({ count, fingerprints, addresses }: KeptFingerprints, put: typeof putAddress): Promise<void> {
    for (let index = 0; index < count; index++) {
      if (this.#gathered.roomCount === 0) await this.#makeRoom();
      const at = index * fingerprintBytes;
      put(this.#gathered, get32(fingerprints, at), get32(fingerprints, at + 4), addresses[index] as number);
    }
  }

  /** Known are only segments of which nothing was lost on the way. */
  #note({ segment, generation }: SegmentName, lossesBefore: number): void {
    if (this.#losses === lossesBefore) this.#gathered.generations.set(segment, generation);
  }

  /** Where it cannot be written it is let go: the index is there to save room, not to need it. */
  async #makeRoom(): Promise<void> {
    if (await this.#write()) return;
    this.#letGoCount++;
    this.#log.warn("the index of fingerprints cannot be written, and lets go of what it was told", {
      fingerprints: this.#gathered.fingerprints.count,
    });
    this.#gathered.letGo((high, low) => this.#file.addressOf(high, low) !== holeAddress);
    if (this.#gathered.roomCount > 0) return;
    this.#file.lose("what is to be forgotten cannot be written");
    this.#gathered.clear();
  }

  async #write(): Promise<boolean> {
    if (this.#gathered.isEmpty) return await this.#file.settle();
    const isWritten = await this.#file.change(this.#gathered);
    if (isWritten) this.#gathered.clear();
    return isWritten;
  }

  #known(): Map<number, number> {
    const known = new Map(this.#file.generations);
    for (const [segment, generation] of this.#gathered.generations) {
      if (generation === undefined) known.delete(segment);
      else known.set(segment, generation);
    }
    return known;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(() => {
      assert(!this.#isClosed, "an index that was closed is not changed");
      return work();
    });
    this.#turn = result.catch(() => {});
    return result;
  }
}

function putAddress(gathered: GatheredChanges, high: number, low: number, address: number): void {
  gathered.fingerprints.put(high, low, address);
}

/** An index lags behind its store, and never the other way. */
function isOfAnother(known: ReadonlyMap<number, number>, newest: ReadonlyMap<number, SegmentName>): boolean {
  for (const [segment, generation] of known) {
    if (generation > (newest.get(segment)?.generation ?? -1)) return true;
  }
  return false;
}
