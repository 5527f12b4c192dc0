/**
 * A disk with a write cache whose power can be cut: an image that is durable, and in front of it what was written and
 * not flushed. At a cut each unflushed piece of the cache meets a fate of its own, drawn from a seed: it is lost, it
 * reaches the image, an older writing of it does, or its sectors go different ways. So writes are lost, torn and reordered
 * as on a real disk, and what a FLUSH or FUA was answered for is there. From the cut on every request fails.
 *
 * All is done at once, in the order of the requests, so a flush covers exactly what was answered before it.
 */
import fs from "node:fs";
import { assert } from "#src/core/assert.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import type { ExportFeatures, ExportRequest, NbdExport } from "#src/nbd/export.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

export const pieceBytes = 4096;
/** What a disk writes wholly or not at all. */
export const sectorBytes = 512;
/** Older writings of a piece that are kept, so that each can be what the power leaves. */
const writingsMax = 8;

export type Fate = "lost" | "kept" | "older" | "torn";
export type Losses = Readonly<Record<Fate, number>>;

/** How likely each fate is; one such row is drawn for a cut. */
const tempers: readonly Losses[] = [
  { lost: 1, kept: 0, older: 0, torn: 0 },
  { lost: 0, kept: 1, older: 0, torn: 0 },
  { lost: 0.4, kept: 0.3, older: 0.1, torn: 0.2 },
  { lost: 0.05, kept: 0.85, older: 0.05, torn: 0.05 },
];

export class VolatileDisk implements NbdExport {
  readonly name = "";
  readonly description = "its power can be cut";
  readonly sizeBytes: number;
  readonly blockSizes = { minimumBytes: 1, preferredBytes: pieceBytes, payloadBytesMax: 32 * 1024 * 1024 };
  readonly features: ExportFeatures = {
    readOnly: false,
    flush: true,
    trim: false,
    writeZeroes: false,
    fastZero: false,
    cache: false,
    multiConnection: true,
    rotational: false,
  };
  readonly metaContexts: readonly string[] = [];
  readonly #image: number;
  /** What was written to a piece since it was last durable, each a whole piece, the newest last. */
  readonly #unflushed = new Map<number, Buffer[]>();
  #requestsLeft = Number.POSITIVE_INFINITY;
  #seed = 0;
  #losses: Losses | undefined;
  /** Told when the power is gone. */
  onCut: (losses: Losses) => void = () => {};

  /** `image` is a descriptor to read and write; its size, in whole pieces, is the disk's. */
  constructor(image: number) {
    this.#image = image;
    this.sizeBytes = fs.fstatSync(image).size;
    assert(this.sizeBytes % pieceBytes === 0, "a disk is whole pieces");
  }

  get unflushedPieces(): number {
    return this.#unflushed.size;
  }

  get isCut(): boolean {
    return this.#losses !== undefined;
  }

  /** Cuts the power when so many more writes and flushes have come, in the middle of the last of them. */
  cutAfter(requests: number, seed: number): void {
    assert(requests >= 1 && !this.isCut, "the power is there yet");
    this.#requestsLeft = requests;
    this.#seed = seed;
  }

