/**
 * The store's document where it lies: `store.json`, which counts, and `store-copy.json`. Without it an encrypted store is
 * lost whole, so a damaged one is restored from the other. The copy follows whenever the document is opened or changed.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import type { Objects } from "./objects.ts";
import { decodeStoreDocument, encodeStoreDocument, type StoreDocument } from "./store-document.ts";

const ownName = "store.json";
const copyName = "store-copy.json";
export const storeDocumentNames: readonly string[] = [ownName, copyName];

export interface FoundStoreDocument {
  readonly document: StoreDocument;
  readonly version: string;
  /** It was damaged or gone, and has been restored from the copy. */
  readonly isRestored: boolean;
}

/** What lies under one of the names: neither a document nor damage where there is nothing. */
interface Finding {
  readonly version: string | undefined;
  readonly document?: StoreDocument;
  readonly damage?: StopError;
}

/** Undefined: the store is new. Throws where both are damaged, or of another version. */
export async function findStoreDocument(objects: Objects): Promise<FoundStoreDocument | undefined> {
  const first = await look(objects, ownName);
  // A service may have answered something else than it has, and the copy may be older.
  const own = first.damage === undefined ? first : await look(objects, ownName);
  const copy = await look(objects, copyName);
  if (own.document !== undefined && own.version !== undefined) {
    const { document, version } = own;
    await updateCopy(objects, document, copy);
    return { document, version, isRestored: false };
  }
  if (copy.document !== undefined) {
    const version = await objects.changeDocument(ownName, encodeStoreDocument(copy.document), own.version);
    if (version === undefined) throw changedByOthers();
    return { document: copy.document, version, isRestored: true };
  }
  const damage = own.damage ?? copy.damage;
  if (damage !== undefined) throw damage;
  await assertEmpty(objects);
  return undefined;
}

/** For those who only read. Undefined: there is none, yet or any more. */
export async function readStoreDocument(objects: Pick<Objects, "readDocument">): Promise<StoreDocument | undefined> {
  const own = await look(objects, ownName);
  const copy = own.document === undefined ? await look(objects, copyName) : undefined;
  const document = own.document ?? copy?.document;
  const damage = own.damage ?? copy?.damage;
  if (document === undefined && damage !== undefined) throw damage;
  return document;
}

/** Undefined: somebody else was quicker. `version`: of what is there, undefined where there is none. */
export async function changeStoreDocument(
  objects: Objects,
  document: StoreDocument,
  version: string | undefined,
): Promise<string | undefined> {
  const changed = await objects.changeDocument(ownName, encodeStoreDocument(document), version);
  if (changed !== undefined) await updateCopy(objects, document, await look(objects, copyName));
  return changed;
}

export function changedByOthers(): RetryError {
  return new RetryError("the store's document is being changed by somebody else");
}

async function look(objects: Pick<Objects, "readDocument">, name: string): Promise<Finding> {
  const found = await objects.readDocument(name);
  if (found === undefined) return { version: undefined };
  try {
    return { version: found.version, document: decodeStoreDocument(found.bytes, name) };
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return { version: found.version, damage: error };
  }
}

async function updateCopy(objects: Objects, document: StoreDocument, copy: Finding): Promise<void> {
  const bytes = encodeStoreDocument(document);
  if (copy.document !== undefined) {
    if (copy.document.id !== document.id) {
      throw new StopError(`${ownName} and ${copyName} are of two stores: take away the one that does not belong here`);
    }
    if (encodeStoreDocument(copy.document).equals(bytes)) return;
  }
  // Who is quicker has brought it up to date too, or does so when he opens the store the next time.
  await objects.changeDocument(copyName, bytes, copy.version);
}

/** A new document beside old objects would say that they are of another store, and hide that the keys are lost. */
async function assertEmpty(objects: Objects): Promise<void> {
  for await (const { name } of objects.list("")) {
    throw new StopError(
      `the store has lost its ${ownName} and ${copyName}, and holds objects, ${name} for one: bring one of the two back`,
    );
  }
}
