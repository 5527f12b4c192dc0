/**
 * A host that remembers what it was promised. After a crash each byte must hold what the newest change wrote whose
 * durability was promised, or what any later one wrote, promised or not.
 */
import { command } from "#src/nbd/constants.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { VolumeWorld } from "./volume-world.ts";

interface Change {
  readonly request: RecordedRequest;
  readonly offset: number;
  readonly length: number;
  readonly value: number;
  isPromised: boolean;
}

interface Flush {
  readonly request: RecordedRequest;
  /** Answered before it was asked for. */
  readonly covers: readonly Change[];
}

export class HistoryHost {
  readonly #world: VolumeWorld;
  readonly #random: SeededRandom;
  #before: Buffer;
  #changes: Change[] = [];
  #flushes: Flush[] = [];
  #value = 0;
  promisedCount = 0;

  constructor(world: VolumeWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
    this.#before = Buffer.from(world.initial);
  }

  act(): void {
    const requests = Array.from({ length: this.#random.between(1, 4) }, () => this.#request());
    this.#world.batch(requests);
  }

  #request(): RecordedRequest {
    const random = this.#random;
    if (random.chance(0.1)) {
      const request = new RecordedRequest({ command: command.flush });
      const covers = this.#changes.filter((change) => change.request.error === 0);
      this.#flushes.push({ request, covers });
      return request;
    }
    const length = random.pick([512, 4096, 4096, 8192, 10_000]);
    // Spread over all regions, with some places where much meets.
    const spot = random.integerBelow(12) * Math.floor(this.#world.sizeBytes / 12);
    const offset = Math.min(spot + random.integerBelow(16) * 1024, this.#world.sizeBytes - length);
    this.#value = (this.#value % 255) + 1;
    const isZero = random.chance(0.15);
    const fua = random.chance(0.1);
    const request = isZero
      ? new RecordedRequest({ command: command.writeZeroes, offset, length, fua })
      : new RecordedRequest({ command: command.write, offset, payload: Buffer.alloc(length, this.#value), fua });
    const value = isZero ? 0 : this.#value;
    this.#changes.push({ request, offset, length, value, isPromised: false });
    return request;
  }

  /** Why these bytes break a promise; undefined: they don't. */
  brokenPromise(found: Buffer): string | undefined {
    this.#notePromises();
    for (let at = 0; at < found.length; at += 512) {
      const allowed = this.#allowedAt(at);
      if (!allowed.has(found[at] as number)) return `byte ${at} is ${found[at]}, allowed: ${[...allowed].join(", ")}`;
    }
    return undefined;
  }

  #notePromises(): void {
    for (const change of this.#changes) {
      if (change.request.error === 0 && change.request.fua) change.isPromised = true;
    }
    for (const { request, covers } of this.#flushes) {
      if (request.error === 0) for (const change of covers) change.isPromised = true;
    }
    this.promisedCount += this.#changes.filter((change) => change.isPromised).length;
  }

  #allowedAt(at: number): Set<number> {
    let allowed = new Set([this.#before[at] as number]);
    for (const { offset, length, value, isPromised } of this.#changes) {
      if (at < offset || at >= offset + length) continue;
      if (isPromised) allowed = new Set();
      allowed.add(value);
    }
    return allowed;
  }

  /** After a crash: what is there is what there is. */
  beginAnew(): void {
    this.#before = this.#world.source;
    this.#changes = [];
    this.#flushes = [];
  }

  get isAnswered(): boolean {
    const requests = [...this.#changes, ...this.#flushes].map((one) => one.request);
    return requests.every((request) => request.error !== undefined);
  }
}
