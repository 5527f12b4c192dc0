/** A piece of the metadata journal, read: what lies at each place of it, whatever that is. */
import { batchAlignmentBytes, batchHeaderBytes, journalReadBytes, logFileHeaderBytes } from "#src/core/limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import {
  type BatchHeader,
  batchBytes,
  batchMagic,
  batchSpanBytes,
  getBatchHeader,
  hasSoundHeads,
} from "#src/records/batch.ts";
import { getLogFileHeader, type LogFileHeader, logFileMagic, ownLogFileHeader } from "#src/records/log-file.ts";
import type { LogFinding } from "#src/records/log-recovery-table.ts";
import { recordType } from "#src/records/record.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { aggregateRecords } from "./metadata-aggregate.ts";
import { metadataRecords } from "./metadata-batch.ts";
import type { MetadataRecord } from "./metadata-entry.ts";
import { PlainBatch } from "./plain-batch.ts";

/** What all pieces of one journal have in common. */
export interface JournalIdentity {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly incarnation: number;
}

export interface FoundBatch {
  readonly finding: "sound";
  readonly header: BatchHeader;
  readonly lastSeq: number;
  readonly isAggregate: boolean;
  /** Of an aggregate that goes on in the next batch: alone it does not count. */
  readonly isOpen: boolean;
  readonly records: readonly MetadataRecord[];
  /** Where extra parts lie; valid until the piece is read on. */
  readonly bytes: Buffer;
  /** In the file. */
  readonly offset: number;
  readonly nextOffset: number;
}

export interface FoundElse {
  readonly finding: Exclude<LogFinding, "sound">;
  readonly offset: number;
  /** What is sound of a batch whose heads are not. */
  readonly header?: BatchHeader;
}

export interface FoundPlain {
  readonly header: BatchHeader;
  readonly plain: PlainBatch;
  readonly bytes: Buffer;
  readonly nextOffset: number;
}

interface SoundHeads {
  readonly finding: "sound";
  readonly header: BatchHeader;
  /** In the window. */
  readonly start: number;
}

export class MetadataPiece {
  readonly path: string;
  readonly basePosition: number;
  /** Undefined: the piece has none, or a damaged one. */
  readonly header: LogFileHeader | undefined;
  readonly sizeBytes: number;
  readonly #incarnation: number;
  readonly #handle: FileHandle;
  /** None until something behind the header is read: many only look at that. */
  #window = Buffer.alloc(0);
  #view = new DataView(this.#window.buffer);
  #plain: PlainBatch | undefined;
  #windowOffset = 0;
  #windowBytes = 0;

  /** Throws a `RefuseError` where the piece is another journal's, or of another version. */
  constructor(files: Files, folder: JournalFolder, basePosition: number, identity: JournalIdentity) {
    this.path = folder.piecePath(basePosition);
    this.basePosition = basePosition;
    this.#incarnation = identity.incarnation;
    this.#handle = files.open(this.path, "read");
    try {
      this.sizeBytes = this.#handle.sizeBytesNow();
      this.header = this.#readHeader(identity);
    } catch (error) {
      this.#handle.close();
      throw error;
    }
  }

