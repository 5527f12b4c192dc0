/**
 * An export that believes in nothing: it checks that each request is one that a server may pass on, keeps some of them
 * by chance, and when it completes them, checks that their memory is still theirs. Effects happen in the order of the
 * requests, so that a model can say what every read must bring.
 */
import { assert } from "#src/core/assert.ts";
import type { ExportRequest, NbdExport, StatusExtent } from "#src/nbd/export.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { type } from "./client-bytes.ts";
import { allFeatures } from "./scripted-export.ts";

export const checkedBytes = 64 * 1024;
export const checkedContexts = ["base:allocation", "test:second"];

const errorIo = 5;

/** Requests at some offsets fail, so that errors of an export are met as well. */
export function failureAt(offset: number): number {
  return offset % 1024 === 13 ? errorIo : 0;
}

/** What a block status answers: runs up to the next whole 4 KiB, the second context with one run of another kind. */
export function runsAt(offset: number, length: number, requestOne: boolean, context: string): StatusExtent[] {
  if (context !== checkedContexts[0]) return [{ lengthBytes: length, status: 0x80000001 }];
  const runs: StatusExtent[] = [];
  for (let at = offset; at < offset + length && runs.length < (requestOne ? 1 : 5); ) {
    const end = Math.min(offset + length, at - (at % 4096) + 4096);
    runs.push({ lengthBytes: end - at, status: Math.floor(at / 4096) % 4 });
    at = end;
  }
  return runs;
}

interface Kept {
  readonly request: ExportRequest;
  /** What a read brings, or what a write brought. */
  readonly bytes: Buffer;
}

export class CheckingExport implements NbdExport {
  readonly name: string;
  readonly description = "believes in nothing";
  readonly sizeBytes = checkedBytes;
  readonly blockSizes = { minimumBytes: 1, preferredBytes: 4096, payloadBytesMax: 32 * 1024 * 1024 };
  readonly features;
  readonly metaContexts = checkedContexts;
  readonly bytes = Buffer.alloc(checkedBytes);
  readonly #kept: Kept[] = [];
  /** Requests that wait for the end of their batch. */
  #open: ExportRequest[] = [];
  #random: SeededRandom;
  #keepChance = 0;

  constructor(name: string, readOnly: boolean, random: SeededRandom) {
    this.name = name;
    this.features = { ...allFeatures, readOnly };
    this.#random = random;
  }

  begin(random: SeededRandom, keepChance: number): void {
    this.#random = random;
    this.#keepChance = keepChance;
  }

  get keptCount(): number {
    return this.#kept.length;
  }

  submit(request: ExportRequest): void {
    this.#check(request);
    const bytes = this.#effect(request);
    const isRead = request.command === type.read;
    const isKept = this.#random.chance(this.#keepChance);
    const waits = !isRead && this.#random.chance(this.#keepChance);
    if (isKept) {
      request.keep();
      this.#kept.push({ request, bytes });
      if (isRead) request.buffer.fill(0xee, request.start, request.start + request.length);
    } else if (waits) this.#open.push(request);
    else answer(request, bytes);
  }

  endBatch(): void {
    for (const request of this.#open.splice(0)) answer(request, Buffer.alloc(0));
  }

  #check({ command, offset, length, buffer, start, contexts }: ExportRequest): void {
    assert(command in commandsSeen, `the command ${command} is one to be passed on`);
    if (command === type.flush) return;
    assert(offset >= 0 && length > 0 && offset + length <= checkedBytes, `${offset}+${length} is in range`);
    const isWrite = command === type.write || command === type.writeZeroes || command === type.trim;
    assert(!(isWrite && this.features.readOnly), "nothing is written where nothing may be");
    const carries = command === type.read || command === type.write;
    assert(!carries || start + length <= buffer.length, "the data has its place");
    assert((command === type.status) === contexts.length > 0, "contexts come with a block status");
  }

  #effect({ command, offset, length, buffer, start }: ExportRequest): Buffer {
    const end = offset + length;
    if (failureAt(offset) !== 0) return Buffer.alloc(0);
    if (command === type.write) buffer.copy(this.bytes, offset, start, start + length);
    if (command === type.trim || command === type.writeZeroes) this.bytes.fill(0, offset, end);
    return command === type.read || command === type.write
      ? Buffer.from(this.bytes.subarray(offset, end))
      : Buffer.alloc(0);
  }

  /** Answers some of what was kept, in any order. */
  release(count: number): void {
    for (let done = 0; done < count && this.#kept.length > 0; done++) {
      const index = this.#random.integerBelow(this.#kept.length);
      const [{ request, bytes }] = this.#kept.splice(index, 1) as [Kept];
      const { buffer, start, length } = request;
      if (request.command === type.write && bytes.length > 0)
        assert(bytes.equals(buffer.subarray(start, start + length)), "a payload that was kept is still what it was");
      answer(request, bytes);
    }
  }
}

const commandsSeen = { 0: 0, 1: 1, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7 };

function answer(request: ExportRequest, bytes: Buffer): void {
  const { command, offset, length, requestOne } = request;
  const error = failureAt(offset);
  if (error !== 0) return request.complete(error);
  if (command === type.read) bytes.copy(request.buffer, request.start);
  if (command === type.status)
    return request.completeStatus(request.contexts.map((context) => runsAt(offset, length, requestOne, context)));
  request.complete(0);
}
