/**
 * Goes through the parts of an object from one end to the other, knowing nothing but where they begin and end: each says how
 * long it is. Behind a part that is damaged the next one is found by its bond, which fits one offset of this object alone.
 */
import { objectWalkBytes } from "#src/core/store-limits.ts";
import { type PartCodec, type PartFinding, type PartHead, partHeadAt, partHeaderBytes } from "./part.ts";

export interface WalkedPart {
  /** In the object. */
  readonly offset: number;
  /** What it takes there; of a damaged one up to where the next begins. */
  readonly storedBytes: number;
  /** What it says of itself, which may be wrong where it is damaged; undefined where not even that is there. */
  readonly head: PartHead | undefined;
  readonly finding: PartFinding | undefined;
  /** Where the part lies in `bytes`, until the next one is asked for. */
  readonly bytes: Buffer;
  readonly start: number;
}

/** Fills the buffer from a position of the object on, as `Objects.read` does. */
export type ReadObject = (target: Buffer, position: number) => Promise<number>;

export async function* walkParts(
  read: ReadObject,
  codec: PartCodec,
  from: number,
  to: number,
): AsyncGenerator<WalkedPart, void> {
  const window = new Window(read, to);
  for (let offset = from; offset < to; ) {
    await window.show(offset, partHeaderBytes);
    const head = window.has(offset, partHeaderBytes) ? partHeadAt(window.bytes, window.indexOf(offset)) : undefined;
    // What it says may be nonsense, and reach as far as it likes: then as much of it is looked at as can be shown.
    if (head !== undefined) await window.show(offset, head.storedBytes);
    const start = window.indexOf(offset);
    const finding = codec.findingAt(window.bytes, start, window.filledBytes, offset);
    const isSound = finding === undefined && head !== undefined;
    const next = isSound ? offset + head.storedBytes : await nextPart(window, codec, offset + 1, to);
    if (!isSound) await window.show(offset, partHeaderBytes);
    const storedBytes = next - offset;
    yield { offset, storedBytes, head, finding, bytes: window.bytes, start: window.indexOf(offset) };
    offset = next;
  }
}

/** Where the next part begins, or the end where there is none. */
async function nextPart(window: Window, codec: PartCodec, from: number, to: number): Promise<number> {
  for (let offset = from; offset + partHeaderBytes <= to; offset++) {
    if (!window.has(offset, partHeaderBytes)) await window.show(offset, objectWalkBytes);
    if (!window.has(offset, partHeaderBytes)) return to;
    if (codec.beginsAt(window.bytes, window.indexOf(offset), offset)) return offset;
  }
  return to;
}

/** The piece of the object that is in memory. */
class Window {
  readonly bytes: Buffer;
  readonly #read: ReadObject;
  readonly #end: number;
  #offset = 0;
  #filledBytes = 0;

  constructor(read: ReadObject, end: number) {
    this.#read = read;
    this.#end = end;
    this.bytes = Buffer.allocUnsafeSlow(Math.min(objectWalkBytes, end));
  }

  get filledBytes(): number {
    return this.#filledBytes;
  }

  indexOf(offset: number): number {
    return offset - this.#offset;
  }

  has(offset: number, byteLength: number): boolean {
    return offset >= this.#offset && offset + byteLength <= this.#offset + this.#filledBytes;
  }

  /** As much as there is of it. */
  async show(offset: number, byteLength: number): Promise<void> {
    const wanted = Math.min(byteLength, this.#end - offset);
    if (this.has(offset, wanted)) return;
    const room = Math.min(this.bytes.length, this.#end - offset);
    this.#offset = offset;
    this.#filledBytes = 0;
    this.#filledBytes = await this.#read(this.bytes.subarray(0, room), offset);
  }
}
