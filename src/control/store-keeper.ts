/** The process that keeps a store: the one writer of its objects, and the only one that has the index open. */
import { join } from "node:path";
import type { SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { isOwnFault } from "#src/core/assert.ts";
import { indexCatchUpCountMax, indexMendPauseMs, storeCountPauseMs } from "#src/core/store-limits.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import type { Machine } from "#src/host/machine.ts";
import { faultHook } from "#src/host/node/faults.ts";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { giveBackStartMemory } from "#src/host/node/start-memory.ts";
import { setPartEffort } from "#src/host/part-compression.ts";
import { keepName } from "#src/host/publish.ts";
import type { SortedMaps } from "#src/host/sorted-map.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import { everyWriteLevel } from "#src/journals/data-journal.ts";
import { type ConfirmRequest, confirmSealed } from "#src/journals/journal-confirmation.ts";
import { JournalCopies } from "#src/journals/journal-copies.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import type { JournalStart } from "#src/journals/journal-start.ts";
import { SealedJournals, type SealedPart } from "#src/journals/sealed-journals.ts";
import { StoreScrub } from "#src/journals/store-scrub.ts";
import { readVolumeNames } from "#src/journals/volume-names.ts";
import { Collection } from "#src/store/collection.ts";
import { distrustIndex } from "#src/store/index-folder.ts";
import { type FingerprintIndexParts, openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import { noNames } from "#src/store/scrub-finding.ts";
import type { SealHelpers } from "#src/store/seal-helpers.ts";
import type { SealThreadSettings } from "#src/store/seal-threads.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { openStore } from "#src/store/store-opening.ts";
import { StoreTotals } from "#src/store/store-totals.ts";
import { CancelledError, type WorkControl } from "#src/store/work-control.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import { readHistory } from "#src/synth/history-document.ts";
import { LiveHistory } from "#src/synth/live-history.ts";
import { StoredSnapshotBlocks } from "#src/synth/stored-snapshot-blocks.ts";
import { ageingPolicy } from "./ageing-setting.ts";
import { FoldLane } from "./fold-lane.ts";
import { roleFolder } from "./folder-layout.ts";
import { GroupFolders } from "./group-folders.ts";
import { hookedObjects } from "./hooked-objects.ts";
import { keeperCounts } from "./keeper-counts.ts";
import { type Keeper, KeeperDesk } from "./keeper-desk.ts";
import { assertBound, heldObjects, openedFolder } from "./keeper-opening.ts";
import { KeeperRecalls } from "./keeper-recalls.ts";
import { type HistoryWindow, KeptHistories } from "./kept-histories.ts";
import { LostSums } from "./lost-sums.ts";
import { otherDocuments } from "./other-documents.ts";
import { startSealHelp } from "./seal-help.ts";
import { sideMachine } from "./side-machine.ts";
import { SnapshotDesk } from "./snapshot-desk.ts";
import { SnapshotLane } from "./snapshot-lane.ts";
import { addStoreKey, type KeyFacts, type KeyOrderParts, listKeys, removeStoreKey } from "./store-key-orders.ts";
import { reserveOf, roomOf } from "./store-room.ts";
import { collectionFacts, type StoreState, scrubFacts } from "./store-state.ts";
import { receivedKey, type SentKey, type StoreSettings, type StoreWords } from "./store-words.ts";
import type { WorkRequest, WorkResult } from "./store-work.ts";
import { type OpenStore, workOn, workRate } from "./store-works.ts";
import { keptVolumes } from "./volume-quotas.ts";

/** What the process stands on. */
export interface KeeperGround {
  readonly machine: Machine;
  readonly maps: SortedMaps;
  readonly indexBounds?: Pick<FingerprintIndexParts, "filterBytesMax" | "gatherBytesMax">;
  /** Undefined: it seals without help. */
  readonly startSealHelp?: (settings: SealThreadSettings) => SealHelpers;
  /** The store is open. */
  readonly opened?: () => void;
}

export function runThread(line: MessageLine, settings: StoreSettings): void {
  const machine = sideMachine(settings.config, "store");
  keepStore(line, settings, { machine, maps: lmdbMaps, startSealHelp, opened: giveBackStartMemory });
}

/** All that the process does; with another ground under it it runs elsewhere too. */
export function keepStore(line: MessageLine, settings: StoreSettings, ground: KeeperGround): void {
  setPartEffort(settings.config.store.compress);
  const recalls = new KeeperRecalls(line);
  new KeeperDesk({
    line,
    clock: ground.machine.clock,
    open: async () => {
      const keeper = await StoreKeeper.open(ground, settings, recalls);
      ground.opened?.();
      return keeper;
    },
    bytesPerSecondMax: (kind) => workRate(settings.config, kind),
  });
}

/** What nobody has asked for does not end the process. */
function toldWhenFailed(
  { log }: Machine,
  words: string,
  work: (control: WorkControl) => Promise<void>,
): (control: WorkControl) => Promise<void> {
  return async (control) => {
    try {
      await work(control);
    } catch (error) {
      if (isOwnFault(error) || error instanceof CancelledError) throw error;
      log.warn(words, { error });
    }
  };
}

class StoreKeeper implements Keeper {
  readonly #open: OpenStore;
  readonly #pieces: SealedJournals;
  /** Segments that the index did not know when it was opened, where they are too many to be read at once. */
  #missingCount: number;
  readonly #wrappingKey: WrappingKey | undefined;
  #mendAfterMs = 0;
  #countAfterMs = 0;
  #countedMs: number | undefined;
  #windows: readonly HistoryWindow[] = [];
  #names = noNames;
  readonly #lane: SnapshotLane;
  readonly #folds: FoldLane;
  readonly #snapshots: SnapshotDesk;
  readonly #recalls: KeeperRecalls;
  readonly #lostSums: LostSums;
  #sealingCount = 0;
  #steps = 0;

  private constructor(
    open: OpenStore,
    pieces: SealedJournals,
    missingCount: number,
    wrappingKey: WrappingKey | undefined,
    recalls: KeeperRecalls,
  ) {
    const { machine, config, objects, key, histories } = open;
    const { everySeconds, everyRecords } = config.store.snapshots;
    this.#lane = new SnapshotLane({
      clock: machine.clock,
      log: machine.log,
      policy: { everyMicros: everySeconds * 1e6, everyRecords },
      historyOf: (group) => histories.of(group),
      isSealing: () => this.#sealingCount > 0,
    });
    this.#folds = new FoldLane({
      ...{ clock: machine.clock, log: machine.log, marks: ageingPolicy(config).marks },
      historyOf: (group) => histories.of(group),
      isSealing: () => this.#sealingCount > 0,
      bytesPerSecondMax: config.store.collect.bytesPerSecond,
    });
    this.#snapshots = new SnapshotDesk({ objects, key, histories, lane: this.#lane });
    this.#wrappingKey = wrappingKey;
    this.#recalls = recalls;
    this.#lostSums = new LostSums({ machine, recall: recalls.ask });
    this.#open = open;
    this.#pieces = pieces;
    this.#missingCount = missingCount;
  }

  static async open(ground: KeeperGround, settings: StoreSettings, recalls: KeeperRecalls): Promise<StoreKeeper> {
    const objects = await openedFolder(ground.machine, settings.folder);
    try {
      return await StoreKeeper.#over(objects, ground, settings, recalls);
    } catch (error) {
      await objects.close();
      throw error;
    }
  }

  static async #over(
    folderObjects: Objects,
    ground: KeeperGround,
    settings: StoreSettings,
    recalls: KeeperRecalls,
  ): Promise<StoreKeeper> {
    const { machine, maps, indexBounds } = ground;
    const { files, clock, randomness, log, bootId } = machine;
    const { indexFolder: folder, isIndexSuspect } = settings;
    const wrappingKey = receivedKey(settings.wrappingKey);
    files.makeFolder(folder);
    await keepName(files, folder);
    await assertBound(folderObjects, settings.binding?.store);
    const { id, keys } = await openStore(folderObjects, machine, wrappingKey);
    const held = await heldObjects(folderObjects, machine, settings.binding?.holder);
    const objects = hookedObjects(held, faultHook(settings.config.faults));
    const { gather: gatherBytesMax, filter: filterBytesMax } = settings.config.store.index;
    const bounds = { gatherBytesMax, filterBytesMax, ...indexBounds };
    const indexParts = { ...{ files, log, bootId, clock, randomness }, ...bounds, maps, folder };
    if (isIndexSuspect) await distrustIndex(indexParts);
    const index = await openFingerprintIndex({ ...indexParts, store: Buffer.from(id, "hex") });
    try {
      const fingerprints = keys === undefined ? plainFingerprints : keyedFingerprints(keys.fingerprintKey);
      const key = keys?.storeKey;
      const effort = settings.config.store.compress;
      const helpers = ground.startSealHelp?.({ fingerprintKey: keys?.fingerprintKey, effort });
      const store = await SegmentStore.open({ objects, index, fingerprints, helpers, key, clock, randomness, log });
      const missingCount = (await store.missing()).length;
      // Many of them are read beside sealing, which keeps blocks that the store has already until then.
      const isMuch = missingCount > indexCatchUpCountMax;
      if (!isMuch) await store.catchUp();
      const hasSegment = (segment: number) => store.segments.has(segment);
      const pieces = new SealedJournals({ machine, objects, key, hasSegment });
      const { config } = settings;
      const folders = new GroupFolders(files, join(roleFolder(config, "remote"), "groups"));
      const totals = new StoreTotals();
      const reserve = reserveOf(machine, settings, totals, store.segments);
      const histories = new KeptHistories({
        ...{ machine, objects, key, reserve, ageing: ageingPolicy(config) },
        keepMs: config.store.retention.keepSeconds * 1000,
        room: () => roomOf(settings.folder, totals),
      });
      const liveParts = { objects, key, segmentsWithFiles: async () => folders.segmentsWithFiles() };
      const collection = await Collection.open({
        ...{ objects, index, fingerprints, key, clock, randomness, log, store, files },
        live: new LiveHistory(liveParts),
        indexFolder: folder,
        reserve,
        graceMs: config.store.collect.graceSeconds * 1000,
      });
      const scrub = await StoreScrub.open({
        ...{ objects, store, index, fingerprints, key, clock, randomness, log },
        // What a crash left may lie in the latest segment of a journal that nobody writes to any more.
        live: new LiveHistory({ ...liveParts, checkpoints: () => folders.checkpoints() }),
        snapshots: new StoredSnapshotBlocks({ objects, key }),
        copies: new JournalCopies(files, () => folders.all()),
        recall: recalls.ask,
        walkFrom: (group, seq) => folders.walkFrom(group, seq),
        oldestSeq: (group) => histories.oldestSeq(group),
        otherDocuments: otherDocuments(settings.binding !== undefined),
        // Who reads finds the next generation when he misses the one that he knew.
        published: () => {},
      });
      const open = { machine, config, objects, key, index, store, totals, reserve, histories, collection, scrub };
      return new StoreKeeper(open, pieces, isMuch ? missingCount : 0, wrappingKey, recalls);
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  get steps(): number {
    return this.#steps;
  }

  readonly seal = async (request: SealRequest): Promise<StoreWords["seal"]["answer"]> => {
    const { machine, store, scrub } = this.#open;
    const { group, folder, segment } = request;
    const { damagedBlocks } = store.figures;
    const closed = new ClosedSegmentFiles({ files: machine.files, folder: new JournalFolder(folder), group, segment });
    this.#sealingCount++;
    try {
      const source = await this.#lostSums.sourceOf(closed, request, () => this.#steps++);
      await store.seal(source, { group, level: everyWriteLevel });
      if (store.figures.damagedBlocks > damagedBlocks) scrub.sealedDamaged(segment, group);
      return { figures: store.figures, isThere: store.segments.has(segment) };
    } finally {
      this.#sealingCount--;
      closed.close();
    }
  };

  get state(): StoreState {
    const { scrub, collection, totals, config } = this.#open;
    return {
      sizes: totals.sizes,
      sizesMs: this.#countedMs,
      windows: this.#windows,
      kept: keptVolumes(collection.document, this.#names, config.store),
      synthesis: this.#lane.figures,
      scrub: scrubFacts(scrub.state),
      collection: collectionFacts(collection.document),
      counts: keeperCounts(this.#open, this.#lane),
    };
  }

  readonly wake = async (): Promise<null> => null;

  ownWork(): ((control: WorkControl) => Promise<void>) | undefined {
    const nowMs = this.#open.machine.clock.monotonicMs();
    return this.#suspectWork() ?? this.#indexWork(nowMs) ?? this.#countingWork(nowMs);
  }

  readonly suspect = async ({ segment }: StoreWords["suspect"]["ask"]): Promise<null> => {
    this.#open.scrub.suspect(segment);
    return null;
  };

  get recalled() {
    return this.#recalls.answered;
  }

  #suspectWork(): ((control: WorkControl) => Promise<void>) | undefined {
    const { machine, scrub } = this.#open;
    if (!scrub.hasSuspects) return undefined;
    const words = "what a read has found damaged could not be looked at";
    return toldWhenFailed(machine, words, (control) => scrub.checkSuspects(control));
  }

  #countingWork(nowMs: number): ((control: WorkControl) => Promise<void>) | undefined {
    if (nowMs < this.#countAfterMs) return undefined;
    this.#countAfterMs = nowMs + storeCountPauseMs;
    const { machine, objects, store, totals, reserve, histories } = this.#open;
    return toldWhenFailed(machine, "what the store holds could not be counted", async (control) => {
      await totals.count(objects, store.segments, control);
      this.#countedMs = machine.clock.wallMs();
      await reserve.refill();
      this.#windows = await histories.windows();
      this.#names = await readVolumeNames(objects);
    });
  }

  /** An index that was lost meanwhile is made anew, now and then: for want of room that may fail again and again. */
  #indexWork(nowMs: number): ((control: WorkControl) => Promise<void>) | undefined {
    const { machine, index, store } = this.#open;
    const isBehind = this.#missingCount > 0 || index.state.isIncomplete;
    if (!isBehind || nowMs < this.#mendAfterMs) return undefined;
    this.#mendAfterMs = nowMs + indexMendPauseMs;
    return toldWhenFailed(machine, "the index of the store could not be brought up to date", async (control) => {
      await store.catchUp(control);
      this.#missingCount = 0;
    });
  }

  readonly keys = (): Promise<readonly KeyFacts[]> => listKeys(this.#keyParts);

  readonly addKey = (next: SentKey): Promise<string> => {
    return addStoreKey(this.#keyParts, WrappingKey.parse(Buffer.from(next.text), next.from));
  };

  readonly removeKey = async ({ copyId }: { readonly copyId: string }): Promise<null> => {
    await removeStoreKey(this.#keyParts, copyId);
    return null;
  };

  get #keyParts(): KeyOrderParts {
    const { objects, machine } = this.#open;
    return { objects, randomness: machine.randomness, wrappingKey: this.#wrappingKey };
  }

  work(request: WorkRequest, control: WorkControl): Promise<WorkResult> {
    return workOn(this.#open, request, control).finally(() => {
      // Most of them change what there is.
      this.#countAfterMs = 0;
    });
  }

  readonly confirmRecords = async (request: ConfirmRequest): Promise<JournalStart> => {
    const { machine, objects, key } = this.#open;
    const expired = (await readHistory(objects, request.group)).document.behind;
    return await confirmSealed({ files: machine.files, objects, key, expired }, request);
  };

  readonly sealRecords = async (request: SealedPart): Promise<StoreWords["sealRecords"]["answer"]> => {
    this.#sealingCount++;
    try {
      return { storedSeq: await this.#pieces.sealUpTo(request) };
    } finally {
      this.#sealingCount--;
      this.#lane.sealed(request.known.id);
      if (request.known.volumes.some(({ level = everyWriteLevel }) => level > everyWriteLevel)) {
        this.#folds.sealed(request.known.id);
      }
    }
  };

  get snapshots() {
    return this.#snapshots.snapshots;
  }

  get makeSnapshot() {
    return this.#snapshots.makeSnapshot;
  }

  get removeSnapshot() {
    return this.#snapshots.removeSnapshot;
  }

  get inspectSnapshot() {
    return this.#snapshots.inspectSnapshot;
  }

  readonly pin = async ({ group, pin }: StoreWords["pin"]["ask"]): Promise<null> => {
    await this.#open.histories.of(group).pin(pin);
    return null;
  };

  readonly unpin = async ({ group, id }: StoreWords["unpin"]["ask"]): Promise<null> => {
    await this.#open.histories.of(group).unpin(id);
    return null;
  };

  readonly stop = async (): Promise<null> => {
    await this.#lane.stop();
    await this.#folds.stop();
    await this.#open.index.close();
    await this.#open.objects.close();
    return null;
  };
}
