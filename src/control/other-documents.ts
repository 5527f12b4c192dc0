/** The documents that a store has beside its own and those of its groups, for the scrub. */
import type { OtherDocument } from "#src/journals/document-scrub.ts";
import { collectionDocumentName, decodeCollection } from "#src/store/collection-document.ts";
import { decodeStoreHolder, storeHolderName } from "#src/store/store-holder.ts";
import { historyDocuments } from "#src/synth/history-document.ts";

/** `isHeld`: whoever writes to it has said so there. */
export function otherDocuments(isHeld: boolean): (groups: readonly string[]) => OtherDocument[] {
  const ifMissing = isHeld ? { ifMissing: "the next start of the remote appliance brings it back" } : {};
  const holder = { name: storeHolderName, decode: decodeStoreHolder, ...ifMissing };
  const decode = (bytes: Buffer) => decodeCollection(bytes, collectionDocumentName);
  return (groups) => [holder, { name: collectionDocumentName, decode }, ...historyDocuments(groups)];
}
