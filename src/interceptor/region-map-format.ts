/**
 * How a region map lies in its file: two copies, written in turn, so that one that is torn leaves the other. A copy is a
 * row of sectors of 512 bytes that are each sound by themselves, so that a copy of which a power cut left some sectors
 * out (all sound, of two generations) is told from one that was damaged later. The first is dropped: nothing was done
 * yet in the name of what it said. Of the second nobody knows what it said.
 *
 *     sector   magic 4 | version 2 | its number 2 | generation 8 | volume 16 | data 472 | checksum 8
 *     first    data: size 8 | bytes of a region 8 | durable ordinal 8 | flags 4 | 0 4 | unprotected since 8
 *     others   data: the bits, lowest region first
 */
import { assert } from "#src/core/assert.ts";
import { alignUp, divCeil } from "#src/core/byte-range.ts";
import { getLe16, getLe32, getLe64, putLe16, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { hasChecksum, putChecksum } from "#src/host/checksum.ts";
import { bitmapBytesOf, regionBytesOf } from "./region-map.ts";

const magic = 0x4d524d54; // "TMRM"
const version = 1;
const sectorBytes = 512;
const at = { magic: 0, version: 4, index: 6, generation: 8, volume: 16, data: 32, checksum: 504 };
const dataBytes = at.checksum - at.data;
const facts = { sizeBytes: 0, regionBytes: 8, durableOrdinal: 16, flags: 24, unprotectedMicros: 32 };
const flag = { resyncWanted: 1, tracking: 2, baseCopying: 4, baseComplete: 8, redoing: 16 };
const copyAlignmentBytes = 4096;

/**
 * Whether the order has all that the source held when the volume was added. `missing`: nobody has begun to bring it there.
 * `copying`: of what is marked it may lack something. A map from before this was noted says `missing`.
 */
export type BaseState = "missing" | "copying" | "complete";

export interface RegionMapState {
  /** What the source is known to have durably: records after it are to be redone. */
  readonly durableOrdinal: number;
  /** The marked regions are to be journaled anew from the source. */
  readonly resyncWanted: boolean;
  /** The source was written without the appliance. */
  readonly tracking: boolean;
  /** When it was first, of what is to be journaled anew; 0: it was not, or nobody noted it. */
  readonly unprotectedMicros: number;
  /** Records are being redone in the source: until all are, it has older data over newer. */
  readonly redoing: boolean;
  readonly base: BaseState;
}

export interface RegionMapCopy {
  readonly generation: number;
  readonly state: RegionMapState;
  readonly bits: Uint8Array;
}

/** `foreign`: of another volume, size or version; `why` says so. */
export type ReadCopy =
  | { readonly kind: "whole"; readonly copy: RegionMapCopy }
  | { readonly kind: "torn" }
  | { readonly kind: "damaged" }
  | { readonly kind: "foreign"; readonly why: string };

export interface RegionMapOwner {
  /** Hexadecimal, 32 digits. */
  readonly id: string;
  readonly sizeBytes: number;
}

export function copyBytesOf(sizeBytes: number): number {
  return alignUp(sectorCountOf(sizeBytes) * sectorBytes, copyAlignmentBytes);
}

/** Where the copy of a generation lies. */
export function copyPositionOf(sizeBytes: number, generation: number): number {
  return (generation % 2) * copyBytesOf(sizeBytes);
}

function sectorCountOf(sizeBytes: number): number {
  return 1 + divCeil(bitmapBytesOf(sizeBytes), dataBytes);
}

export function encodeCopy(owner: RegionMapOwner, copy: RegionMapCopy): Buffer {
  assert(copy.bits.length === bitmapBytesOf(owner.sizeBytes), "a copy has a bit for each region");
  const bytes = Buffer.alloc(copyBytesOf(owner.sizeBytes));
  putLe64(bytes, at.data + facts.sizeBytes, owner.sizeBytes);
  putLe64(bytes, at.data + facts.regionBytes, regionBytesOf(owner.sizeBytes));
  putLe64(bytes, at.data + facts.durableOrdinal, copy.state.durableOrdinal);
  putLe32(bytes, at.data + facts.flags, flagsOf(copy.state));
  putLe64(bytes, at.data + facts.unprotectedMicros, copy.state.unprotectedMicros);
  for (let index = 0; index < sectorCountOf(owner.sizeBytes); index++) {
    const start = index * sectorBytes;
    if (index > 0) bytes.set(copy.bits.subarray((index - 1) * dataBytes, index * dataBytes), start + at.data);
    putLe32(bytes, start + at.magic, magic);
    putLe16(bytes, start + at.version, version);
    putLe16(bytes, start + at.index, index);
    putLe64(bytes, start + at.generation, copy.generation);
    bytes.write(owner.id, start + at.volume, 16, "hex");
    putChecksum(bytes, start, start + at.checksum, bytes, start + at.checksum);
  }
  return bytes;
}

function flagsOf({ resyncWanted, tracking, redoing, base }: RegionMapState): number {
  const ofBase = base === "complete" ? flag.baseComplete : base === "copying" ? flag.baseCopying : 0;
  const others = (tracking ? flag.tracking : 0) | (redoing ? flag.redoing : 0);
  return (resyncWanted ? flag.resyncWanted : 0) | others | ofBase;
}

function baseOf(flags: number): BaseState {
  if ((flags & flag.baseComplete) !== 0) return "complete";
  return (flags & flag.baseCopying) !== 0 ? "copying" : "missing";
}

/** Reads one of the two copies; `start` is where it begins, and `place` which of the two it is. */
export function decodeCopy(owner: RegionMapOwner, bytes: Buffer, start: number, place: number): ReadCopy {
  const generations = new Set<number>();
  for (let index = 0; index < sectorCountOf(owner.sizeBytes); index++) {
    const sector = start + index * sectorBytes;
    if (!isSound(bytes, sector)) return { kind: "damaged" };
    const why = strangeness(owner, bytes, sector);
    if (why !== undefined) return { kind: "foreign", why };
    if (getLe16(bytes, sector + at.index) !== index) return { kind: "damaged" };
    generations.add(getLe64(bytes, sector + at.generation));
  }
  const [generation = 0] = generations;
  if (generations.size > 1) return { kind: "torn" };
  if (generation % 2 !== place) return { kind: "damaged" };
  return decodeWhole(owner, bytes, start, generation);
}

function isSound(bytes: Buffer, sector: number): boolean {
  if (sector + sectorBytes > bytes.length || getLe32(bytes, sector + at.magic) !== magic) return false;
  return hasChecksum(bytes, sector, sector + at.checksum, bytes, sector + at.checksum);
}

function strangeness(owner: RegionMapOwner, bytes: Buffer, sector: number): string | undefined {
  const found = getLe16(bytes, sector + at.version);
  if (found !== version) return `its format has version ${found}, and this program knows ${version}`;
  const id = bytes.toString("hex", sector + at.volume, sector + at.volume + 16);
  return id === owner.id ? undefined : `it belongs to the volume ${id}`;
}

function decodeWhole(owner: RegionMapOwner, bytes: Buffer, start: number, generation: number): ReadCopy {
  const data = start + at.data;
  const sizeBytes = getLe64(bytes, data + facts.sizeBytes);
  if (sizeBytes !== owner.sizeBytes || getLe64(bytes, data + facts.regionBytes) !== regionBytesOf(sizeBytes)) {
    return { kind: "foreign", why: `it is for a volume of ${sizeBytes} bytes, and this one has ${owner.sizeBytes}` };
  }
  const flags = getLe32(bytes, data + facts.flags);
  const bits = new Uint8Array(bitmapBytesOf(sizeBytes));
  for (let from = 0, sector = start + sectorBytes; from < bits.length; from += dataBytes, sector += sectorBytes) {
    const count = Math.min(dataBytes, bits.length - from);
    bits.set(bytes.subarray(sector + at.data, sector + at.data + count), from);
  }
  const state = {
    durableOrdinal: getLe64(bytes, data + facts.durableOrdinal),
    resyncWanted: (flags & flag.resyncWanted) !== 0,
    tracking: (flags & flag.tracking) !== 0,
    unprotectedMicros: getLe64(bytes, data + facts.unprotectedMicros),
    redoing: (flags & flag.redoing) !== 0,
    base: baseOf(flags),
  };
  return { kind: "whole", copy: { generation, state, bits } };
}

/** What is to be believed of two copies; undefined: neither. `isDoubtful`: the newer one may have said more. */
export function chooseCopy(one: ReadCopy, other: ReadCopy): { copy: RegionMapCopy; isDoubtful: boolean } | undefined {
  if (one.kind === "whole" && other.kind === "whole") {
    return { copy: one.copy.generation > other.copy.generation ? one.copy : other.copy, isDoubtful: false };
  }
  const [whole, rest] = one.kind === "whole" ? [one, other] : [other, one];
  return whole.kind === "whole" ? { copy: whole.copy, isDoubtful: rest.kind !== "torn" } : undefined;
}
