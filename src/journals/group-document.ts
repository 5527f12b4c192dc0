/**
 * What the store says of a group beside its pieces (docs/formats.md): a small document, so that a remote appliance that has
 * lost all else knows who may write, and what the numbers of volumes stand for, without reading every record.
 *
 * Invariant: `volumes` are those as of record `seq`, which is in the store, as all before it is or was.
 */
import { StopError } from "#src/core/errors.ts";
import { storeDocumentBytesMax } from "#src/core/store-limits.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import type { ObjectName } from "#src/store/objects.ts";
import type { RemoteVolume } from "./volume-table.ts";

const kind = { format: "tidemark-stored-group", version: 1 } as const;

/** Who may write to the group: an older life, or an older epoch, is an old copy of the local appliance's data. */
export interface GroupWriter {
  readonly name: string;
  readonly writer: string;
  readonly life: number;
  readonly epoch: number;
}

export interface GroupDocument extends GroupWriter {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly seq: number;
  readonly volumes: readonly RemoteVolume[];
}

export function groupDocumentName(group: string): ObjectName {
  return `groups/${group}.json`;
}

/** Throws a `StopError` where that is more than a document may hold. */
export function encodeGroupDocument(document: GroupDocument): Buffer {
  const { id, name, writer, life, epoch, seq, volumes } = document;
  const bytes = encodeDocument(kind, { id, name, writer, life, epoch, seq, volumes });
  if (bytes.length <= storeDocumentBytesMax) return bytes;
  throw new StopError(`what is to be said of the group ${id} and its ${volumes.length} volumes is too long`);
}

/** Throws a `StopError` where it is damaged or of another group, a `RefuseError` where it has another version. */
export function decodeGroupDocument(bytes: Buffer, group: string): GroupDocument {
  const path = groupDocumentName(group);
  const content = decodeDocument(bytes, path, kind) as unknown as GroupDocument;
  const { id, name, writer, life, epoch, seq, volumes } = content;
  const areCounting = [life, epoch, seq].every((number) => Number.isSafeInteger(number) && number >= 0);
  const areTexts = typeof name === "string" && typeof writer === "string";
  if (id !== group || !areCounting || !areTexts || !Array.isArray(volumes) || !volumes.every(isVolume)) {
    throw new StopError(`${path} is not what the store says of the group ${group}`);
  }
  return { id, name, writer, life, epoch, seq, volumes };
}

function isVolume(value: unknown): value is RemoteVolume {
  const { number, id, name, sizeBytes } = (value ?? {}) as Record<string, unknown>;
  const areCounting = Number.isSafeInteger(number) && Number.isSafeInteger(sizeBytes);
  return areCounting && typeof id === "string" && typeof name === "string";
}
