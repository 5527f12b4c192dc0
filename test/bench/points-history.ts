/** The history of a group with one volume, sealed in a folder: of records alone, whose payload nobody asks for. */
import { join } from "node:path";
import { nodeMachine } from "#src/host/node/machine.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { addressOf } from "#src/records/address.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { Objects, ReadableObjects } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { type GroupPoints, openGroupPoints } from "#src/synth/group-points.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";

export const benchGroup = "0123456789abcdef0123456789abcdef";
export const benchVolume = 1;
const pieceRecords = 2 ** 17;
const slots = 65_536;
const microsBetween = 30;

export const freely: WorkControl = {
  isCancelled: false,
  throwIfCancelled: () => {},
  progress: () => {},
  pace: async () => {},
};

export interface BenchWrite {
  readonly startBlock: number;
  readonly blockCount: number;
}

/** Of what a `BenchHistory` has in this folder. */
export function sealedPoints(folder: string): Promise<GroupPoints> {
  const machine = nodeMachine(rememberingLog([]));
  return pointsOver(FolderObjects.openToRead(machine, objectsFolder(folder)), machine);
}

async function pointsOver(
  objects: ReadableObjects,
  { files, clock }: ReturnType<typeof nodeMachine>,
): Promise<GroupPoints> {
  const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined));
  const reader = new BlockReader(segments);
  const parts = { files, clock, objects, key: undefined, group: benchGroup, segments, reader };
  return openGroupPoints({ ...parts, journal: () => undefined });
}

function objectsFolder(folder: string): string {
  return join(folder, "objects");
}

export class BenchHistory {
  readonly history: GroupHistory;
  readonly #machine = nodeMachine(rememberingLog([]));
  readonly #objects: Objects;
  #seq = 0;
  #segment = 1;
  #slot = 0;
  #link: PieceLink | undefined;

  private constructor(objects: Objects) {
    const { randomness, clock } = this.#machine;
    this.#objects = objects;
    this.history = new GroupHistory({ objects, randomness, clock, key: undefined, group: benchGroup });
  }

  static async begin(folder: string, volumeBlocks: number): Promise<BenchHistory> {
    const machine = nodeMachine(rememberingLog([]));
    const bench = new BenchHistory(await FolderObjects.open(machine, objectsFolder(folder)));
    await bench.#seal([bench.#volumeUnit(volumeBlocks * 4096)]);
    return bench;
  }

  get lastSeq(): number {
    return this.#seq;
  }

  async close(): Promise<void> {
    await this.#objects.close();
  }

  /** Each a record, in pieces. */
  async write(writes: Iterable<BenchWrite>): Promise<void> {
    let units: SealedUnit[] = [];
    for (const write of writes) {
      units.push(this.#writeUnit(write));
      if (units.length < pieceRecords) continue;
      await this.#seal(units);
      units = [];
    }
    if (units.length > 0) await this.#seal(units);
  }

  /** What is written next begins one. */
  nextSegment(): void {
    if (this.#slot > 0) this.#segment++;
    this.#slot = 0;
  }

  /** Of all that was written. */
  snapshot(isHurried: boolean): Promise<Snapshot> {
    return this.history.makeSnapshot(this.#seq, freely, isHurried);
  }

  /** As another process has them, which has just begun. */
  points(): Promise<GroupPoints> {
    return pointsOver(this.#objects, this.#machine);
  }

  async #seal(units: readonly SealedUnit[]): Promise<void> {
    const { randomness } = this.#machine;
    const parts = { objects: this.#objects, randomness, key: undefined, group: benchGroup, previous: this.#link };
    const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
    for (const unit of units) await builder.add(unit);
    const identity = await builder.finish(1);
    this.#link = (await SealedPiece.open(this.#objects, identity, undefined)).link;
  }

  #volumeUnit(sizeBytes: number): SealedUnit {
    const bytes = encodeExtra({ id: "f".repeat(32), name: "disk", sizeBytes });
    return this.#unit({ type: recordType.volume, startBlock: 0, blockCount: 0, address: 0 }, bytes);
  }

  #writeUnit({ startBlock, blockCount }: BenchWrite): SealedUnit {
    if (this.#slot + blockCount > slots) {
      this.#segment++;
      this.#slot = 0;
    }
    const address = addressOf(this.#segment, this.#slot);
    this.#slot += blockCount;
    return this.#unit({ type: recordType.write, startBlock, blockCount, address }, Buffer.alloc(0));
  }

  #unit(
    body: { readonly type: number; readonly startBlock: number; readonly blockCount: number; readonly address: number },
    bytes: Buffer,
  ): SealedUnit {
    const seq = ++this.#seq;
    const timeMicros = 1_700_000_000_000_000 + seq * microsBetween;
    const place = { volume: benchVolume, seq, timeMicros, epoch: 1, ordinal: seq, level: 0 };
    const records = [{ ...body, ...place, extraBytes: bytes.length, extraAt: 0 }];
    return { firstSeq: seq, isAggregate: false, records, bytes };
  }
}
