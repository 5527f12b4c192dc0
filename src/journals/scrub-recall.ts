/**
 * What a scrub repairs from the spools of local appliances: when all that the store has was tried, and when a segment was
 * sealed with damaged blocks, since what spools have of these they do not have for long.
 */
import { scrubRepairsTold } from "#src/core/recall-limits.ts";
import { metDamageMax } from "#src/core/store-limits.ts";
import type { Log } from "#src/host/log.ts";
import { unlessUnreadable } from "#src/store/object-presence.ts";
import type { ObjectName } from "#src/store/objects.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import type { SegmentStore } from "#src/store/segment-store.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { UnitWalk } from "./piece-sealer.ts";
import { type LostWrite, type Recall, RecalledCopies } from "./recalled-copies.ts";
import { damagedSlotsOf, writesOfDamage } from "./sealed-damage.ts";

export interface ScrubRecallParts {
  readonly recall?: Recall;
  readonly store: Pick<SegmentStore, "segments">;
  readonly walkFrom: (group: string, seq: number) => UnitWalk | undefined;
  readonly log: Log;
}

/** Checks an object, and repairs what it can. Answers whether that was anything. */
export type CheckObject = (object: ObjectName, control: WorkControl) => Promise<boolean>;

export class ScrubRecall {
  readonly copies: RecalledCopies;
  readonly #parts: ScrubRecallParts;
  readonly #check: CheckObject;
  /** Segments with damaged blocks, and their groups. */
  readonly #sealed = new Map<number, string>();
  #blockCount = 0;
  #repairs: string[] = [];

  constructor(parts: ScrubRecallParts, check: CheckObject) {
    this.#parts = parts;
    this.#check = check;
    this.copies = new RecalledCopies(parts.recall);
  }

  /** Blocks that came back, since the start of this process. */
  get blockCount(): number {
    return this.#blockCount;
  }

  /** In words, since the run has begun. */
  get repairs(): readonly string[] {
    return this.#repairs;
  }

  beginRun(): void {
    this.#repairs = [];
  }

  /** Blocks of it were damaged when it was sealed. */
  sealed(segment: number, group: string): void {
    if (this.#sealed.size < metDamageMax) this.#sealed.set(segment, group);
  }

  get isDue(): boolean {
    return this.#sealed.size > 0;
  }

  async checkSealed(control: WorkControl): Promise<void> {
    for (const [segment, group] of this.#sealed) {
      control.throwIfCancelled();
      this.#sealed.delete(segment);
      const generation = this.#parts.store.segments.generationOf(segment);
      if (generation === undefined) continue;
      const object = segmentObjectName({ segment, generation });
      const writes = await this.#writesOf(segment, group, control);
      // What a crash left half written no record speaks of, and nobody misses.
      if (writes.length === 0) continue;
      if (!(await this.repair(writes, [object], control))) await this.#check(object, control);
    }
  }

  async #writesOf(segment: number, group: string, control: WorkControl): Promise<readonly LostWrite[]> {
    const { store, walkFrom } = this.#parts;
    const directory = await unlessUnreadable(store.segments.directory(segment));
    const damaged = directory === undefined ? undefined : await unlessUnreadable(damagedSlotsOf(directory));
    const walk = damaged === undefined ? undefined : walkFrom(group, 0);
    if (damaged === undefined || walk === undefined) return [];
    try {
      return await writesOfDamage({ group, segment, damaged }, walk, control);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // The group's own process lets go of pieces that are sealed: then the next round learns it from these.
      return [];
    }
  }

  /** Checks the objects with what spools still have of these. False: they have nothing, and nothing was checked. */
  async repair(writes: readonly LostWrite[], objects: readonly ObjectName[], control: WorkControl): Promise<boolean> {
    if (writes.length === 0 || !(await this.copies.gather(writes, control))) return false;
    try {
      for (const object of objects) {
        const isRepaired = await this.#check(object, control);
        const blockCount = this.copies.takeUsed();
        if (isRepaired && blockCount > 0) this.#tell(object, blockCount);
      }
    } finally {
      this.copies.forget();
    }
    return true;
  }

  #tell(object: ObjectName, blockCount: number): void {
    this.#blockCount += blockCount;
    this.#parts.log.warn("lost blocks came back from a spool", { object, blocks: blockCount });
    if (this.#repairs.length >= scrubRepairsTold) return;
    this.#repairs.push(
      `${object}: blocks (${blockCount}) were lost, and came back from the spool of a local appliance`,
    );
  }
}
