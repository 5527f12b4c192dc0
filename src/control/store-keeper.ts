/** The process that keeps a store: the one writer of its objects, and the only one that has the index open. */
import type { SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import type { Machine } from "#src/host/machine.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { keepName } from "#src/host/publish.ts";
import { inWords } from "#src/host/system-words.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import { everyWriteLevel } from "#src/journals/data-journal.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { openStore } from "#src/store/store-opening.ts";
import { sideMachine } from "./side-machine.ts";
import { receivedKey, type StoreAnswer, type StoreAsk, type StoreSettings } from "./store-words.ts";

export function runThread(line: MessageLine, settings: StoreSettings): void {
  const machine = sideMachine(settings.config, "store");
  let keeper: Promise<StoreKeeper> | undefined;
  let turn: Promise<void> = Promise.resolve();
  line.receive((message) => {
    const ask = message as StoreAsk;
    // One after the other; after a failed opening the next one tries again.
    turn = turn.then(async () => {
      keeper ??= StoreKeeper.open(machine, settings);
      try {
        line.send(await answer(await keeper, ask));
      } catch (error) {
        keeper = undefined;
        line.send(failure(ask.id, error));
      }
    });
  });
}

async function answer(keeper: StoreKeeper, ask: StoreAsk): Promise<StoreAnswer> {
  try {
    const isThere = ask.word === "seal" && (await keeper.seal(ask.request));
    if (ask.word === "stop") await keeper.close();
    return { id: ask.id, figures: keeper.figures, isThere };
  } catch (error) {
    return failure(ask.id, error);
  }
}

function failure(id: number, error: unknown): StoreAnswer {
  const { name } = error as Error;
  // A fault of this program is no answer: the process ends with it, and another one begins.
  if (name === "AssertionError" || name === "TypeError") throw error;
  return { id, error: { name, message: inWords(error) } };
}

class StoreKeeper {
  readonly #machine: Machine;
  readonly #objects: Objects;
  readonly #index: FingerprintIndex;
  readonly #store: SegmentStore;

  private constructor(machine: Machine, objects: Objects, index: FingerprintIndex, store: SegmentStore) {
    this.#machine = machine;
    this.#objects = objects;
    this.#index = index;
    this.#store = store;
  }

  static async open(machine: Machine, { folder, indexFolder, wrappingKey }: StoreSettings): Promise<StoreKeeper> {
    const { files, clock, randomness, log, bootId } = machine;
    const objects = await FolderObjects.open(machine, folder);
    try {
      files.makeFolder(indexFolder);
      await keepName(files, indexFolder);
      const { id, keys } = await openStore(objects, machine, receivedKey(wrappingKey));
      const ports = { files, log, bootId, clock, randomness };
      const store = Buffer.from(id, "hex");
      const index = await openFingerprintIndex({ ...ports, maps: lmdbMaps, folder: indexFolder, store });
      const fingerprints = keys === undefined ? plainFingerprints : keyedFingerprints(keys.fingerprintKey);
      const parts = { objects, index, fingerprints, key: keys?.storeKey, clock, randomness, log };
      const segments = await SegmentStore.open(parts);
      await segments.catchUp();
      return new StoreKeeper(machine, objects, index, segments);
    } catch (error) {
      await objects.close();
      throw error;
    }
  }

  get figures(): SegmentStore["figures"] {
    return this.#store.figures;
  }

  /** Whether the store has the segment then: there may be nothing in it. */
  async seal({ group, folder, segment }: SealRequest): Promise<boolean> {
    const { files } = this.#machine;
    const source = new ClosedSegmentFiles({ files, folder: new JournalFolder(folder), group, segment });
    try {
      await this.#store.seal(source, { group, level: everyWriteLevel });
      return this.#store.segments.has(segment);
    } finally {
      source.close();
    }
  }

  async close(): Promise<void> {
    await this.#index.close();
    await this.#objects.close();
  }
}
