/** The remote's disks as the oracle reads them: the journals on the one, the store's objects on another, if there is a store. */
import { decodeStoreDocument, type StoreDocument } from "#src/store/store-document.ts";
import { openKeys } from "#src/store/store-keys.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";
import { SealedBlocks, type StoredObjects } from "#test/oracle/sealed-blocks.ts";
import type { SimDisk } from "#test/sim/sim-disk.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import type { SimFolder } from "#test/sim/sim-folder.ts";
import type { SparseBytes } from "#test/sim/sparse-bytes.ts";

export interface RemoteDisksOptions {
  /** Bits flip there, so nothing is remembered. */
  readonly isHarmed?: boolean;
  /** Of a store that is encrypted. */
  readonly wrappingKey?: WrappingKey | undefined;
  /** Undoes what was done to the bytes of a file, as far as the product has not. */
  readonly undo?: (file: SimFile, bytes: Buffer) => void;
}

export class RemoteDisks {
  readonly journals: SimDisk;
  readonly store: SimDisk | undefined;
  readonly #options: RemoteDisksOptions;
  #known: { readonly version: string; readonly sealed: SealedBlocks } | undefined;
  #storeKey: Buffer | undefined;

  constructor(journals: SimDisk, store?: SimDisk, options: RemoteDisksOptions = {}) {
    this.journals = journals;
    this.store = store;
    this.#options = options;
  }

  /** What programs see. */
  sealed(): SealedBlocks | undefined {
    const { store } = this;
    if (store === undefined) return undefined;
    const folder = store.find("/store/segments");
    const version = `${store.life}/${folder?.kind === "folder" ? folder.changeCount : 0}`;
    if (this.#known?.version !== version || this.#options.isHarmed === true) {
      this.#known = { version, sealed: this.sealedIn(this.current() as StoredObjects) };
    }
    return this.#known.sealed;
  }

  sealedIn(stored: StoredObjects): SealedBlocks {
    return new SealedBlocks(stored, this.storeKey());
  }

  /** Undefined: the store is not encrypted, or nobody has made it yet. */
  storeKey(): Buffer | undefined {
    const { wrappingKey } = this.#options;
    if (wrappingKey === undefined || this.#storeKey !== undefined) return this.#storeKey;
    const stored = this.durable();
    const paths = stored?.paths().filter((one) => /^\/store\/store(-copy)?\.json$/.test(one)) ?? [];
    const readable = stored === undefined ? undefined : readableOf(stored, paths);
    if (readable === undefined) return undefined;
    this.#storeKey = openKeys(readable, wrappingKey)?.keys.storeKey;
    return this.#storeKey;
  }

  /** The same, object by object. */
  current(): StoredObjects | undefined {
    return this.store === undefined ? undefined : this.#objects(this.store, namesNow, contentNow);
  }

  /** What a loss of power at this moment would surely leave. */
  durable(): StoredObjects | undefined {
    return this.store === undefined ? undefined : this.#objects(this.store, namesDurable, contentDurable);
  }

  #objects({ root }: SimDisk, names: Names, content: Content): StoredObjects {
    const files = new Map<string, SimFile>();
    gather(root, "", names, files);
    return {
      paths: () => [...files.keys()],
      read: (path) => {
        const file = files.get(path) as SimFile;
        const bytes = content(file);
        const copy = Buffer.alloc(bytes.sizeBytes);
        bytes.read(copy, 0, copy.length, 0);
        this.#options.undo?.(file, copy);
        return copy;
      },
    };
  }
}

type Names = (folder: SimFolder) => ReadonlyMap<string, SimFile | SimFolder>;
type Content = (file: SimFile) => SparseBytes;

const namesNow: Names = (folder) => folder.names;
const namesDurable: Names = (folder) => folder.durableNames;
const contentNow: Content = (file) => file.current;
const contentDurable: Content = (file) => file.durable;

function gather(folder: SimFolder, path: string, names: Names, files: Map<string, SimFile>): void {
  for (const [name, node] of names(folder)) {
    if (node.kind === "folder") gather(node, `${path}/${name}`, names, files);
    else if (!name.endsWith(".unpublished")) files.set(`${path}/${name}`, node);
  }
}

/** The first of the copies that is sound; throws what is wrong with the last one where none is. */
function readableOf(stored: StoredObjects, paths: readonly string[]): StoreDocument | undefined {
  for (const [index, path] of paths.entries()) {
    try {
      return decodeStoreDocument(stored.read(path), path);
    } catch (error) {
      if (index === paths.length - 1) throw error;
    }
  }
  return undefined;
}
