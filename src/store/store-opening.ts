/** Opens a store by its document: makes that at the first time, and checks it at each further one. */
import type { Machine } from "#src/host/machine.ts";
import type { Objects } from "./objects.ts";
import type { StoreDocument } from "./store-document.ts";
import { storeIdBytes } from "./store-document.ts";
import { changedByOthers, changeStoreDocument, findStoreDocument, readStoreDocument } from "./store-document-copies.ts";
import { openKeys, StoreKeys } from "./store-keys.ts";
import type { WrappingKey } from "./wrapping-key.ts";

type Ports = Pick<Machine, "clock" | "randomness">;

export interface OpenedStore {
  readonly id: string;
  readonly madeMicros: number;
  /** Undefined: the store is not encrypted. */
  readonly keys: StoreKeys | undefined;
  /** It is new. */
  readonly isMade: boolean;
  /** Its document was damaged or gone, and has been restored. */
  readonly isRestored: boolean;
}

/** A new store is encrypted if a wrapping key is given. Throws a `RefuseError` in words where the key is not the right one. */
export async function openStore(objects: Objects, ports: Ports, wrappingKey?: WrappingKey): Promise<OpenedStore> {
  const found = await findStoreDocument(objects);
  if (found === undefined) return await makeStore(objects, ports, wrappingKey);
  const { document, isRestored } = found;
  return { ...facts(document), keys: openKeys(document, wrappingKey)?.keys, isMade: false, isRestored };
}

/** For those who only read, beside the one who has the store open. Undefined: there is none yet. */
export async function readStore(
  objects: Pick<Objects, "readDocument">,
  wrappingKey?: WrappingKey,
): Promise<Pick<OpenedStore, "id" | "madeMicros" | "keys"> | undefined> {
  const document = await readStoreDocument(objects);
  return document === undefined ? undefined : { ...facts(document), keys: openKeys(document, wrappingKey)?.keys };
}

async function makeStore(
  objects: Objects,
  { clock, randomness }: Ports,
  wrappingKey: WrappingKey | undefined,
): Promise<OpenedStore> {
  const id = randomness.bytes(storeIdBytes).toString("hex");
  const keys = wrappingKey === undefined ? undefined : StoreKeys.made(randomness);
  const keyCopies =
    keys === undefined || wrappingKey === undefined ? undefined : [keys.wrapped(id, wrappingKey, randomness)];
  const document = { id, madeMicros: clock.wallMs() * 1000, keyCopies };
  if ((await changeStoreDocument(objects, document, undefined)) === undefined) throw changedByOthers();
  return { ...facts(document), keys, isMade: true, isRestored: false };
}

function facts({ id, madeMicros }: StoreDocument): Pick<OpenedStore, "id" | "madeMicros"> {
  return { id, madeMicros };
}
