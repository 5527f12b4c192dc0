/**
 * The levels of a group's volumes: switched by a `level` record, which a group states anew when it starts, and which stands again
 * at the end of each interval in which something came.
 *
 * Invariant: what is asked for is durable before its record is placed, so that a start states it whatever was lost.
 */
import { RefuseError } from "#src/core/errors.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import { everyWriteLevel, type LevelChange } from "#src/records/level-record.ts";
import { recordType } from "#src/records/record.ts";
import type { GroupStateFile } from "./group-state.ts";
import { LevelClock } from "./level-clock.ts";
import type { Order } from "./order.ts";

export interface GroupLevelsParts {
  readonly state: GroupStateFile;
  readonly order: Pick<Order, "placeNowOrNever" | "lastSeq">;
  readonly clock: Clock;
  readonly failure: () => Error | undefined;
}

const lookEveryMs = 1000;

export class GroupLevels {
  readonly #parts: GroupLevelsParts;
  readonly #clock = new LevelClock();
  /** Switches whose record has no place yet, by volume. */
  readonly #unplaced = new Map<number, LevelChange>();
  #timer: Timer | undefined;
  #isOver = false;

  constructor(parts: GroupLevelsParts) {
    this.#parts = parts;
  }

  /** What records said of it before may be lost. */
  begin(): void {
    for (const { number, level, isGone } of this.#parts.state.state.volumes) {
      if (level !== undefined && isGone !== true) this.#switch(number, { seconds: level, previousSeconds: level });
    }
    this.#look();
  }

  /** From a place behind everything that was answered before on. Resolves when the record has its place, or will get it. */
  async set(volumeName: string, seconds: number): Promise<void> {
    const { state, failure } = this.#parts;
    const failed = failure();
    if (failed !== undefined) throw failed;
    const { volumes } = state.state;
    // One that was removed and added again is another one, behind it.
    const volume = volumes.findLast(({ name, isGone }) => name === volumeName && isGone !== true);
    if (volume === undefined) throw new RefuseError(`the group has no volume '${volumeName}'`);
    const previousSeconds = volume.level ?? everyWriteLevel;
    if (previousSeconds === seconds && volume.level !== undefined) return;
    await state.update({ volumes: volumes.map((one) => (one === volume ? { ...one, level: seconds } : one)) });
    this.#switch(volume.number, { seconds, previousSeconds });
    this.#look();
  }

  /** The volume was removed. */
  forget(volume: number): void {
    this.#unplaced.delete(volume);
    this.#clock.forget(volume);
  }

  #switch(volume: number, change: LevelChange): void {
    this.#unplaced.set(volume, change);
    this.#clock.set(volume, change.seconds, this.#nowMicros);
  }

  get #nowMicros(): number {
    return Math.round(this.#parts.clock.wallMs() * 1000);
  }

  #look(): void {
    this.#timer?.cancel();
    if (this.#isOver || this.#parts.failure() !== undefined) return;
    const nowMicros = this.#nowMicros;
    for (const [volume, change] of this.#unplaced) if (this.#place(volume, change)) this.#unplaced.delete(volume);
    for (const { volume, seconds } of this.#clock.due(nowMicros, this.#parts.order.lastSeq)) {
      this.#place(volume, { seconds, previousSeconds: seconds });
    }
    if (this.#clock.isIdle && this.#unplaced.size === 0) return;
    this.#timer = this.#parts.clock.timer(lookEveryMs, () => this.#look());
  }

  /** Without room it is tried again. */
  #place(volume: number, change: LevelChange): boolean {
    const seq = this.#parts.order.placeNowOrNever(recordType.level, volume, change);
    if (seq === undefined) return false;
    this.#clock.placed(volume, this.#nowMicros, seq);
    return true;
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
