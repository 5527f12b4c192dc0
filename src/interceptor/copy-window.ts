/**
 * How far the copy may be ahead of the remote. To be farther ahead gains nothing, since a copy has ended only when the
 * remote has it: it would fill the spool with what has to be read back from there, and what hosts write would have to wait
 * behind it. Where the spool fills up although the copy has slowed down, it is one piece ahead at most: then a link that takes
 * less than the copy could bring sets its speed, and the copy does not end the protection that it is for. Pure.
 */
import { copyAheadBytesMax, copyPressureMax } from "#src/core/limits.ts";
import type { VolumeLink } from "#src/wire/volume-link.ts";

type FarSide = Pick<VolumeLink, "remoteOrdinal" | "pressure">;

interface Ahead {
  /** Of the last record of it. */
  readonly ordinal: number;
  readonly byteLength: number;
}

export class CopyWindow {
  /** In the order, and not known to be durable at the remote. */
  #ahead: Ahead[] = [];
  #aheadBytes = 0;
  #link: FarSide | undefined;

  /** So much was put into the order, the last of it with this ordinal. */
  added(link: FarSide | undefined, ordinal: number, byteLength: number): void {
    this.#look(link);
    if (byteLength === 0) return;
    this.#ahead.push({ ordinal, byteLength });
    this.#aheadBytes += byteLength;
  }

  isFull(link: FarSide | undefined): boolean {
    this.#look(link);
    const isPressed = link !== undefined && link.pressure > copyPressureMax;
    return isPressed ? this.#aheadBytes > 0 : this.#aheadBytes >= copyAheadBytesMax;
  }

  #look(link: FarSide | undefined): void {
    if (link !== this.#link) this.#beginAnew(link);
    const remoteOrdinal = link?.remoteOrdinal ?? 0;
    let count = 0;
    for (; count < this.#ahead.length; count++) {
      const { ordinal, byteLength } = this.#ahead[count] as Ahead;
      if (ordinal > remoteOrdinal) break;
      this.#aheadBytes -= byteLength;
    }
    if (count > 0) this.#ahead.splice(0, count);
  }

  /** What went by another link is not waited for: a new one tells of it only when there is something new. */
  #beginAnew(link: FarSide | undefined): void {
    this.#link = link;
    this.#ahead = [];
    this.#aheadBytes = 0;
  }
}
