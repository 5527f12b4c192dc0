/** Where the histories of a store's groups begin, by the documents that a loss of power would leave. */
import {
  decodeHistory,
  type HistoryDocument,
  historyDocumentNames,
  wholeHistory,
} from "#src/synth/history-document.ts";
import type { StoredObjects } from "#test/oracle/sealed-blocks.ts";
import { storeFolder } from "./store-process.ts";

export function keptHistory(stored: StoredObjects, group: string): HistoryDocument {
  const paths = new Set(stored.paths());
  const path = historyDocumentNames([group])
    .map((name) => `${storeFolder}/${name}`)
    .find((one) => paths.has(one));
  return path === undefined ? wholeHistory : decodeHistory(stored.read(path), group);
}
