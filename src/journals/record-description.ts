/** What a metadata journal says of a record, for people. */
import { decodeExtra, recordTypeName } from "#src/records/record.ts";
import type { MetadataEntry } from "./metadata-entry.ts";

export interface RecordItem {
  readonly kind: "record";
  /** Of an aggregate's records: the last that it stands for. */
  readonly seq: number;
  readonly epoch: number;
  readonly type: string;
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly timeMicros: number;
  readonly ordinal: number;
  readonly address: number;
  readonly level: number;
  readonly extra?: Record<string, unknown>;
}

/** `extraPart` is the record's own. */
export function recordItemOf(entry: MetadataEntry, extraPart: Buffer): RecordItem {
  const { type, seq, epoch, volume, startBlock, blockCount, timeMicros, ordinal, address, level } = entry;
  const extra = extraPart.length === 0 ? undefined : decodeExtra(extraPart);
  const place = { type: recordTypeName(type), volume, seq, timeMicros, startBlock, address, blockCount, epoch };
  const item = { kind: "record", ...place, ordinal, level } as const;
  return extra === undefined ? item : { ...item, extra };
}

export function recordLine(item: RecordItem): string {
  const time = new Date(Math.floor(item.timeMicros / 1000)).toISOString();
  const when = `${time.slice(0, -1)}${String(item.timeMicros % 1000).padStart(3, "0")}Z`;
  const blocks = item.blockCount === 0 ? "" : ` blocks ${item.startBlock}+${item.blockCount}`;
  const address = item.address === 0 ? "" : ` at ${item.address}`;
  const extra = item.extra === undefined ? "" : ` ${JSON.stringify(item.extra)}`;
  return `    ${item.seq} ${when} ${item.type} volume ${item.volume}${blocks}${address} ordinal ${item.ordinal}${extra}`;
}