  #readHeader(identity: JournalIdentity): LogFileHeader | undefined {
    const bytes = Buffer.alloc(Math.min(logFileHeaderBytes, this.sizeBytes));
    this.#handle.readNow(bytes, 0, bytes.length, 0);
    const header = ownLogFileHeader(this.path, getLogFileHeader(bytes, logFileMagic.metadata), identity);
    return header?.basePosition === this.basePosition ? header : undefined;
  }

  /** Offsets are multiples of 512, from `logFileHeaderBytes` on. Whether a batch follows the one before is not looked at. */
  at(offset: number): FoundBatch | FoundElse {
    const heads = this.#headsAt(offset);
    if (heads.finding !== "sound") return heads;
    const { header, start } = heads;
    const isAggregate = header.magic === batchMagic.metadataAggregate;
    const recordsOf = isAggregate ? aggregateRecords : metadataRecords;
    const records = recordsOf(this.#window, start, header);
    const last = records?.at(-1);
    if (records === undefined || last === undefined) return { finding: "brokenHeads", offset, header };
    const isOpen = isAggregate && last.type !== recordType.aggregate;
    const nextOffset = offset + batchSpanBytes(header);
    const found = { header, lastSeq: last.seq, isAggregate, isOpen, records, bytes: this.#window };
    return { finding: "sound", ...found, offset, nextOffset };
  }

  /** Undefined: what lies there is none, and for `at` to find. */
  plainAt(offset: number): FoundPlain | undefined {
    const heads = this.#headsAt(offset);
    if (heads.finding !== "sound" || heads.header.magic !== batchMagic.metadata) return undefined;
    const { header, start } = heads;
    this.#plain ??= new PlainBatch();
    if (!this.#plain.read(this.#view, start, header)) return undefined;
    return { header, plain: this.#plain, bytes: this.#window, nextOffset: offset + batchSpanBytes(header) };
  }

  /** A batch as it was written, whatever its records say. */
  #headsAt(offset: number): SoundHeads | FoundElse {
    if (offset + batchAlignmentBytes > this.sizeBytes) return { finding: "nothing", offset };
    if (!this.#load(offset, batchAlignmentBytes)) return { finding: "unreadable", offset };
    const headerAt = offset - this.#windowOffset;
    const header =
      getBatchHeader(this.#window, headerAt, batchMagic.metadata) ??
      getBatchHeader(this.#window, headerAt, batchMagic.metadataAggregate);
    if (
      header === undefined ||
      header.incarnation !== this.#incarnation ||
      header.position !== this.basePosition + offset
    ) {
      const isZero = this.#window.subarray(headerAt, headerAt + batchHeaderBytes).every((byte) => byte === 0);
      return { finding: isZero ? "nothing" : "brokenHeader", offset };
    }
    if (offset + batchBytes(header) > this.sizeBytes) return { finding: "brokenHeads", offset, header };
    if (!this.#load(offset, batchBytes(header))) return { finding: "unreadable", offset };
    const start = offset - this.#windowOffset;
    if (!hasSoundHeads(this.#window, start, header)) return { finding: "brokenHeads", offset, header };
    return { finding: "sound", header, start };
  }

  /** False: the disk does not give the bytes. */
  #load(offset: number, lengthBytes: number): boolean {
    const isThere = offset >= this.#windowOffset && offset + lengthBytes <= this.#windowOffset + this.#windowBytes;
    if (isThere) return true;
    this.#windowBytes = 0;
    if (this.#window.length === 0) this.#makeWindow();
    try {
      this.#windowBytes = this.#handle.readNow(this.#window, 0, this.#window.length, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
      return this.#loadOnly(offset, lengthBytes);
    }
    this.#windowOffset = offset;
    return this.#windowBytes >= lengthBytes;
  }

  #makeWindow(): void {
    this.#window = Buffer.alloc(journalReadBytes);
    const { buffer, byteOffset, byteLength } = this.#window;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  /** What lies further on may be what cannot be read. */
  #loadOnly(offset: number, lengthBytes: number): boolean {
    try {
      this.#windowBytes = this.#handle.readNow(this.#window, 0, lengthBytes, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EIO") return false;
      throw error;
    }
    this.#windowOffset = offset;
    return this.#windowBytes >= lengthBytes;
  }

  /** The sound headers from an offset on, whatever lies between them. */
  *headersFrom(firstOffset: number): Generator<BatchHeader> {
    for (let offset = firstOffset; offset < this.sizeBytes; ) {
      const found = this.at(offset);
      if (found.header !== undefined) yield found.header;
      offset = found.finding === "sound" ? found.nextOffset : offset + batchAlignmentBytes;
    }
  }

  close(): void {
    this.#handle.close();
  }
}
