/** What an object is opened with: its header, its footer and its table, with as few requests as may be. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { objectTailBytes } from "#src/core/store-limits.ts";
import { partCodecOf } from "./object-codec.ts";
import { ObjectDamageError } from "./object-damage.ts";
import {
  decodeObjectFooter,
  decodeObjectHeader,
  type ObjectFooter,
  type ObjectHeader,
  type ObjectIdentity,
  objectFooterBytes,
  objectHeaderBytes,
  type WantedObject,
} from "./object-format.ts";
import type { ObjectName, Objects } from "./objects.ts";
import { type PartCodec, type PartPlace, partStoredBytesMax, partType, unpackedPart } from "./part.ts";

/** What is needed of `Objects` to read one. */
export type ObjectSource = Pick<Objects, "read" | "readNow" | "sizeBytes">;

export interface ObjectEnds {
  readonly header: ObjectHeader;
  readonly footer: ObjectFooter;
  readonly codec: PartCodec;
  /** What the table's part held. */
  readonly table: Buffer;
}

interface RawEnds {
  readonly sizeBytes: number;
  readonly headerBytes: Buffer;
  readonly tail: Buffer;
  /** Where in the object the tail begins. */
  readonly tailAt: number;
  readonly footerBytes: Buffer;
}

/** Throws an `ObjectDamageError`, or a `RefuseError`: another version, or the key for it is missing. */
export async function readObjectEnds(
  objects: ObjectSource,
  name: ObjectName,
  identity: WantedObject,
  key: Buffer | undefined,
): Promise<ObjectEnds> {
  const raw = await readRawEnds(objects, name, objectTailBytes).catch((error: unknown) => {
    if (!(error instanceof StopError)) throw error;
    // The disk may not give what lies before them, and what lies there is not to take them with it.
    return readRawEnds(objects, name, objectFooterBytes);
  });
  const header = decodeObjectHeader(raw.headerBytes, name);
  checkIdentity(header, identity, name);
  checkEncryption(header, key, name);
  const footer = decodeObjectFooter(raw.footerBytes, name);
  checkFooter(footer, header.salt, raw.sizeBytes, name);
  const codec = partCodecOf(header, raw.headerBytes, key);
  return { header, footer, codec, table: await readTable(objects, name, footer, codec, raw) };
}

async function readRawEnds(objects: ObjectSource, name: ObjectName, tailBytes: number): Promise<RawEnds> {
  const sizeBytes = await objects.sizeBytes(name);
  const tail = Buffer.allocUnsafeSlow(Math.min(tailBytes, sizeBytes));
  const tailAt = sizeBytes - tail.length;
  const headerBytes = tailAt === 0 ? tail.subarray(0, objectHeaderBytes) : Buffer.allocUnsafeSlow(objectHeaderBytes);
  const [tailFilled, headerFilled] = await Promise.all([
    objects.read(name, tail, tailAt),
    tailAt === 0 ? undefined : objects.read(name, headerBytes, 0),
  ]);
  return {
    sizeBytes,
    headerBytes: headerBytes.subarray(0, headerFilled ?? tailFilled),
    tail: tail.subarray(0, tailFilled),
    tailAt,
    footerBytes: tail.subarray(Math.max(0, tail.length - objectFooterBytes), tailFilled),
  };
}

function checkIdentity(found: ObjectIdentity, wanted: WantedObject, name: ObjectName): void {
  const isIt =
    found.kind === wanted.kind &&
    (wanted.group === undefined || found.group === wanted.group) &&
    found.number === wanted.number &&
    found.generation === wanted.generation;
  if (isIt) return;
  const { kind, group, number, generation } = found;
  const what = `kind ${kind}, number ${number}, generation ${generation} of group ${group}`;
  throw new ObjectDamageError(name, "header", `another object lies there: ${what}`);
}

function checkEncryption(header: ObjectHeader, key: Buffer | undefined, name: ObjectName): void {
  if (header.isEncrypted && key === undefined) {
    throw new RefuseError(`${name} is encrypted, and the store's key is not at hand`);
  }
  if (!header.isEncrypted && key !== undefined) {
    throw new ObjectDamageError(name, "header", "it says that it is not encrypted, and its store is");
  }
}

/** Whether it is the one of this object. */
export function checkFooter(footer: ObjectFooter, salt: Buffer, sizeBytes: number, name: ObjectName): void {
  if (!footer.salt.equals(salt)) throw new ObjectDamageError(name, "footer", "it belongs to another object");
  if (footer.sizeBytes !== sizeBytes) {
    throw new ObjectDamageError(name, "footer", `it ends ${footer.sizeBytes} bytes, and the object has ${sizeBytes}`);
  }
}

async function readTable(
  objects: ObjectSource,
  name: ObjectName,
  footer: ObjectFooter,
  codec: PartCodec,
  raw: RawEnds,
): Promise<Buffer> {
  const place = tablePlaceOf(footer);
  if (place.storedBytes > partStoredBytesMax) throw new ObjectDamageError(name, "footer", "its table is too long");
  let stored = raw.tail.subarray(Math.max(0, place.offset - raw.tailAt));
  if (place.offset < raw.tailAt) {
    stored = Buffer.allocUnsafeSlow(place.storedBytes);
    stored = stored.subarray(0, await objects.read(name, stored, place.offset));
  }
  const content = unpackedPart(codec, place, stored, Math.min(place.storedBytes, stored.length));
  if (typeof content === "string") throw new ObjectDamageError(name, place, content);
  return content;
}

function tablePlaceOf({ tableAt, tableBytes }: ObjectFooter): PartPlace {
  return { type: partType.table, number: 0, offset: tableAt, storedBytes: tableBytes };
}
