/**
 * Whether the target that a restore goes on with is the one that it has begun, where nothing else may go: behind the same path
 * may be another disk by now. What the restore has put where it is found again speaks for it, and what it has never put there against it;
 * zeros are everywhere.
 */
import { RefuseError } from "#src/core/errors.ts";
import { type ByteSpan, type ReadImage, readPiece } from "./restore-piece.ts";
import type { RestoreTarget } from "./restore-target.ts";

/** A power cut leaves each of them written or not. */
const sectorBytes = 512;

export class TargetDoubt {
  #own = 0;
  #strange = 0;

  /** A stretch that is noted, as it is now. */
  saw(isAsPut: boolean, isZero: boolean): void {
    if (isZero) return;
    if (isAsPut) this.#own++;
    else this.#strange++;
  }

  get isStrange(): boolean {
    return this.#strange > this.#own;
  }

  /** Nothing that is noted tells whose target it is: what is not noted has to. */
  get isUndecided(): boolean {
    return this.#strange === 0 && this.#own === 0;
  }
}

/** The buffers hold a piece each. */
export async function holdsStrange(
  image: ReadImage,
  target: RestoreTarget,
  piece: ByteSpan,
  [wanted, found]: readonly [Buffer, Buffer],
): Promise<boolean> {
  const { position, lengthBytes } = piece;
  if ((await target.zerosFrom(position, lengthBytes)) >= lengthBytes) return false;
  await target.read(found, 0, lengthBytes, position);
  if (isZero(found, 0, lengthBytes)) return false;
  await readPiece(image, piece, wanted);
  for (let start = 0; start < lengthBytes; start += sectorBytes) {
    const end = Math.min(start + sectorBytes, lengthBytes);
    if (wanted.compare(found, start, end, start, end) !== 0 && !isZero(found, start, end)) return true;
  }
  return false;
}

function isZero(buffer: Buffer, start: number, end: number): boolean {
  return buffer[start] === 0 && buffer.compare(buffer, start, end - 1, start + 1, end) === 0;
}

export function strangeTarget(): RefuseError {
  return new RefuseError(
    "the target holds something that this restore has not put there, and may be another one by now: " +
      "--overwrite says that it may go, or name another target",
  );
}
