/**
 * Whether a volume has points, as whoever reads its records later will judge. A first copy ends with two records: between them
 * there is no point yet, and others of the group may come there. Pure.
 */
import { recordType } from "#src/records/record.ts";

export class CopyState {
  #isCopyDue = false;
  /** Between a begin and its end, or about to be. */
  #isCopying = false;
  /** What the source held at first is not known to be all there. */
  #isFirst = false;

  /**
   * By another link. `isCopyDue`: its interceptor has something to copy. `isBeginDue`: the first record will be a
   * `resync-begin`, for that or another reason.
   */
  attached(isCopyDue: boolean, isBeginDue: boolean): void {
    this.#isCopyDue = isCopyDue;
    this.#isCopying = isBeginDue;
    this.#isFirst &&= isCopyDue;
  }

  /** The volume has no point before something else follows. */
  get isOpen(): boolean {
    return this.#isCopying || this.#isFirst;
  }

  /** Any record at all while it is open, and the begin of a copy. `ordinal`: the first of a volume is 1. */
  saw(type: number, ordinal: number): void {
    switch (type) {
      case recordType.resyncBegin:
        this.#isFirst ||= this.#isCopyDue && ordinal === 1;
        this.#isCopying = true;
        break;
      case recordType.resyncEnd:
        this.#isCopying = false;
        break;
      case recordType.initialComplete:
        this.#isCopying = false;
        this.#isFirst = false;
        break;
      default:
        // What was no first copy, although it looked like one, does not end like one.
        if (!this.#isCopying) this.#isFirst = false;
    }
  }
}
