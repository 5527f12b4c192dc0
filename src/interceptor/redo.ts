/**
 * Brings to the source what the appliance has and the source may lack, one record after the other, as it was. Some of that
 * the source has already, so that on the way it has older data over newer; that it is on the way is noted durably first.
 */
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { isLackOfSpace } from "#src/host/lack-of-room.ts";
import { isOfBlocks, recordType, recordTypeName } from "#src/records/record.ts";
import type { RedoRecord } from "#src/wire/volume-link.ts";
import type { RegionMapFile } from "./region-map-file.ts";
import type { Source } from "./source.ts";

export class Redo {
  readonly #source: Source;
  readonly #mapFile: Pick<RegionMapFile, "state" | "update">;
  /** An earlier one did not come to its end. */
  readonly #isAgain: boolean;
  #lastOrdinal: number;
  #count = 0;

  /** Only records after what the source has durably are expected. */
  constructor(source: Source, mapFile: Pick<RegionMapFile, "state" | "update">) {
    this.#source = source;
    this.#mapFile = mapFile;
    this.#isAgain = mapFile.state.redoing;
    this.#lastOrdinal = mapFile.state.durableOrdinal;
  }

  get count(): number {
    return this.#count;
  }

  /** What an earlier one has begun nobody can bring to its end, if there is nothing left to be redone. */
  refuseHalf(name: string): void {
    if (!this.#isAgain || this.#count > 0) return;
    throw new RefuseError(
      `the source of '${name}' was being brought up to date from a spool that is gone, and has older data over newer: ` +
        `put its newest image back, or take it as it is with 'tidemark volume resync ${name}'`,
    );
  }

  async apply(record: RedoRecord): Promise<void> {
    this.#check(record);
    if (!this.#mapFile.state.redoing) await this.#mapFile.update({ redoing: true });
    this.#lastOrdinal = record.ordinal;
    this.#count++;
    const position = record.startBlock * blockBytes;
    const length = Math.min(record.blockCount * blockBytes, this.#source.sizeBytes - position);
    try {
      if (record.type === recordType.write) await this.#write(record, position, length);
      else await this.#clear(position, length, record.type === recordType.zero);
    } catch (error) {
      if (!isLackOfSpace(error)) throw error;
      throw new RetryError("the source is full, and lacks what it has to get before it may be used", { cause: error });
    }
  }

  #check(record: RedoRecord): void {
    const { type, ordinal, startBlock, blockCount } = record;
    if (!isOfBlocks(type)) {
      throw new StopError(`the appliance redoes a record that is no change: ${recordTypeName(type)}`);
    }
    if (ordinal <= this.#lastOrdinal) {
      throw new StopError(`the appliance redoes record ${ordinal} after record ${this.#lastOrdinal}`);
    }
    const isInside = blockCount > 0 && (startBlock + blockCount - 1) * blockBytes < this.#source.sizeBytes;
    if (!isInside) {
      throw new StopError(
        `record ${ordinal} is about block ${startBlock} and ${blockCount - 1} more, beyond the volume`,
      );
    }
  }

  #write(record: RedoRecord, position: number, length: number): Promise<void> | undefined {
    const { buffer, payloadAt } = record;
    if (this.#source.mayWriteNow()) {
      this.#source.writeNow(buffer, payloadAt, length, position);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#source.write(buffer, payloadAt, length, position, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  #clear(position: number, length: number, keepSpace: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#source.clear(position, length, keepSpace, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}
