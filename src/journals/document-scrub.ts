/** Checks the documents of a store: a turned bit is turned back, and of the store's own one is restored from the other. */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import type { Clock } from "#src/host/clock.ts";
import { isAsEncoded } from "#src/host/document.ts";
import type { Log } from "#src/host/log.ts";
import type { ObjectName, Objects } from "#src/store/objects.ts";
import { turnedBit } from "#src/store/repair-bits.ts";
import { obstacleTo, type ScrubFinding } from "#src/store/scrub-finding.ts";
import type { ScrubNotebook } from "#src/store/scrub-notebook.ts";
import { decodeStoreDocument } from "#src/store/store-document.ts";
import { findStoreDocument, storeDocumentNames } from "#src/store/store-document-copies.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { decodeGroupDocument, groupDocumentName } from "./group-document.ts";
import { sealedPieceOfName } from "./sealed-piece-format.ts";
import { storedGroups } from "./stored-group.ts";

/** A document that somebody else keeps in the store. */
export interface OtherDocument {
  readonly name: ObjectName;
  /** Throws where it is not what it should be. */
  readonly decode: (bytes: Buffer) => unknown;
  /** Undefined: it may be missing. Otherwise why that is damage, and what brings it back. */
  readonly ifMissing?: string;
}

export interface DocumentScrubParts {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: there are none. */
  readonly otherDocuments?: (groups: readonly string[]) => readonly OtherDocument[];
}

export async function scrubDocuments(
  parts: DocumentScrubParts,
  notebook: ScrubNotebook,
  control: WorkControl,
): Promise<void> {
  const groups = await storedGroups(parts.objects);
  const own = storeDocumentNames.map((name) => ({ name, decode: (bytes: Buffer) => decodeStoreDocument(bytes, name) }));
  const documents = [...own, ...(await groupDocuments(parts.objects)), ...(parts.otherDocuments?.(groups) ?? [])];
  for (const document of documents) {
    const { name } = document;
    const damage = await scrubDocument(parts, document, control);
    const facts = { object: name, thing: "document", count: 1, slots: [] } as const;
    const foundMicros = Math.round(parts.clock.wallMs() * 1000);
    notebook.found(name, damage === undefined ? [] : [{ ...facts, ...damage, foundMicros }]);
  }
}

/** Of all groups. That of a group whose first piece was sealed just now is written next. */
async function groupDocuments(objects: Objects): Promise<OtherDocument[]> {
  const pieceCounts = new Map<string, number>();
  for await (const { name } of objects.list("pieces/")) {
    const group = sealedPieceOfName(name)?.group;
    if (group !== undefined) pieceCounts.set(group, (pieceCounts.get(group) ?? 0) + 1);
  }
  return [...pieceCounts].map(([group, count]) => ({
    name: groupDocumentName(group),
    decode: (bytes) => decodeGroupDocument(bytes, group),
    ...(count > 1 ? { ifMissing: "the next piece that is sealed of the group brings it back" } : {}),
  }));
}

type DocumentDamage = Pick<ScrubFinding, "finding" | "obstacle">;

/** What is wrong with it, where it could not be repaired. */
async function scrubDocument(
  { objects, log }: DocumentScrubParts,
  { name, decode, ifMissing }: OtherDocument,
  control: WorkControl,
): Promise<DocumentDamage | undefined> {
  const found = await objects.readDocument(name);
  if (found === undefined)
    return ifMissing === undefined ? undefined : { finding: "it is not there", obstacle: ifMissing };
  const failure = failureOf(found.bytes, decode);
  if (failure === undefined) return undefined;
  // Its checksum is right: nothing of it was turned, and what would be made of it by turning bits is not what was written.
  if (failure instanceof RefuseError) return { finding: failure.message, obstacle: "this program cannot read it" };
  const bytes = Buffer.from(found.bytes);
  const bit = await turnedBit(
    bytes,
    () => isAsEncoded(bytes) && failureOf(bytes, decode) === undefined,
    () => control.pace(0),
  );
  if (bit !== undefined && (await objects.changeDocument(name, bytes, found.version)) !== undefined) {
    log.warn("a document of the store was repaired", { document: name });
    return undefined;
  }
  if (storeDocumentNames.includes(name) && (await isStoreRestored(objects))) return undefined;
  return { finding: "it is not what its checksum was made for", obstacle: obstacleTo("document") };
}

async function isStoreRestored(objects: Objects): Promise<boolean> {
  try {
    return (await findStoreDocument(objects)) !== undefined;
  } catch (error) {
    if (error instanceof StopError) return false;
    throw error;
  }
}

/** Undefined: it is what it should be. */
function failureOf(bytes: Buffer, decode: OtherDocument["decode"]): Error | undefined {
  try {
    decode(bytes);
    return undefined;
  } catch (error) {
    if (isOwnFault(error)) throw error;
    return error as Error;
  }
}
