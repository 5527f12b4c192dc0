/**
 * A host that does what comes to its mind: many changes at once, of any range, also overlapping ones, in batches of any
 * size. It remembers, byte by byte, what must come of it: changes over the same bytes count in the order in which they
 * were asked for.
 */
import { blockBytes, MiB } from "#src/core/limits.ts";
import { command } from "#src/nbd/constants.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { VolumeWorld } from "./volume-world.ts";

export class RandomHost {
  readonly #world: VolumeWorld;
  readonly #random: SeededRandom;
  /** What the volume holds when all has come to its end. */
  readonly model: Buffer;
  readonly requests: RecordedRequest[] = [];
  /** Most changes go here, so that they meet. */
  readonly #hotBytes: number;
  #fill = 0;

  constructor(world: VolumeWorld, random: SeededRandom, hotBytes = 64 * 1024) {
    this.#world = world;
    this.#random = random;
    this.#hotBytes = Math.min(hotBytes, world.sizeBytes);
    this.model = Buffer.from(world.initial);
  }

  /** Submits a batch of a few requests. */
  act(countMax = 6): void {
    const requests = Array.from({ length: this.#random.between(1, countMax) }, () => this.#request());
    this.requests.push(...requests);
    this.#world.batch(requests);
  }

  #range(lengthMax: number): { offset: number; length: number } {
    const isHot = this.#random.chance(0.9);
    const spaceBytes = isHot ? this.#hotBytes : this.#world.sizeBytes;
    const base = isHot ? this.#world.sizeBytes - this.#hotBytes : 0;
    const unit = this.#random.pick([1, 1, 512, blockBytes, blockBytes]);
    const length = Math.min(unit * this.#random.between(1, Math.ceil(lengthMax / unit)), spaceBytes);
    const start = this.#random.between(0, Math.floor((spaceBytes - length) / unit)) * unit;
    // Often up to the very end of the volume.
    const offset = this.#random.chance(0.1) ? this.#world.sizeBytes - length : base + start;
    return { offset, length };
  }

  #request(): RecordedRequest {
    const random = this.#random;
    const fua = random.chance(0.05);
    const kind = random.integerBelow(20);
    if (kind === 0) return new RecordedRequest({ command: command.flush });
    if (kind === 1) {
      const { offset, length } = this.#range(64 * 1024);
      this.#trimmed(offset, length);
      return new RecordedRequest({ command: command.trim, offset, length, fua });
    }
    if (kind <= 3) {
      const { offset, length } = this.#range(64 * 1024);
      this.model.fill(0, offset, offset + length);
      const noHole = random.chance(0.5);
      return new RecordedRequest({ command: command.writeZeroes, offset, length, fua, noHole });
    }
    const { offset, length } = this.#range(random.chance(0.03) ? 2 * MiB + 5000 : 20_000);
    this.#fill = (this.#fill % 255) + 1;
    const payload = Buffer.alloc(length, this.#fill);
    payload.copy(this.model, offset);
    return new RecordedRequest({ command: command.write, offset, payload, fua });
  }

  #trimmed(offset: number, length: number): void {
    const end = offset + length;
    const start = Math.ceil(offset / blockBytes) * blockBytes;
    const last = end === this.#world.sizeBytes ? end : Math.floor(end / blockBytes) * blockBytes;
    if (last > start) this.model.fill(0, start, last);
  }

  get isAnswered(): boolean {
    return this.requests.every((request) => request.error !== undefined);
  }
}

/** Where two buffers differ first, in words; undefined: nowhere. */
export function firstDifference(found: Buffer, expected: Buffer): string | undefined {
  if (found.equals(expected)) return undefined;
  const at = found.findIndex((byte, index) => byte !== expected[index]);
  return `byte ${at} (block ${Math.floor(at / blockBytes)}) is ${found[at]} and not ${expected[at]}`;
}
