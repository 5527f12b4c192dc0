/**
 * Finds the one bit that was turned: every bit is turned in its turn until the checksum fits. The most frequent damage by
 * memory and cables is mended so without a second copy. That a wrong one fits has a chance of some 2^-46 for a longest part,
 * and what is kept is checked by its fingerprint besides.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { mendBytesMax, mendTurnBits, scrubReadBytes } from "#src/core/store-limits.ts";
import { partCodecOf } from "./object-codec.ts";
import { checkFooter, type ObjectSource } from "./object-ends.ts";
import {
  decodeObjectFooter,
  decodeObjectHeader,
  type ObjectHeader,
  objectFooterBytes,
  objectHeaderBytes,
  type WantedObject,
} from "./object-format.ts";
import type { ObjectName, ObjectWriter } from "./objects.ts";
import { isPartType, type PartCodec, partHeadAt, partHeaderBytes, unpackedPart } from "./part.ts";
import type { FlawedPlace, PlaceOfPart } from "./scrub-flaws.ts";
import type { WorkControl } from "./work-control.ts";

/** Answers the number of the bit, which is turned back in `bytes` then; undefined: it is not one bit, and they are as before. */
export async function turnedBit(
  bytes: Buffer,
  isSound: () => boolean,
  rest: () => Promise<void>,
): Promise<number | undefined> {
  if (bytes.length > mendBytesMax) return undefined;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    turn(bytes, bit);
    if (isSound()) return bit;
    turn(bytes, bit);
    if (bit % mendTurnBits === mendTurnBits - 1) await rest();
  }
  return undefined;
}

function turn(bytes: Buffer, bit: number): void {
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
}

/** An object of the store as it is when some of its bits are turned back. */
export class MendedObject implements ObjectSource {
  readonly name: ObjectName;
  readonly #inner: ObjectSource;
  /** By the byte's place. */
  readonly #turned = new Map<number, number>();

  constructor(inner: ObjectSource, name: ObjectName) {
    this.#inner = inner;
    this.name = name;
  }

  get bitCount(): number {
    return this.#turned.size;
  }

  turnBack(offset: number, bit: number): void {
    this.#turned.set(offset + (bit >> 3), 1 << (bit & 7));
  }

  sizeBytes(): Promise<number> {
    return this.#inner.sizeBytes(this.name);
  }

  async read(_name: ObjectName, target: Buffer, position: number): Promise<number> {
    const readBytes = await this.#inner.read(this.name, target, position);
    for (const [offset, mask] of this.#turned) {
      const at = offset - position;
      if (at >= 0 && at < readBytes) target[at] = (target[at] as number) ^ mask;
    }
    return readBytes;
  }

  /** All of it, read twice: what is written has to be what was checked. False: the two were not alike. */
  async copyTo(writer: ObjectWriter, control: WorkControl): Promise<boolean> {
    const sizeBytes = await this.sizeBytes();
    const [bytes, again] = [Buffer.allocUnsafeSlow(scrubReadBytes), Buffer.allocUnsafeSlow(scrubReadBytes)];
    while (writer.writtenBytes < sizeBytes) {
      const position = writer.writtenBytes;
      const readBytes = await this.read(this.name, bytes, position);
      await this.read(this.name, again, position);
      if (readBytes === 0 || again.compare(bytes, 0, readBytes, 0, readBytes) !== 0) return false;
      await writer.write(bytes.subarray(0, readBytes));
      await control.pace(3 * readBytes);
    }
    return true;
  }
}

/** Whether the damage at the place was one bit, which is turned back then. */
export async function mendPlace(
  object: MendedObject,
  place: FlawedPlace,
  wanted: { readonly identity: WantedObject | undefined; readonly key: Buffer | undefined },
  rest: () => Promise<void>,
): Promise<boolean> {
  const sizeBytes = await object.sizeBytes();
  const isPart = typeof place !== "string";
  const offset = isPart ? place.offset : place === "header" ? 0 : sizeBytes - objectFooterBytes;
  const byteLength = isPart ? place.storedBytes : objectHeaderBytes;
  if (byteLength > mendBytesMax || byteLength < partHeaderBytes || offset < 0) return false;
  const bytes = Buffer.alloc(byteLength);
  if ((await object.read(object.name, bytes, offset)) !== byteLength) return false;
  const isSound = await soundness(object, place, bytes, sizeBytes, wanted);
  const bit = isSound === undefined ? undefined : await turnedBit(bytes, isSound, rest);
  if (bit !== undefined) object.turnBack(offset, bit);
  return bit !== undefined;
}

/** Undefined: nobody can say, since the header is not sound. */
async function soundness(
  object: MendedObject,
  place: FlawedPlace,
  bytes: Buffer,
  sizeBytes: number,
  { identity, key }: { readonly identity: WantedObject | undefined; readonly key: Buffer | undefined },
): Promise<(() => boolean) | undefined> {
  const { name } = object;
  if (place === "header") return () => isHeaderOf(bytes, name, identity);
  const headerBytes = Buffer.alloc(objectHeaderBytes);
  await object.read(name, headerBytes, 0);
  const header = decoded(() => decodeObjectHeader(headerBytes, name));
  if (header === undefined) return undefined;
  if (place === "footer") return () => isFooterOf(bytes, name, header, sizeBytes);
  const codec = partCodecOf(header, headerBytes, header.isEncrypted ? key : undefined);
  return () => isPartThere(codec, place, bytes);
}

function isPartThere(codec: PartCodec, { type, ...place }: PlaceOfPart, bytes: Buffer): boolean {
  const found = partHeadAt(bytes, 0);
  // Of one whose type nobody knows its own word has to do.
  const wantedType = type ?? found.type;
  if (!isPartType(wantedType) || found.storedBytes !== bytes.length) return false;
  return unpackedPart(codec, { ...place, type: wantedType }, bytes, bytes.length) instanceof Buffer;
}

function isHeaderOf(bytes: Buffer, name: ObjectName, identity: WantedObject | undefined): boolean {
  const header = decoded(() => decodeObjectHeader(bytes, name));
  if (header === undefined || identity === undefined) return header !== undefined;
  const isOfGroup = identity.group === undefined || identity.group === header.group;
  const { kind, number, generation } = identity;
  return isOfGroup && kind === header.kind && number === header.number && generation === header.generation;
}

function isFooterOf(bytes: Buffer, name: ObjectName, { salt }: ObjectHeader, sizeBytes: number): boolean {
  return decoded(() => checkFooter(decodeObjectFooter(bytes, name), salt, sizeBytes, name) === undefined) === true;
}

/** Undefined: it is not sound. */
function decoded<Sound>(decode: () => Sound): Sound | undefined {
  try {
    return decode();
  } catch (error) {
    if (isOwnFault(error)) throw error;
    return undefined;
  }
}
