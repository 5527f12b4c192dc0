/**
 * What builder and reader of a page of a sealed piece's records have in common (docs/formats.md, "The sealed piece").
 */
import { sealedPageExtraBytesMax, sealedPageRecordsMax } from "#src/core/store-limits.ts";
import { packedBitsMax, varintBytesMax } from "./packed-bytes.ts";
import { columnBytesMax } from "./packed-column.ts";
import type { OrderedEntry } from "./record-order.ts";

/** In the order in which they lie there. */
export const recordColumns = [
  "kind",
  "volume",
  "seq",
  "epoch",
  "time",
  "level",
  "startBlock",
  "blockCount",
  "address",
  "ordinal",
  "extra",
] as const;

/** What a record has, in the lowest bits of its kind; its type is in the others. */
export const has = { range: 1, ordinal: 2, extra: 4, aggregate: 8 } as const;
const typeScale = 16;
export const recordKindMax = 255 * typeScale + 15;

export function recordKindOf(entry: OrderedEntry): number {
  return (
    entry.type * typeScale +
    (entry.startBlock !== 0 || entry.blockCount !== 0 ? has.range : 0) +
    (entry.ordinal !== 0 ? has.ordinal : 0) +
    (entry.extraBytes !== 0 ? has.extra : 0) +
    (entry.isAggregated ? has.aggregate : 0)
  );
}

export function typeOfKind(kind: number): number {
  return Math.floor(kind / typeScale);
}

const headNumbers = 7;
const volumeNumbers = 3;
/** No page takes more. */
export const recordPageBytesMax =
  (headNumbers + volumeNumbers * sealedPageRecordsMax) * varintBytesMax +
  recordColumns.length * columnBytesMax(sealedPageRecordsMax, packedBitsMax) +
  sealedPageExtraBytesMax;
