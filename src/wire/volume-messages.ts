/** What interceptor and local appliance say to each other when they do not share a process (docs/protocol.md). */
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { batchHeaderBytes } from "#src/core/limits.ts";
import {
  type BatchRecord,
  batchMagic,
  batchRecords,
  batchSpanBytes,
  getBatchHeader,
  hasSoundHeads,
  hasSoundPayload,
} from "#src/records/batch.ts";
import type { BatchOrder } from "#src/records/batch-builder.ts";
import { decodeFarewell, encodeFarewell } from "./farewell.ts";
import { encodeJson, JsonFields } from "./json-fields.ts";
import { decodePair, decodeQuadruple, encodeNumbers } from "./numbers.ts";
import { type AttachedSource, type SourceAge, sourceAges, type VolumeIdentity } from "./volume-link.ts";

const volumeIdBytes = 16;
const nameCharactersMax = 255;
const chanceBytesMax = 32;
/** Pressure travels as a whole number of these parts. */
const pressureParts = 1_000_000;
/** The number of a flush, and whether it needed the remote. */
const flushedBytes = 16;

export interface VolumeHello extends VolumeIdentity, AttachedSource {
  readonly durableOrdinal: number;
  /** Made by chance by who attaches: a connection of his that is still thought to stand does not, since he comes anew. */
  readonly attacher: string;
  readonly sourceAge: SourceAge;
  readonly isCopyDue: boolean;
}

export function encodeVolumeHello({ id, name, group, sizeBytes, ...rest }: VolumeHello): object {
  const { previousBytes, durableOrdinal, attacher, sourceAge } = rest;
  const { isCopyDue, copyEndOrdinal, unprotectedMicros, needsRedo } = rest;
  const source = { durableOrdinal, sourceAge, isCopyDue, copyEndOrdinal, unprotectedMicros, needsRedo };
  return { id, name, group, sizeBytes, previousBytes, attacher, ...source };
}

export function readVolumeHello(fields: JsonFields): VolumeHello {
  const previousBytes = fields.optionalCount("previousBytes");
  return {
    id: fields.hexadecimal("id", volumeIdBytes),
    name: fields.text("name", nameCharactersMax),
    group: fields.text("group", nameCharactersMax),
    sizeBytes: fields.count("sizeBytes"),
    ...(previousBytes === undefined ? {} : { previousBytes }),
    durableOrdinal: fields.count("durableOrdinal"),
    attacher: fields.hexadecimal("attacher", chanceBytesMax),
    sourceAge: sourceAgeIn(fields),
    isCopyDue: fields.flag("isCopyDue"),
    copyEndOrdinal: fields.optionalCount("copyEndOrdinal"),
    unprotectedMicros: fields.optionalCount("unprotectedMicros"),
    needsRedo: fields.optionalFlag("needsRedo"),
  };
}

/** What is said instead of a hello by who comes with no volume, but to tell that one was removed. */
export function encodeVolumeRemoval(id: string): object {
  return { removed: id };
}

/** The volume's id. Undefined: it is a hello. */
export function readVolumeRemoval(fields: JsonFields): string | undefined {
  const found = fields.optionalText("removed", 2 * volumeIdBytes);
  return found === undefined ? undefined : fields.hexadecimal("removed", volumeIdBytes);
}

function sourceAgeIn(fields: JsonFields): SourceAge {
  const found = fields.text("sourceAge", nameCharactersMax);
  const age = sourceAges.find((one) => one === found);
  if (age === undefined) throw new RefuseError("the interceptor says of its source's age what this side does not know");
  return age;
}

export interface VolumeWelcome {
  readonly lastOrdinal: number;
  readonly inDoubt: boolean;
  readonly isAllInDoubt: boolean;
}

export function encodeVolumeWelcome({ lastOrdinal, inDoubt, isAllInDoubt }: VolumeWelcome): Buffer {
  return encodeJson({ lastOrdinal, inDoubt, isAllInDoubt });
}

export function decodeVolumeWelcome(body: Buffer): VolumeWelcome {
  const fields = JsonFields.parse(body, "welcome");
  return {
    lastOrdinal: fields.count("lastOrdinal"),
    inDoubt: fields.flag("inDoubt"),
    isAllInDoubt: fields.flag("isAllInDoubt"),
  };
}

export interface Progress {
  /** The highest ordinal up to which all is acknowledged. */
  readonly acknowledged: number;
  readonly pressure: number;
  /** Bytes of batches that may be sent, counted from the beginning of the connection. */
  readonly grantedBytes: number;
  /** The highest ordinal up to which all is durable at the remote. */
  readonly remoteOrdinal: number;
}

export function encodeProgress({ acknowledged, pressure, grantedBytes, remoteOrdinal }: Progress): Buffer {
  return encodeNumbers(acknowledged, Math.floor(pressure * pressureParts), grantedBytes, remoteOrdinal);
}

export function decodeProgress(bytes: Buffer, start: number, end: number): Progress {
  const [acknowledged, parts, grantedBytes, remoteOrdinal] = decodeQuadruple(bytes, start, end);
  return { acknowledged, pressure: parts / pressureParts, grantedBytes, remoteOrdinal };
}

export interface Flushed {
  readonly id: number;
  readonly error: Error | null;
  readonly neededRemote: boolean;
}

/** The number of the flush, whether it needed the remote, and behind that, if it failed, why. */
export function encodeFlushed({ id, error, neededRemote }: Flushed): Buffer {
  const numbers = encodeNumbers(id, neededRemote ? 1 : 0);
  return error === null ? numbers : Buffer.concat([numbers, encodeFarewell(error)]);
}

export function decodeFlushed(bytes: Buffer, start: number, end: number): Flushed {
  const numbersEnd = Math.min(start + flushedBytes, end);
  const [id, neededRemote] = decodePair(bytes, start, numbersEnd);
  const error = numbersEnd === end ? null : decodeFarewell(bytes.subarray(numbersEnd, end));
  return { id, error, neededRemote: neededRemote !== 0 };
}

/** Batches between interceptor and appliance have no place in any order. */
export const noOrder: BatchOrder = {
  epoch: 0,
  firstSeq: 1,
  timeMicros: 0,
  incarnation: 0,
  position: 0,
  durableSeq: 0,
};

/** The records of the batch that fills the range, every block of it checked. */
export function readVolumeBatch(bytes: Buffer, start: number, end: number): readonly BatchRecord[] {
  const header = end - start >= batchHeaderBytes ? getBatchHeader(bytes, start, batchMagic.records) : undefined;
  if (header === undefined || start + batchSpanBytes(header) !== end || !hasSoundHeads(bytes, start, header)) {
    throw new ReconnectError("a batch was altered on its way");
  }
  const records = batchRecords(bytes, start, header);
  if (records === undefined) throw new RefuseError("the other side sent a batch whose records do not add up");
  for (const record of records) {
    if (!hasSoundPayload(bytes, record)) throw new ReconnectError("a block was altered on its way");
  }
  return records;
}