  /** Cuts the power now. */
  cut(seed: number): Losses {
    if (this.#losses !== undefined) return this.#losses;
    const random = new SeededRandom(seed);
    const temper = random.pick(tempers);
    const losses: Record<Fate, number> = { lost: 0, kept: 0, older: 0, torn: 0 };
    for (const [piece, writings] of this.#unflushed) {
      const fate = drawFate(random, temper);
      losses[fate]++;
      const left = this.#leftOf(piece, writings, fate, random);
      if (left !== undefined) fs.writeSync(this.#image, left, 0, pieceBytes, piece * pieceBytes);
    }
    this.#unflushed.clear();
    this.#losses = losses;
    this.onCut(losses);
    return losses;
  }

  #leftOf(piece: number, writings: readonly Buffer[], fate: Fate, random: SeededRandom): Buffer | undefined {
    switch (fate) {
      case "lost":
        return undefined;
      case "kept":
        return writings.at(-1);
      case "older":
        return random.pick(writings);
      case "torn": {
        const states = [this.#durable(piece), ...writings];
        const torn = Buffer.alloc(pieceBytes);
        for (let at = 0; at < pieceBytes; at += sectorBytes) random.pick(states).copy(torn, at, at, at + sectorBytes);
        return torn;
      }
    }
  }

  #durable(piece: number): Buffer {
    const bytes = Buffer.alloc(pieceBytes);
    fs.readSync(this.#image, bytes, 0, pieceBytes, piece * pieceBytes);
    return bytes;
  }

  submit(request: ExportRequest): void {
    if (this.isCut) return request.complete(nbdError.io);
    switch (request.command) {
      case command.read:
        this.#read(request);
        return request.complete(nbdError.ok);
      case command.write:
        this.#write(request);
        if (this.#powerFails()) return request.complete(nbdError.io);
        if (request.fua) this.#flush(request.offset, request.length);
        return request.complete(nbdError.ok);
      case command.flush:
        if (this.#powerFails()) return request.complete(nbdError.io);
        this.#flush(0, this.sizeBytes);
        return request.complete(nbdError.ok);
      default:
        return request.complete(nbdError.invalid);
    }
  }

  endBatch(): void {}

  #powerFails(): boolean {
    this.#requestsLeft--;
    if (this.#requestsLeft > 0) return false;
    this.cut(this.#seed);
    return true;
  }

  #read({ buffer, start, offset, length }: ExportRequest): void {
    fs.readSync(this.#image, buffer, start, length, offset);
    for (const { piece, from, lengthBytes, at } of piecesOf(offset, length)) {
      this.#unflushed
        .get(piece)
        ?.at(-1)
        ?.copy(buffer, start + at, from, from + lengthBytes);
    }
  }

  #write({ buffer, start, offset, length }: ExportRequest): void {
    for (const { piece, from, lengthBytes, at } of piecesOf(offset, length)) {
      const writings = this.#unflushed.get(piece) ?? [];
      const newest = writings.at(-1);
      const content = newest === undefined ? this.#durable(piece) : Buffer.from(newest);
      buffer.copy(content, from, start + at, start + at + lengthBytes);
      writings.push(content);
      if (writings.length > writingsMax) writings.shift();
      this.#unflushed.set(piece, writings);
    }
  }

  #flush(offset: number, length: number): void {
    const isAll = length === this.sizeBytes;
    const pieces = isAll ? [...this.#unflushed.keys()] : Array.from(piecesOf(offset, length), ({ piece }) => piece);
    for (const piece of pieces) {
      const newest = this.#unflushed.get(piece)?.at(-1);
      if (newest !== undefined) fs.writeSync(this.#image, newest, 0, pieceBytes, piece * pieceBytes);
      this.#unflushed.delete(piece);
    }
  }
}

interface PiecePart {
  readonly piece: number;
  /** Within the piece. */
  readonly from: number;
  readonly lengthBytes: number;
  /** Within the range. */
  readonly at: number;
}

function* piecesOf(offset: number, length: number): Generator<PiecePart> {
  for (let position = offset; position < offset + length; ) {
    const piece = Math.floor(position / pieceBytes);
    const from = position % pieceBytes;
    const lengthBytes = Math.min(pieceBytes - from, offset + length - position);
    yield { piece, from, lengthBytes, at: position - offset };
    position += lengthBytes;
  }
}

function drawFate(random: SeededRandom, temper: Losses): Fate {
  let draw = random.integerBelow(1_000_000) / 1_000_000;
  for (const fate of ["lost", "kept", "older"] as const) {
    if (draw < temper[fate]) return fate;
    draw -= temper[fate];
  }
  return temper.torn > 0 ? "torn" : "kept";
}
