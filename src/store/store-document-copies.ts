/**
 * The store's document where it lies: `store.json`, which counts, and `store-copy.json`. Without it an encrypted store is
 * lost whole, so a damaged one is restored from the other. The copy follows whenever the document is opened or changed.
 */
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
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
  readonly name: string;
  readonly version: string | undefined;
  readonly document?: StoreDocument;
  readonly damage?: StopError;
  readonly bytes?: Buffer;
  /** It says that another version has written it. */
  readonly refusal?: RefuseError;
}

/** Undefined: the store is new. Throws where both are damaged, or of another version. */
export async function findStoreDocument(objects: Objects): Promise<FoundStoreDocument | undefined> {
  const first = await look(objects, ownName);
  const second = await look(objects, copyName);
  // A service may have answered something else than it has, and the copy may be older.
  const own = judged(first.damage === undefined ? first : await look(objects, ownName), second);
  const copy = judged(second, own);
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
  const first = await look(objects, ownName);
  const second = first.document === undefined ? await look(objects, copyName) : undefined;
  const own = second === undefined ? first : judged(first, second);
  const copy = second === undefined ? undefined : judged(second, own);
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
  if (found === undefined) return { name, version: undefined };
  try {
    return { name, version: found.version, document: decodeStoreDocument(found.bytes, name) };
  } catch (error) {
    const { bytes, version } = found;
    if (error instanceof RefuseError) return { name, version, bytes, refusal: error };
    if (!(error instanceof StopError)) throw error;
    return { name, version, damage: error };
  }
}

/** One of another version is neither used nor touched; but what is the other but for a single bit is of no other version. */
function judged(one: Finding, other: Finding): Finding {
  const { name, version, bytes, refusal } = one;
  if (refusal === undefined) return one;
  const written = other.document === undefined ? undefined : encodeStoreDocument(other.document);
  if (bytes === undefined || written === undefined || !isOneBitApart(bytes, written)) throw refusal;
  return { name, version, damage: new StopError(`${name} is damaged in one bit`) };
}

function isOneBitApart(a: Buffer, b: Buffer): boolean {
  if (a.length !== b.length) return false;
  const apart = [...a].map((byte, index) => byte ^ (b[index] as number)).filter((bits) => bits !== 0);
  return apart.length === 1 && Number.isInteger(Math.log2(apart[0] as number));
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
