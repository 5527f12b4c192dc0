/**
 * Writes an object: header, parts behind each other, the table, the footer. What it gathers is written in large pieces from
 * one buffer; who finds the builder full awaits its `flush` before the next part.
 *
 * Invariants: `sizeBytes` is where the next part will lie, and `sizeBytes === writer.writtenBytes + what is gathered` while
 * nothing is being written. After an error of the writer the object can only be abandoned.
 */
import { assert } from "#src/core/assert.ts";
import { objectGatherBytes, partBytesMax } from "#src/core/store-limits.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { partCodecOf } from "./object-codec.ts";
import {
  encodeObjectFooter,
  encodeObjectHeader,
  type ObjectFacts,
  type ObjectFooter,
  type ObjectHeader,
  objectFooterBytes,
  objectHeaderBytes,
  saltBytes,
} from "./object-format.ts";
import type { ObjectWriter } from "./objects.ts";
import { type PackedContent, type PartCodec, type PartPlace, type PartType, partRoomBytes, partType } from "./part.ts";

export interface ObjectBeginning {
  readonly facts: ObjectFacts;
  readonly randomness: Randomness;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
}

export interface ObjectEnd {
  /** By which the object's reader finds the other parts. */
  readonly table: Buffer;
  /** As long as the footer has room for them. */
  readonly kindNumbers: Buffer;
  readonly timeMicros: number;
}

export class ObjectBuilder {
  readonly #writer: ObjectWriter;
  readonly #codec: PartCodec;
  readonly #salt: Buffer;
  readonly #gathered = Buffer.allocUnsafeSlow(objectGatherBytes + partRoomBytes(partBytesMax));
  #gatheredBytes = 0;
  #sizeBytes = 0;
  #state: "open" | "writing" | "over" = "open";

  /** Nothing is written yet, so there is nothing to abandon but the writer. */
  constructor(writer: ObjectWriter, { facts, randomness, key }: ObjectBeginning) {
    assert(writer.writtenBytes === 0, "an object begins with its header");
    this.#writer = writer;
    this.#salt = randomness.bytes(saltBytes);
    const header: ObjectHeader = { ...facts, isEncrypted: key !== undefined, salt: this.#salt };
    const bytes = encodeObjectHeader(header);
    this.#codec = partCodecOf(header, bytes, key);
    this.#add(bytes);
  }

  /** What there is of the object so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Then `flush` comes before the next part. */
  get isFull(): boolean {
    return this.#gatheredBytes >= objectGatherBytes;
  }

  /** Puts what lies in `bytes` from `start` to `end` into the object. The bytes may be used again at once. */
  addPart(type: PartType, number: number, bytes: Buffer, start: number, end: number): PartPlace {
    assert(this.#state === "open" && !this.isFull, "there is room for a part");
    const offset = this.#sizeBytes;
    const part = { type, number };
    const storedBytes = this.#codec.encode(part, offset, bytes, start, end, this.#gathered, this.#gatheredBytes);
    this.#gatheredBytes += storedBytes;
    this.#sizeBytes += storedBytes;
    return { type, number, offset, storedBytes };
  }

  /** The same where somebody else has compressed it already. */
  addPacked(type: PartType, number: number, content: PackedContent): PartPlace {
    assert(this.#state === "open" && !this.isFull, "there is room for a part");
    const offset = this.#sizeBytes;
    const storedBytes = this.#codec.encodePacked(
      { type, number },
      offset,
      content,
      this.#gathered,
      this.#gatheredBytes,
    );
    this.#gatheredBytes += storedBytes;
    this.#sizeBytes += storedBytes;
    return { type, number, offset, storedBytes };
  }

  /** Writes what is gathered. */
  async flush(): Promise<void> {
    assert(this.#state === "open", "one thing is done after the other");
    this.#state = "writing";
    await this.#writer.write(this.#gathered.subarray(0, this.#gatheredBytes));
    this.#gatheredBytes = 0;
    this.#state = "open";
  }

  /** The object is there when this resolves; if it rejects, it may be nevertheless: see `ObjectWriter`. */
  async finish({ table, kindNumbers, timeMicros }: ObjectEnd): Promise<ObjectFooter> {
    if (this.isFull) await this.flush();
    const { offset: tableAt, storedBytes: tableBytes } = this.addPart(partType.table, 0, table, 0, table.length);
    const sizeBytes = this.#sizeBytes + objectFooterBytes;
    const footer = { sizeBytes, tableAt, tableBytes, salt: this.#salt, timeMicros, kindNumbers };
    this.#add(encodeObjectFooter(footer));
    await this.flush();
    this.#state = "over";
    assert(this.#writer.writtenBytes === sizeBytes, "all of it was written");
    await this.#writer.finish();
    return footer;
  }

  /** Nothing of it stays. */
  async abandon(): Promise<void> {
    this.#state = "over";
    await this.#writer.abandon();
  }

  #add(bytes: Buffer): void {
    this.#gatheredBytes += bytes.copy(this.#gathered, this.#gatheredBytes);
    this.#sizeBytes += bytes.length;
  }
}

assert(
  objectHeaderBytes + objectFooterBytes <= objectGatherBytes / 2 &&
    partRoomBytes(partBytesMax) >= partBytesMax + objectFooterBytes,
  "header and footer fit beside what is gathered",
);
