/**
 * Closed segments as they are to be sealed, where a disk has lost sums of their blocks: what is left of these are zeros, or nothing.
 * Slots look just so that were given and never came to count, and so the open journal decides: where one of its records points to
 * the slot there was a durable block. The local appliance has it as long as its spool does, and is asked for it by the record that
 * wrote it; what does not come back is damaged.
 *
 * Invariant: what comes back is taken for the very block that was asked for, since nothing here could say otherwise; so it is asked
 * for by seq, volume and block, and nothing else is ever put into its slot.
 */
import { dirname } from "node:path";
import type { SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { lostSumsWaitMs, recallBlocksMax, scrubRecallMax } from "#src/core/recall-limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { Machine } from "#src/host/machine.ts";
import type { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import type { Recall } from "#src/journals/recalled-copies.ts";
import { slotsOf } from "#src/journals/sealed-damage.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";
import type { WantedBlock } from "#src/wire/group-link.ts";
import { GroupFolders } from "./group-folders.ts";

export interface LostSumsParts {
  readonly machine: Pick<Machine, "files" | "clock" | "log">;
  readonly recall: Recall;
}

/** By their slots. */
type LostBlocks = ReadonlyMap<number, WantedBlock>;
type RecalledSlots = ReadonlyMap<number, Buffer>;

export class LostSums {
  readonly #parts: LostSumsParts;
  /** Since when a segment waits for somebody who may have its blocks. */
  readonly #sinceMs = new Map<number, number>();

  constructor(parts: LostSumsParts) {
    this.#parts = parts;
  }

  /**
   * `stepped`: something was done. Throws a `RetryError` while it cannot be known what was lost, or nobody answers who may have it;
   * a `StopError` where the journal is damaged.
   */
  async sourceOf(closed: ClosedSegmentFiles, request: SealRequest, stepped: () => void): Promise<ClosedSegment> {
    const lost = this.#lostBlocks(closed, request);
    if (lost.size === 0) return new SegmentToSeal(closed, lost, new Map(), stepped);
    const recalled = await this.#recalled(request, lost, stepped);
    const { group, segment } = request;
    const fields = { group, segment, blocks: lost.size, recalled: recalled.size };
    const others = "the others cannot be read any more, and a scrub names them";
    const outcome = recalled.size === lost.size ? "all of these came back from a spool" : others;
    this.#parts.machine.log.error(`a disk has lost sums of blocks that are to be sealed: ${outcome}`, fields);
    return new SegmentToSeal(closed, lost, recalled, stepped);
  }

  #lostBlocks(closed: ClosedSegmentFiles, { group, folder, segment }: SealRequest): LostBlocks {
    const withSum = closed.slotsWithSum();
    const lost = new Map<number, WantedBlock>();
    if (withSum.length > 0 && withSum.every((isThere) => isThere)) return lost;
    const folders = new GroupFolders(this.#parts.machine.files, dirname(folder));
    const durableSeq = folders.checkpoints().get(group);
    const walk = durableSeq === undefined ? undefined : folders.walkFrom(group, 0);
    if (walk === undefined || durableSeq === undefined) throw notNow(segment);
    try {
      for (let unit = walk.next(); unit.finding === "sound"; unit = walk.next()) {
        for (const record of unit.records) {
          for (const { slot, block } of slotsOf(record, segment)) {
            if (withSum[slot] !== true) lost.set(slot, { seq: record.seq, volume: record.volume, block });
          }
        }
      }
    } catch (error) {
      // The group's own process lets go of pieces that are sealed.
      throw (error as NodeJS.ErrnoException).code === "ENOENT" ? notNow(segment) : error;
    } finally {
      walk.close();
    }
    if (walk.expectedSeq > durableSeq) return lost;
    const where = `the journal of group ${group} ends before record ${walk.expectedSeq}`;
    throw new StopError(`segment ${segment} lacks sums, and nobody can say of which blocks: ${where}`);
  }

  /** Those that the newest records wrote, since others have left the spool before. */
  async #recalled({ group, segment }: SealRequest, lost: LostBlocks, stepped: () => void): Promise<RecalledSlots> {
    const recalled = new Map<number, Buffer>();
    const newest = [...lost].sort(([, a], [, b]) => b.seq - a.seq).slice(0, scrubRecallMax);
    for (let first = 0; first < newest.length; first += recallBlocksMax) {
      const asked = newest.slice(first, first + recallBlocksMax);
      const wanted = asked.map(([, write]) => write);
      const blocks = await this.#parts.recall(group, wanted);
      stepped();
      if (blocks.length === 0 && recalled.size === 0) this.#assertWaited(segment);
      const before = recalled.size;
      for (const [index, [slot]] of asked.entries()) {
        const block = blocks[index];
        if (block?.length === blockBytes) recalled.set(slot, block);
      }
      if (recalled.size === before) break;
    }
    return recalled;
  }

  /** Nobody has answered: he who may have the blocks is not connected, or is asked for others. */
  #assertWaited(segment: number): void {
    const nowMs = this.#parts.machine.clock.monotonicMs();
    const sinceMs = this.#sinceMs.get(segment) ?? nowMs;
    this.#sinceMs.set(segment, sinceMs);
    if (nowMs - sinceMs >= lostSumsWaitMs) return;
    const wayOut = `it waits for the group's local appliance, which may have these blocks, for ${lostSumsWaitMs / 60_000} minutes at most`;
    throw new RetryError(`a disk has lost sums of segment ${segment}: ${wayOut}`);
  }
}

function notNow(segment: number): RetryError {
  return new RetryError(
    `the journal cannot be read just now, which says of what blocks segment ${segment} has lost the sums`,
  );
}

/** With what came back in its slots. */
class SegmentToSeal implements ClosedSegment {
  readonly segment: number;
  readonly slotCount: number;
  readonly #closed: ClosedSegment;
  readonly #lost: LostBlocks;
  readonly #recalled: RecalledSlots;
  readonly #stepped: () => void;

  constructor(closed: ClosedSegment, lost: LostBlocks, recalled: RecalledSlots, stepped: () => void) {
    this.segment = closed.segment;
    this.slotCount = [...lost.keys()].reduce((count, slot) => Math.max(count, slot + 1), closed.slotCount);
    this.#closed = closed;
    this.#lost = lost;
    this.#recalled = recalled;
    this.#stepped = stepped;
  }

  read(slot: number, count: number, run: SlotRun): void {
    this.#stepped();
    this.#closed.read(slot, count, run);
    if (this.#lost.size === 0) return;
    for (let index = 0; index < count; index++) {
      const write = this.#lost.get(slot + index);
      if (write === undefined) continue;
      run.volumes[index] = write.volume;
      const block = this.#recalled.get(slot + index);
      run.states[index] = block === undefined ? blockState.damaged : blockState.sound;
      if (block === undefined) continue;
      const start = index * blockBytes;
      block.copy(run.blocks, start);
      putChecksum(run.blocks, start, start + blockBytes, run.checksums, index * checksumBytes);
    }
  }
}
