/** A remote that keeps what it gets, and makes of it what the volume must be, as docs/formats.md says. */
import { type BatchRecord, batchMagic, batchRecords, batchSpanBytes, getBatchHeader } from "#src/records/batch.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";
import { ScriptedRemote } from "#test/appliance/local/scripted-remote.ts";

const blockBytes = 4096;

export class JournalingRemote extends ScriptedRemote {
  readonly #journal: { readonly record: BatchRecord; readonly bytes: Buffer }[] = [];

  override ship(pieces: readonly Buffer[]): boolean {
    const bytes = Buffer.concat(pieces);
    for (let at = 0; at < bytes.length; ) {
      const header = getBatchHeader(bytes, at, batchMagic.records);
      const records = header === undefined ? undefined : batchRecords(bytes, at, header);
      if (header === undefined || records === undefined) throw new Error("what is shipped are whole batches");
      for (const record of records) this.#journal.push({ record, bytes });
      at += batchSpanBytes(header);
    }
    return super.ship(pieces);
  }

  get #sizes(): number[] {
    return this.#journal.flatMap(({ record, bytes }) => {
      const isAbout = record.type === recordType.volume || record.type === recordType.resize;
      return isAbout ? [Number(extraOf(record, bytes)?.sizeBytes)] : [];
    });
  }

  get sizeBytes(): number {
    return this.#sizes.at(-1) ?? 0;
  }

  replayed(): Buffer {
    const content = Buffer.alloc(Math.max(...this.#sizes));
    for (const { record, bytes } of this.#journal) {
      const { type, startBlock, blockCount, payloadAt } = record;
      const [start, end] = [startBlock * blockBytes, (startBlock + blockCount) * blockBytes];
      if (type === recordType.write) bytes.copy(content, start, payloadAt, payloadAt + end - start);
      else if (type === recordType.trim || type === recordType.zero) content.fill(0, start, end);
      else if (type === recordType.resize || type === recordType.volume) {
        content.fill(0, Number(extraOf(record, bytes)?.sizeBytes));
      }
    }
    return content.subarray(0, this.sizeBytes);
  }
}

function extraOf(record: BatchRecord, bytes: Buffer): Record<string, unknown> | undefined {
  return decodeExtra(bytes.subarray(record.extraAt, record.extraAt + record.extraBytes));
}
