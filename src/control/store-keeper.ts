/** The process that keeps a store: the one writer of its objects, and the only one that has the index open. */
import type { RecordsRequest, SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { isOwnFault } from "#src/core/assert.ts";
import { indexMendPauseMs } from "#src/core/store-limits.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import type { Machine } from "#src/host/machine.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { keepName } from "#src/host/publish.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import { everyWriteLevel } from "#src/journals/data-journal.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { SealedJournals } from "#src/journals/sealed-journals.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { distrustIndex } from "#src/store/index-folder.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { openStore } from "#src/store/store-opening.ts";
import { sideMachine } from "./side-machine.ts";
import { sentError } from "./store-errors.ts";
import {
  receivedKey,
  type StoreActions,
  type StoreAnswer,
  type StoreAsk,
  type StoreSettings,
  type StoreWords,
} from "./store-words.ts";

export function runThread(line: MessageLine, settings: StoreSettings): void {
  const machine = sideMachine(settings.config, "store");
  let keeper: StoreKeeper | undefined;
  const act = async ({ word, ask }: StoreAsk): Promise<unknown> => {
    if (word === "stop" && keeper === undefined) return null;
    // After an opening that failed the next one tries again.
    keeper ??= await StoreKeeper.open(machine, settings);
    return (keeper[word] as (ask: unknown) => Promise<unknown>)(ask);
  };
  let turn: Promise<void> = Promise.resolve();
  line.receive((message) => {
    // One after the other.
    turn = turn.then(async () => line.send(await outcome(message as StoreAsk, act)));
  });
}

async function outcome(ask: StoreAsk, act: (ask: StoreAsk) => Promise<unknown>): Promise<StoreAnswer> {
  try {
    return { id: ask.id, answer: await act(ask) };
  } catch (error) {
    // A fault of this program is no answer: the process ends with it, and another one begins.
    if (isOwnFault(error)) throw error;
    return { id: ask.id, error: sentError(error) };
  }
}

class StoreKeeper implements StoreActions {
  readonly #machine: Machine;
  readonly #objects: Objects;
  readonly #index: FingerprintIndex;
  readonly #store: SegmentStore;
  readonly #pieces: SealedJournals;
  #mendAfterMs = 0;

  private constructor(
    machine: Machine,
    objects: Objects,
    index: FingerprintIndex,
    store: SegmentStore,
    pieces: SealedJournals,
  ) {
    this.#machine = machine;
    this.#objects = objects;
    this.#index = index;
    this.#store = store;
    this.#pieces = pieces;
  }

  static async open(machine: Machine, settings: StoreSettings): Promise<StoreKeeper> {
    const objects = await FolderObjects.open(machine, settings.folder);
    try {
      return await StoreKeeper.#over(objects, machine, settings);
    } catch (error) {
      await objects.close();
      throw error;
    }
  }

  static async #over(objects: Objects, machine: Machine, settings: StoreSettings): Promise<StoreKeeper> {
    const { files, clock, randomness, log, bootId } = machine;
    const { indexFolder: folder, wrappingKey, isIndexSuspect } = settings;
    files.makeFolder(folder);
    await keepName(files, folder);
    const { id, keys } = await openStore(objects, machine, receivedKey(wrappingKey));
    const indexParts = { ...{ files, log, bootId, clock, randomness }, maps: lmdbMaps, folder };
    if (isIndexSuspect) await distrustIndex(indexParts);
    const index = await openFingerprintIndex({ ...indexParts, store: Buffer.from(id, "hex") });
    try {
      const fingerprints = keys === undefined ? plainFingerprints : keyedFingerprints(keys.fingerprintKey);
      const parts = { objects, index, fingerprints, key: keys?.storeKey, clock, randomness, log };
      const store = await SegmentStore.open(parts);
      await store.catchUp();
      return new StoreKeeper(machine, objects, index, store, new SealedJournals(machine, objects, keys?.storeKey));
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  readonly seal = async ({ group, folder, segment }: SealRequest): Promise<StoreWords["seal"]["answer"]> => {
    const { files } = this.#machine;
    const source = new ClosedSegmentFiles({ files, folder: new JournalFolder(folder), group, segment });
    try {
      await this.#store.seal(source, { group, level: everyWriteLevel });
      return { figures: this.#store.figures, isThere: this.#store.segments.has(segment) };
    } finally {
      source.close();
      await this.#mendIndex();
    }
  };

  /** An index that was lost meanwhile is made anew, now and then: for want of room that may fail again and again. */
  async #mendIndex(): Promise<void> {
    const nowMs = this.#machine.clock.monotonicMs();
    if (!this.#index.state.isIncomplete || nowMs < this.#mendAfterMs) return;
    this.#mendAfterMs = nowMs + indexMendPauseMs;
    await this.#store.catchUp();
  }

  readonly sealRecords = async (request: RecordsRequest): Promise<StoreWords["sealRecords"]["answer"]> => {
    return { storedSeq: await this.#pieces.sealUpTo(request) };
  };

  readonly stop = async (): Promise<null> => {
    await this.#index.close();
    await this.#objects.close();
    return null;
  };
}
