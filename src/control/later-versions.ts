/**
 * Whether a later program has written anything of what a data folder is made anew of, or of the folder itself. It is looked for before
 * any of it is changed: found half-way, the store would be taken and groups set aside, and neither program could go on. Reads only.
 * What is damaged is for others to tell.
 */
import { join } from "node:path";
import { RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import { SegmentCatalogue } from "#src/appliance/remote/segment-catalogue.ts";
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import type { OtherDocument } from "#src/journals/document-scrub.ts";
import { decodeGroupDocument, groupDocumentName } from "#src/journals/group-document.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { piecesInForce } from "#src/journals/pieces-in-force.ts";
import { sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { storedGroups } from "#src/journals/stored-group.ts";
import { decodeSumsHeader, sumsHeaderBytes } from "#src/journals/sums-format.ts";
import { getLogFileHeader, logFileMagic, unknownLogFileVersion } from "#src/records/log-file.ts";
import { decodeObjectHeader, objectHeaderBytes } from "#src/store/object-format.ts";
import { unlessUnreadable } from "#src/store/object-presence.ts";
import type { ObjectName, ReadableObjects } from "#src/store/objects.ts";
import { readAgain } from "#src/store/read-again.ts";
import { decodeScrubNotes, scrubDocumentName } from "#src/store/scrub-document.ts";
import { type SegmentIdentity, segmentObjectName, segmentOfObject } from "#src/store/segment-format.ts";
import { decodeStoreDocument } from "#src/store/store-document.ts";
import { storeDocumentNames } from "#src/store/store-document-copies.ts";
import { readHistory } from "#src/synth/history-document.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import { groupsIn } from "./lost-groups.ts";
import { otherDocuments } from "./other-documents.ts";
import { findNotedStore } from "./store-binding.ts";

export interface VersionedPlace {
  readonly machine: Pick<Machine, "files">;
  /** Of the remote appliance. */
  readonly folder: string;
  readonly objects: ReadableObjects;
}

/** Throws a `RefuseError` where a later program has written a document of the store, or a document or journal of the folder. */
export async function assertDocumentsKnown({ machine, folder, objects }: VersionedPlace): Promise<void> {
  assertFolderKnown(machine.files, folder);
  for (const { name, decode } of documentsOf(await storedGroups(objects))) {
    const found = await unlessUnreadable(objects.readDocument(name));
    if (found !== undefined) unlessDamaged(() => decode(found.bytes));
  }
}

function documentsOf(groups: readonly string[]): OtherDocument[] {
  const own = storeDocumentNames.map((name) => ({ name, decode: (bytes: Buffer) => decodeStoreDocument(bytes, name) }));
  const ofGroups = groups.map((group) => ({
    name: groupDocumentName(group),
    decode: (bytes: Buffer) => decodeGroupDocument(bytes, group),
  }));
  return [...own, ...otherDocuments(false)(groups), { name: scrubDocumentName, decode: decodeScrubNotes }, ...ofGroups];
}

function assertFolderKnown(files: Files, folder: string): void {
  unlessDamaged(() => findNotedStore(files, folder));
  unlessDamaged(() => SegmentCatalogue.open(files, folder));
  for (const group of groupsIn({ files }, folder)) {
    const journals = new JournalFolder(join(folder, "groups", group));
    unlessDamaged(() => RemoteGroupStateFile.read(files, journals.path, group));
    for (const basePosition of journals.pieces(files)) {
      unlessDamaged(() => assertPieceKnown(files, journals.piecePath(basePosition)));
    }
    for (const segment of journals.segments(files)) {
      unlessDamaged(() => assertSumsKnown(files, journals.sumsPath(segment)));
    }
  }
}

function assertPieceKnown(files: Files, path: string): void {
  const found = getLogFileHeader(beginningOf(files, path, logFileHeaderBytes), logFileMagic.metadata);
  if (found.kind === "otherVersion") throw unknownLogFileVersion(path, found.version);
}

/** They may have been lost while the blocks were not. */
function assertSumsKnown(files: Files, path: string): void {
  if (files.exists(path)) decodeSumsHeader(beginningOf(files, path, sumsHeaderBytes), path);
}

function beginningOf(files: Files, path: string, lengthBytes: number): Buffer {
  const handle = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(Math.min(lengthBytes, handle.sizeBytesNow()));
    handle.readNow(bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    handle.close();
  }
}

function unlessDamaged(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (error instanceof RefuseError || isOwnFault(error)) throw error;
  }
}

/**
 * Throws a `RefuseError` where a later program has written an object that these groups are made of, or the newest segment: of all the
 * others nobody has the time to look at each.
 */
export async function assertObjectsKnown(objects: ReadableObjects, groups: readonly string[]): Promise<void> {
  for (const group of groups) {
    for (const piece of await piecesInForce(objects, group)) await assertObjectKnown(objects, sealedPieceName(piece));
    const seq = (await unlessUnreadable(readHistory(objects, group)))?.document.basedOn ?? 0;
    if (seq > 0) await assertObjectKnown(objects, snapshotName({ group, seq }));
  }
  const newest = await newestSegmentObject(objects);
  if (newest !== undefined) await assertObjectKnown(objects, segmentObjectName(newest));
}

async function assertObjectKnown(objects: ReadableObjects, name: ObjectName): Promise<void> {
  const header = async () => {
    const bytes = Buffer.alloc(objectHeaderBytes);
    const filled = await objects.read(name, bytes, 0);
    return decodeObjectHeader(bytes.subarray(0, filled), name);
  };
  await unlessUnreadable(readAgain(header));
}

async function newestSegmentObject(objects: Pick<ReadableObjects, "list">): Promise<SegmentIdentity | undefined> {
  let newest: SegmentIdentity | undefined;
  for await (const { name } of objects.list("segments/")) {
    const found = segmentOfObject(name);
    if (found !== undefined && found.segment >= (newest?.segment ?? 0)) newest = found;
  }
  return newest;
}
