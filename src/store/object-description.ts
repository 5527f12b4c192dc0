/**
 * What lies in an object, for people: its header, its parts, its footer, and what of it is not as it was written. Needs no
 * key: of encrypted parts the checksums are looked at. Goes on behind damage as far as it can.
 */
import { ObjectDamageError } from "./object-damage.ts";
import { checkFooter, type ObjectSource } from "./object-ends.ts";
import {
  decodeObjectFooter,
  decodeObjectHeader,
  hasObjectMagic,
  isFooterThere,
  type ObjectFooter,
  type ObjectHeader,
  objectFooterBytes,
  objectHeaderBytes,
  objectKindName,
} from "./object-format.ts";
import type { ObjectName } from "./objects.ts";
import { PartCodec, partCodec, partType, partTypeName } from "./part.ts";
import { type WalkedPart, walkParts } from "./part-walk.ts";

export interface ObjectHeaderItem {
  readonly kind: "header";
  readonly object: ObjectName;
  readonly objectKind: string;
  readonly sizeBytes: number;
  readonly group: string;
  readonly number: number;
  readonly generation: number;
  readonly level: number;
  readonly isEncrypted: boolean;
  readonly salt: string;
}

export interface ObjectPartItem {
  readonly kind: "part";
  readonly type: string;
  readonly number: number;
  readonly offset: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly codec: "as it is" | "zstd";
}

export interface ObjectFooterItem {
  readonly kind: "footer";
  readonly tableAt: number;
  readonly tableBytes: number;
  readonly timeMicros: number;
  /** Hexadecimal. */
  readonly kindNumbers: string;
}

/** Something is not as it was written. */
export interface ObjectFlawItem {
  readonly kind: "flaw";
  readonly thing: "header" | "part" | "footer";
  /** What a damaged part says that it is, which may be wrong. */
  readonly type?: string;
  readonly number?: number;
  readonly offset: number;
  readonly storedBytes: number;
  readonly finding: string;
}

export type ObjectItem = ObjectHeaderItem | ObjectPartItem | ObjectFooterItem | ObjectFlawItem;

/** One of both. */
interface Decoded<Sound> {
  readonly sound?: Sound;
  readonly damage?: ObjectDamageError;
}

/** Whether it is one at all, however damaged: its beginning or its end looks like one. */
export async function isObject(objects: ObjectSource, name: ObjectName): Promise<boolean> {
  const footerAt = Math.max(0, (await objects.sizeBytes(name)) - objectFooterBytes);
  const headerBytes = await pieceOf(objects, name, 0, objectHeaderBytes);
  return hasObjectMagic(headerBytes, await pieceOf(objects, name, footerAt, objectFooterBytes));
}

/** Throws a `RefuseError` for what another version has written. */
export async function* describeObject(objects: ObjectSource, name: ObjectName): AsyncGenerator<ObjectItem, void> {
  const sizeBytes = await objects.sizeBytes(name);
  const footerAt = Math.max(0, sizeBytes - objectFooterBytes);
  const headerBytes = await pieceOf(objects, name, 0, objectHeaderBytes);
  const footerBytes = await pieceOf(objects, name, footerAt, objectFooterBytes);
  const header = decoded(() => decodeObjectHeader(headerBytes, name));
  const footer = decoded(() => decodeObjectFooter(footerBytes, name));
  if (header.sound !== undefined) yield headerItem(header.sound, name, sizeBytes);
  if (header.damage !== undefined) yield endFlaw("header", 0, headerBytes, header.damage.finding);
  const salt = header.sound?.salt ?? footer.sound?.salt;
  const isThere = salt === undefined || isFooterThere(footerBytes, salt);
  const end = isThere ? footerAt : sizeBytes;
  let tableAt: number | undefined;
  // Without a salt nobody knows what belongs to it.
  if (salt !== undefined) {
    for await (const item of partItems(objects, name, { salt, end, isReadable: header.sound?.isEncrypted === false })) {
      yield item;
      // What a damaged part says that it is may be wrong.
      tableAt = item.kind === "flaw" || item.type === partTypeName(partType.table) ? item.offset : undefined;
    }
  }
  const finding = footer.damage?.finding ?? footerFinding(footer.sound, header.sound, { name, sizeBytes, tableAt });
  if (!isThere) yield endFlaw("footer", sizeBytes, footerBytes.subarray(0, 0), "it is not there");
  else if (finding !== undefined) yield endFlaw("footer", footerAt, footerBytes, finding);
  else if (footer.sound !== undefined) yield footerItem(footer.sound);
}

