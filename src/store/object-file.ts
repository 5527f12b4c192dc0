/**
 * Reads an object: one that is whole, and the one that was asked for. Everything is checked; what is not as it was written is
 * told as an `ObjectDamageError`, which names the part. Any number of reads may be under way.
 */
import { assert } from "#src/core/assert.ts";
import {
  objectRunBytesMax,
  objectRunScratchCountMax,
  objectScratchBytes,
  objectScratchCountMax,
} from "#src/core/store-limits.ts";
import { ObjectDamageError } from "./object-damage.ts";
import { type ObjectEnds, type ObjectSource, readObjectEnds } from "./object-ends.ts";
import { type ObjectFooter, type ObjectHeader, objectHeaderBytes, type WantedObject } from "./object-format.ts";
import type { ObjectName } from "./objects.ts";
import {
  isPartType,
  type PartCodec,
  type PartPlace,
  partHeaderBytes,
  partStoredBytesMax,
  unpackedPart,
  type WantedPart,
} from "./part.ts";
import { walkParts } from "./part-walk.ts";
import { ScratchBuffers } from "./scratch-buffers.ts";

export interface OpenedPart extends PartPlace {
  /** What it held, until the next one is asked for. */
  readonly content: Buffer;
}

/** A part, and where what it held is to be: from the beginning of `room` on, and never beyond it. */
export interface PlacedPart extends WantedPart {
  readonly room: Buffer;
}

const scratch = new ScratchBuffers({ bufferBytes: objectScratchBytes, countMax: objectScratchCountMax });
const runScratch = new ScratchBuffers({ bufferBytes: objectRunBytesMax, countMax: objectRunScratchCountMax });

export class ObjectFile {
  readonly name: ObjectName;
  readonly header: ObjectHeader;
  readonly footer: ObjectFooter;
  /** What the part of this type held. */
  readonly table: Buffer;
  readonly #objects: ObjectSource;
  readonly #codec: PartCodec;
  readonly #partsEnd: number;

  private constructor(objects: ObjectSource, name: ObjectName, { header, footer, codec, table }: ObjectEnds) {
    this.#objects = objects;
    this.name = name;
    this.header = header;
    this.footer = footer;
    this.table = table;
    this.#codec = codec;
    this.#partsEnd = footer.tableAt + footer.tableBytes;
  }

  /**
   * `key` is the store's. Throws an `ObjectDamageError`, also where another object lies there, an `AbsentObjectError`, or a
   * `RefuseError`: another version wrote it, or the key is missing.
   */
  static async open(
    objects: ObjectSource,
    name: ObjectName,
    identity: WantedObject,
    key: Buffer | undefined,
  ): Promise<ObjectFile> {
    return new ObjectFile(objects, name, await readObjectEnds(objects, name, identity, key));
  }

  /** Puts what the part held into `target` from `targetAt` on. Answers how many bytes that is. */
  async readPart(wanted: WantedPart, target: Buffer, targetAt: number): Promise<number> {
    const stored = scratch.take(this.#checked(wanted).storedBytes);
    const readBytes = await this.#objects.read(this.name, stored.subarray(0, wanted.storedBytes), wanted.offset);
    const found =
      this.#codec.findingOf(wanted, stored, 0, readBytes) ??
      this.#codec.unpack(wanted.offset, stored, 0, target, targetAt);
    scratch.give(stored);
    if (typeof found === "string") throw new ObjectDamageError(this.name, wanted, found);
    return found;
  }

  /** The same at once, where it lies at hand and nothing is wrong. Undefined: `readPart` does it, or says why not. */
  readPartNow(wanted: WantedPart, target: Buffer, targetAt: number): number | undefined {
    const { offset, storedBytes } = wanted;
    if (!this.#canLie(wanted)) return undefined;
    const stored = scratch.take(storedBytes);
    const readBytes = this.#objects.readNow?.(this.name, stored, storedBytes, offset);
    const isSound = readBytes !== undefined && this.#codec.findingOf(wanted, stored, 0, readBytes) === undefined;
    const found = isSound ? this.#codec.unpack(offset, stored, 0, target, targetAt) : undefined;
    scratch.give(stored);
    return typeof found === "number" ? found : undefined;
  }

  /** The same for whoever does not know how long it is, or keeps it: in memory of its own. */
  async readNewPart(wanted: WantedPart): Promise<Buffer> {
    const stored = scratch.take(this.#checked(wanted).storedBytes);
    const readBytes = await this.#objects.read(this.name, stored.subarray(0, wanted.storedBytes), wanted.offset);
    const found = unpackedPart(this.#codec, wanted, stored, readBytes);
    scratch.give(stored);
    if (typeof found === "string") throw new ObjectDamageError(this.name, wanted, found);
    return found;
  }

  /**
   * The same with one request for parts that lie behind each other, each to its own place. Answers for each how many bytes
   * that is, or what is wrong.
   */
  async readRun(parts: readonly PlacedPart[]): Promise<(number | ObjectDamageError)[]> {
    const from = parts[0]?.offset ?? 0;
    let to = from;
    for (const part of parts) {
      assert(part.offset === to, "a run has no gaps");
      to += this.#checked(part).storedBytes;
    }
    assert(to - from <= objectRunBytesMax, "nor is it too long");
    const buffers = to - from <= objectScratchBytes ? scratch : runScratch;
    const stored = buffers.take(to - from);
    const readBytes = await this.#objects.read(this.name, stored.subarray(0, to - from), from);
    const found = parts.map((part) => {
      const start = part.offset - from;
      const end = Math.min(start + part.storedBytes, readBytes);
      const one =
        this.#codec.findingOf(part, stored, start, end) ?? this.#codec.unpack(part.offset, stored, start, part.room, 0);
      return typeof one === "string" ? new ObjectDamageError(this.name, part, one) : one;
    });
    buffers.give(stored);
    return found;
  }

  /** All parts in their order, from where one begins, the table last. Damage takes its place among them, and those behind it still come. */
  async *parts(from = objectHeaderBytes): AsyncGenerator<OpenedPart | ObjectDamageError, void> {
    const read = (target: Buffer, position: number) => this.#objects.read(this.name, target, position);
    let content = Buffer.alloc(0);
    for await (const part of walkParts(read, this.#codec, from, this.#partsEnd)) {
      const { offset, storedBytes, head } = part;
      const plainBytes = part.finding === undefined && head !== undefined ? head.plainBytes : 0;
      if (plainBytes > content.length) content = Buffer.allocUnsafeSlow(plainBytes);
      const found = part.finding ?? this.#codec.unpack(offset, part.bytes, part.start, content, 0);
      const identity = head && isPartType(head.type) ? { type: head.type, number: head.number } : undefined;
      if (typeof found === "number" && identity !== undefined) {
        yield { ...identity, offset, storedBytes, content: content.subarray(0, found) };
      } else {
        const finding = typeof found === "string" ? found : "it says of itself what cannot be";
        yield new ObjectDamageError(this.name, { ...identity, offset, storedBytes }, finding);
      }
    }
  }

  /** What says where parts lie was written down too, and may be wrong. */
  #checked(wanted: WantedPart): WantedPart {
    if (this.#canLie(wanted)) return wanted;
    throw new ObjectDamageError(this.name, wanted, "it cannot lie there");
  }

  #canLie({ offset, storedBytes }: WantedPart): boolean {
    const isWithin = offset >= objectHeaderBytes && offset + storedBytes <= this.#partsEnd;
    return isWithin && storedBytes >= partHeaderBytes && storedBytes <= partStoredBytesMax;
  }
}
