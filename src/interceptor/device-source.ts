/** A file or a block device as a source: written at once while it is fast, by others while it is slow. */
import { alignUp } from "#src/core/byte-range.ts";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { nbdPunchPieceBytes, nbdZeroPieceBytes, nbdZeroRangePieceBytes } from "#src/core/nbd-limits.ts";
import { sourceClosePatienceMs } from "#src/core/volume-limits.ts";
import type { BlockDevice, DoneCallback } from "#src/host/block-device.ts";
import type { Clock } from "#src/host/clock.ts";
import { Pace } from "#src/nbd/pace.ts";
import { CallsUnderWay } from "./calls-under-way.ts";
import type { ExtentsCallback, Source } from "./source.ts";

const zeros = Buffer.alloc(nbdZeroPieceBytes);
/** How many runs are looked at for a hole to try a punch on. */
const probedExtentsMax = 64;

export class DeviceSource implements Source {
  readonly sizeBytes: number;
  readonly rotational: boolean;
  readonly minimumBytes = 1;
  readonly isCached = true;
  readonly #device: BlockDevice;
  readonly #clock: Clock;
  readonly #pace = new Pace();
  readonly #calls = new CallsUnderWay();
  /** Undefined as long as nobody has tried. */
  #punches: boolean | undefined;
  #zeroes: boolean | undefined;
  /** Nothing long goes on. */
  #isEnding = false;
  #isLetGo = false;

  /** The device is closed with the source. */
  constructor(device: BlockDevice, clock: Clock) {
    this.#device = device;
    this.#clock = clock;
    this.sizeBytes = device.sizeBytes;
    this.rotational = device.rotational;
    this.#punches = punchesHoles(device);
  }

  get trimReadsZeros(): boolean {
    return this.#punches !== false;
  }

  clearsFast(keepSpace: boolean): boolean {
    return (keepSpace ? this.#zeroes : this.#punches) === true;
  }

  readIfCached(buffer: Buffer, start: number, lengthBytes: number, position: number): boolean {
    return this.#device.readIfCached(buffer, start, lengthBytes, position);
  }

  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#device.read(buffer, start, lengthBytes, position, this.#calls.enter(done));
  }

  mayWriteNow(): boolean {
    return this.#pace.mayWriteNow();
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    const beganMs = this.#clock.monotonicMs();
    this.#device.writeNow(buffer, start, lengthBytes, position);
    this.#pace.tookMs(this.#clock.monotonicMs() - beganMs);
  }

  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#device.write(buffer, start, lengthBytes, position, this.#calls.enter(done));
  }

  /** In pieces, so that others get their turn. A device that cannot clear has zeros written to it. */
  clear(position: number, lengthBytes: number, keepSpace: boolean, done: DoneCallback): void {
    if (this.#isEnding) return done(new Error("the source was closed"));
    const piece = Math.min(lengthBytes, keepSpace ? nbdZeroRangePieceBytes : nbdPunchPieceBytes);
    try {
      if (!this.#clearNow(position, piece, keepSpace)) return this.#writeZeros(position, lengthBytes, done);
    } catch (error) {
      return done(error as Error);
    }
    if (piece === lengthBytes) return done(null);
    this.#clock.soon(() => this.clear(position + piece, lengthBytes - piece, keepSpace, done));
  }

  #clearNow(position: number, lengthBytes: number, keepSpace: boolean): boolean {
    if (keepSpace) this.#zeroes = this.#device.zeroRangeNow(position, lengthBytes);
    else this.#punches = this.#device.punchHoleNow(position, lengthBytes);
    return this.clearsFast(keepSpace);
  }

  #writeZeros(position: number, lengthBytes: number, done: DoneCallback): void {
    if (this.#isEnding) return done(new Error("the source was closed"));
    const piece = Math.min(lengthBytes, zeros.length);
    this.write(zeros, 0, piece, position, (error) => {
      if (error !== null || piece === lengthBytes) done(error);
      else this.#writeZeros(position + piece, lengthBytes - piece, done);
    });
  }

  endClears(): void {
    this.#isEnding = true;
  }

  sync(done: DoneCallback): void {
    this.#device.sync(this.#calls.enter(done));
  }

  extents(position: number, lengthBytes: number, countMax: number, done: ExtentsCallback): void {
    done(null, this.#device.extentsNow(position, lengthBytes, countMax));
  }

  willNeed(position: number, lengthBytes: number): void {
    this.#device.willNeed(position, lengthBytes);
  }

  /** The device is held, and locked against others, until the last call has come back: whoever opens it anew waits for that. */
  async close(): Promise<void> {
    this.endClears();
    const haveEnded = await this.#calls.haveEnded(this.#clock, sourceClosePatienceMs);
    // A device that is still at work on something lets go of itself behind that.
    if (!this.#isLetGo) this.#device.close();
    this.#isLetGo = true;
    if (haveEnded) return;
    const { count } = this.#calls;
    throw new RetryError(
      `the disk of ${this.#device.path} has not answered ${count === 1 ? "a call" : `${count} calls`} for too long: ` +
        "the source can be opened anew when it has",
    );
  }
}

/** Found out where it changes nothing: in a hole. Without one nobody knows before the first trim. */
function punchesHoles(device: BlockDevice): boolean | undefined {
  let at = 0;
  for (const extent of device.extentsNow(0, device.sizeBytes, probedExtentsMax)) {
    const start = alignUp(at, blockBytes);
    at += extent.lengthBytes;
    if (extent.hole && start + blockBytes <= at) return device.punchHoleNow(start, blockBytes);
  }
  return undefined;
}