async function pieceOf(objects: ObjectSource, name: ObjectName, offset: number, byteLength: number): Promise<Buffer> {
  const bytes = Buffer.alloc(byteLength);
  return bytes.subarray(0, await objects.read(name, bytes, offset));
}

function decoded<Sound>(decode: () => Sound): Decoded<Sound> {
  try {
    return { sound: decode() };
  } catch (error) {
    if (error instanceof ObjectDamageError) return { damage: error };
    throw error;
  }
}

/** What of a footer does not fit the rest of the object, though it is sound by itself. */
function footerFinding(
  footer: ObjectFooter | undefined,
  header: ObjectHeader | undefined,
  seen: { readonly name: ObjectName; readonly sizeBytes: number; readonly tableAt: number | undefined },
): string | undefined {
  if (footer === undefined) return undefined;
  const { damage } = decoded(() => checkFooter(footer, header?.salt ?? footer.salt, seen.sizeBytes, seen.name));
  if (damage !== undefined) return damage.finding;
  return footer.tableAt === seen.tableAt ? undefined : "the last part is not the table that it tells of";
}

async function* partItems(
  objects: ObjectSource,
  name: ObjectName,
  { salt, end, isReadable }: { readonly salt: Buffer; readonly end: number; readonly isReadable: boolean },
): AsyncGenerator<ObjectPartItem | ObjectFlawItem, void> {
  const read = (target: Buffer, position: number) => objects.read(name, target, position);
  const codec = new PartCodec(salt, undefined);
  for await (const part of walkParts(read, codec, objectHeaderBytes, end)) yield partItem(part, codec, isReadable);
}

function headerItem(header: ObjectHeader, object: ObjectName, sizeBytes: number): ObjectHeaderItem {
  const { kind, salt, ...facts } = header;
  return { kind: "header", object, objectKind: objectKindName(kind), sizeBytes, ...facts, salt: salt.toString("hex") };
}

function partItem(part: WalkedPart, codec: PartCodec, isReadable: boolean): ObjectPartItem | ObjectFlawItem {
  const { offset, storedBytes, head } = part;
  const finding = part.finding ?? (isReadable ? contentFinding(part, codec) : undefined);
  if (head === undefined) return { kind: "flaw", thing: "part", offset, storedBytes, finding: "it is not all there" };
  const identity = { type: partTypeName(head.type), number: head.number };
  if (finding !== undefined) return { kind: "flaw", thing: "part", ...identity, offset, storedBytes, finding };
  const codecName = head.codec === partCodec.zstd ? "zstd" : "as it is";
  return { kind: "part", ...identity, offset, storedBytes, plainBytes: head.plainBytes, codec: codecName };
}

function contentFinding({ offset, head, bytes, start }: WalkedPart, codec: PartCodec): string | undefined {
  const content = Buffer.allocUnsafe(head?.plainBytes ?? 0);
  const found = codec.unpack(offset, bytes, start, content, 0);
  return typeof found === "string" ? found : undefined;
}

function footerItem({ tableAt, tableBytes, timeMicros, kindNumbers }: ObjectFooter): ObjectFooterItem {
  return { kind: "footer", tableAt, tableBytes, timeMicros, kindNumbers: kindNumbers.toString("hex") };
}

function endFlaw(thing: "header" | "footer", offset: number, bytes: Buffer, finding: string): ObjectFlawItem {
  return { kind: "flaw", thing, offset, storedBytes: bytes.length, finding };
}

/** An item as a line of text. */
export function objectLine(item: ObjectItem): string {
  switch (item.kind) {
    case "header": {
      const which = `${item.objectKind} ${item.number}, generation ${item.generation}, level ${item.level}`;
      const encryption = item.isEncrypted ? "encrypted" : "not encrypted";
      return `object ${item.object}, ${item.sizeBytes} bytes: ${which}, group ${item.group}, ${encryption}, salt ${item.salt}`;
    }
    case "part": {
      const codec = item.codec === "zstd" ? `${item.plainBytes} bytes by zstd` : `${item.plainBytes} bytes as they are`;
      return `  ${item.type} ${item.number} at byte ${item.offset}, ${item.storedBytes} bytes: ${codec}`;
    }
    case "footer": {
      const time = new Date(Math.floor(item.timeMicros / 1000)).toISOString();
      return `footer: table at byte ${item.tableAt}, ${item.tableBytes} bytes; made ${time}; numbers ${item.kindNumbers}`;
    }
    case "flaw": {
      const name = item.type === undefined ? item.thing : `${item.type} ${item.number}`;
      return `  DAMAGED ${name} at byte ${item.offset}, ${item.storedBytes} bytes: ${item.finding}`;
    }
  }
}
