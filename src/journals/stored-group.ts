/**
 * A group as its store alone knows it: who may write, what its volumes are, how far its pieces go. The document says it up to
 * some record, and what records behind that one say is read from the pieces, so that nothing is lost where a document is older
 * than they are, or is damaged.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import type { Objects, ReadableObjects, VersionedDocument } from "#src/store/objects.ts";
import {
  decodeGroupDocument,
  encodeGroupDocument,
  type GroupDocument,
  type GroupWriter,
  groupDocumentName,
} from "./group-document.ts";
import type { MetadataEntry } from "./metadata-entry.ts";
import { piecesInForce } from "./pieces-in-force.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { type PieceLink, sealedPieceOfName } from "./sealed-piece-format.ts";
import { type RemoteVolume, VolumeTable } from "./volume-table.ts";

/** What the remote appliance knows of it, for where the store does not: of before there were documents, or damaged. */
export interface KnownGroup extends GroupWriter {
  readonly id: string;
  readonly volumes: readonly RemoteVolume[];
}

export interface StoredGroupParts {
  readonly objects: ReadableObjects;
  /** 32 hexadecimal digits. */
  readonly group: string;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  /** Undefined: the store is all that there is. */
  readonly known: KnownGroup | undefined;
  /** What the history begins with, where pieces before it are gone. */
  readonly base?: VolumesAt | undefined;
}

/** The volumes as of a record. */
export interface VolumesAt {
  readonly seq: number;
  readonly volumes: () => Promise<readonly RemoteVolume[]>;
}

export class StoredGroup {
  readonly #group: string;
  readonly #volumes: VolumeTable;
  /** Of the newest piece. */
  #link: PieceLink | undefined;
  #document: GroupDocument | undefined;
  #version: string | undefined;

  private constructor(group: string, found: FoundDocument, volumes: VolumeTable, link: PieceLink | undefined) {
    this.#group = group;
    this.#document = found.document;
    this.#version = found.version;
    this.#volumes = volumes;
    this.#link = link;
  }

  /** Throws as `SealedPiece.open` does, and a `RefuseError` where a newer program wrote the document. */
  static async open({ objects, group, key, known, base }: StoredGroupParts): Promise<StoredGroup> {
    const found = await findDocument(objects, group);
    const pieces = await piecesInForce(objects, group);
    const last = pieces.at(-1);
    const newest = last === undefined ? undefined : await SealedPiece.open(objects, last, key);
    const storedSeq = newest?.numbers.lastSeq ?? 0;
    // One that is ahead of the pieces says what volumes were behind records that are lost.
    const isAhead = (found.document?.seq ?? 0) > storedSeq;
    // What the remote appliance knows is as of then or later, and no history has to be read for it.
    const otherwise = { volumes: known?.volumes ?? [], seq: known === undefined ? 0 : storedSeq };
    const told = found.document === undefined || isAhead ? otherwise : found.document;
    const isBaseNewer = base !== undefined && base.seq > told.seq;
    const volumes = new VolumeTable(isBaseNewer ? await base.volumes() : told.volumes);
    const seq = isBaseNewer ? base.seq : told.seq;
    const behind = pieces.filter((_, index) => (pieces[index + 1]?.firstSeq ?? storedSeq + 1) > seq + 1);
    for (const identity of seq < storedSeq ? behind : []) {
      const piece = await SealedPiece.open(objects, identity, key);
      for await (const record of piece.records(seq)) sawIn(volumes, record, record.extra);
    }
    volumes.durableUpTo(storedSeq);
    return new StoredGroup(group, found, volumes, newest?.link);
  }

  /** Of the newest piece; undefined: there is none. */
  get link(): PieceLink | undefined {
    return this.#link;
  }

  /** As of the end of the newest piece. */
  get volumes(): readonly RemoteVolume[] {
    return this.#volumes.durable;
  }

  /** Up to there the store had the records, as its document says: it may have lost its newest pieces since. */
  get toldSeq(): number {
    return this.#document?.seq ?? 0;
  }

  /** Who was known to write when something was last stored. Undefined: the store does not say. */
  get writer(): GroupWriter | undefined {
    return this.#document;
  }

  /** A record is being sealed. */
  saw(entry: MetadataEntry, extra: Buffer): void {
    sawIn(this.#volumes, entry, extra);
  }

  /** All that was seen up to this piece's end is in the store. */
  stored(link: PieceLink): void {
    this.#link = link;
    this.#volumes.durableUpTo(link.lastSeq);
  }

  /** The document says all that is stored. Throws a `RetryError` where somebody else has changed it. */
  async note(objects: Objects, { name, writer, life, epoch }: GroupWriter): Promise<void> {
    const seq = this.#link?.lastSeq ?? 0;
    const document = { id: this.#group, name, writer, life, epoch, seq, volumes: this.volumes };
    const bytes = encodeGroupDocument(document);
    if (this.#document !== undefined && encodeGroupDocument(this.#document).equals(bytes)) return;
    const version = await objects.changeDocument(groupDocumentName(this.#group), bytes, this.#version);
    if (version === undefined) {
      throw new RetryError(`${groupDocumentName(this.#group)} in the store was changed by somebody else`);
    }
    this.#document = document;
    this.#version = version;
  }
}

/** The ids of all groups that the store has pieces of. */
export async function storedGroups(objects: Pick<ReadableObjects, "list">): Promise<string[]> {
  const groups = new Set<string>();
  for await (const { name } of objects.list("pieces/")) {
    const identity = sealedPieceOfName(name);
    if (identity !== undefined) groups.add(identity.group);
  }
  return [...groups];
}

function sawIn(volumes: VolumeTable, { type, seq, volume }: MetadataEntry, extra: Buffer): void {
  if (VolumeTable.isAbout(type)) volumes.saw(type, seq, volume, extra);
}

interface FoundDocument {
  readonly document: GroupDocument | undefined;
  readonly version: string | undefined;
}

/** One that is damaged is made anew from the pieces. A service may have answered something else than it has. */
async function findDocument(objects: Pick<ReadableObjects, "readDocument">, group: string): Promise<FoundDocument> {
  const name = groupDocumentName(group);
  let found: VersionedDocument | undefined;
  for (let reads = 0; reads < 2; reads++) {
    found = await objects.readDocument(name);
    if (found === undefined) break;
    try {
      return { document: decodeGroupDocument(found.bytes, group), version: found.version };
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
    }
  }
  return { document: undefined, version: found?.version };
}
