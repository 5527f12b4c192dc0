/** A reserve of room that is held only by a store that has grown so large that it matters: a small one is not to take much. */
import { reserveShareOfStore } from "#src/core/store-limits.ts";
import type { SpaceReserve } from "./space-reserve.ts";

export class EarnedReserve implements SpaceReserve {
  readonly #reserve: SpaceReserve;
  readonly #byteLength: () => number;
  readonly #storeBytes: () => number;

  /** `byteLength`: of the reserve when it is full, as large as the store is now. */
  constructor(reserve: SpaceReserve, byteLength: () => number, storeBytes: () => number) {
    this.#reserve = reserve;
    this.#byteLength = byteLength;
    this.#storeBytes = storeBytes;
  }

  get folder(): string | undefined {
    return this.#reserve.folder;
  }

  get heldBytes(): number {
    return this.#reserve.heldBytes;
  }

  /** What should be held, and is not. */
  get lackingBytes(): number {
    const byteLength = this.#byteLength();
    const isEarned = this.#storeBytes() * reserveShareOfStore >= byteLength;
    return isEarned ? Math.max(0, byteLength - this.heldBytes) : 0;
  }

  give(byteLength: number): boolean {
    return this.#reserve.give(byteLength);
  }

  async refill(): Promise<void> {
    if (this.lackingBytes > 0) await this.#reserve.refill();
  }
}
