/**
 * The store as the remote side has it: what is to be sealed goes to a process of its own, which is started when there is
 * something to seal, and again when it has died; what is sealed is read here.
 */
import type { Sealer, SealRequest } from "#src/appliance/remote/group-sealing.ts";
import type { Machine } from "#src/host/machine.ts";
import type { ConfirmRequest } from "#src/journals/journal-confirmation.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import type { JournalStart } from "#src/journals/journal-start.ts";
import { newestPiece } from "#src/journals/newest-piece.ts";
import type { Recall } from "#src/journals/recalled-copies.ts";
import type { SealedPart } from "#src/journals/sealed-journals.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { MetDamage } from "#src/store/met-damage.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import type { SealFigures } from "#src/store/segment-store.ts";
import { readStoreDocument } from "#src/store/store-document-copies.ts";
import { openKeys } from "#src/store/store-keys.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";
import { type HistoryPin, readHistory } from "#src/synth/history-document.ts";
import { keptRecords } from "#src/synth/kept-records.ts";
import { KeeperProcess, type StartKeeper } from "./keeper-process.ts";
import type { NamesDoubt } from "./names-doubt.ts";
import type { StoreBinding } from "./store-binding.ts";
import type { KeyFacts } from "./store-key-orders.ts";
import type { StoreState } from "./store-state.ts";
import { sentKey } from "./store-words.ts";
import type { WorkNews, WorkRequest, WorkResult } from "./store-work.ts";

export interface StoreClientParts {
  readonly machine: Machine;
  /** Of the objects. */
  readonly folder: string;
  readonly startKeeper: StartKeeper;
  /** Undefined: the store is not encrypted. */
  readonly wrappingKey: WrappingKey | undefined;
  /** Undefined: what a new process finds is always relied on. */
  readonly doubt?: NamesDoubt;
  /** The disk of the store is full. */
  readonly lackedRoom?: () => void;
  /** Undefined: any store will do. */
  readonly binding?: StoreBinding;
  /** Asks a local appliance for what the store has lost. */
  readonly recall?: Recall;
}

const nothing: SealFigures = { segmentCount: 0, logicalBytes: 0, uniqueBytes: 0, physicalBytes: 0, damagedBlocks: 0 };

export class StoreClient implements Sealer {
  readonly blocks: BlockReader;
  readonly #segments: SealedSegments;
  readonly #met: MetDamage;
  readonly #objects: FolderObjects;
  readonly #keeper: KeeperProcess;
  readonly #doubt: NamesDoubt | undefined;
  readonly #key: () => Promise<Buffer | undefined>;
  readonly #binding: StoreBinding | undefined;
  #figures = nothing;

  private constructor(
    { machine, startKeeper, binding, doubt, lackedRoom, recall }: StoreClientParts,
    objects: FolderObjects,
    segments: SealedSegments,
    key: () => Promise<Buffer | undefined>,
  ) {
    this.#key = key;
    this.#doubt = doubt;
    this.#binding = binding;
    this.#keeper = new KeeperProcess({ start: startKeeper, machine, doubt, lackedRoom, recall });
    this.#objects = objects;
    this.#segments = segments;
    this.#met = new MetDamage(machine.clock, (segment) => this.#tellDamage(segment));
    this.blocks = new BlockReader(segments, this.#met.note);
  }

  static async open(parts: StoreClientParts): Promise<StoreClient> {
    const { machine, folder, doubt } = parts;
    let client: StoreClient | undefined;
    const objects = FolderObjects.openToRead(machine, folder, ({ message }) => {
      void doubt?.note(message);
      if (client !== undefined) client.#keeper.distrust();
    });
    const opening = () => StoreClient.#over(objects, parts);
    client = await (doubt === undefined ? opening() : doubt.heed(opening));
    return client;
  }

  static async #over(objects: FolderObjects, parts: StoreClientParts): Promise<StoreClient> {
    // The first process that writes makes what says that it is encrypted; then there is nothing to read yet.
    let known = await encryptionOf(objects, parts.wrappingKey);
    const key = async () => {
      known ??= await encryptionOf(objects, parts.wrappingKey);
      return known?.key;
    };
    const segments = await SealedSegments.open(objects, async (identity) =>
      SegmentFile.open(objects, identity, await key()),
    );
    return new StoreClient(parts, objects, segments, key);
  }

  /** What else can be asked of the process. */
  get keeper(): Pick<KeeperProcess, "ask"> {
    return this.#keeper;
  }

  /** Of what the process has sealed since it was started. */
  get figures(): SealFigures {
    return this.#figures;
  }

  /** Sealed segments that the store has. */
  get segmentCount(): number {
    return this.#segments.count;
  }

  get newestSegment(): number {
    return this.#segments.newest;
  }

  async seal(request: SealRequest): Promise<void> {
    const { figures, isThere } = await this.#believed(this.#keeper.ask("seal", request));
    this.#figures = figures;
    if (!isThere) return;
    this.#segments.published({ segment: request.segment, generation: 0 });
    // It may have been sealed anew.
    await this.#segments.lookFor(request.segment);
    await this.#binding?.note(this.#objects);
  }

  /** A read has met damage there, here or in another process that reads the store: it is looked at next. */
  metDamage(segment: number): void {
    this.#met.note(segment);
  }

  /** Whoever reads does not wait for it, and is not told if it comes to nothing: the scrub comes by in its turn. */
  #tellDamage(segment: number): void {
    if (this.trouble === undefined) this.#keeper.ask("suspect", { segment }).catch(() => {});
  }

  async *records(group: string, afterSeq: number): AsyncGenerator<JournalRecord, void> {
    yield* keptRecords({ objects: this.#objects, group, key: await this.#key() }, afterSeq);
  }

  async storedSeq(group: string): Promise<number> {
    this.#binding?.assertSound();
    return (await newestPiece(this.#objects, group, await this.#key()))?.numbers.lastSeq ?? 0;
  }

  confirmRecords(request: ConfirmRequest): Promise<JournalStart> {
    return this.#believed(this.#keeper.ask("confirmRecords", request));
  }

  /** Not before it is known that no sync of this side was told what one of the process should have been. */
  async #believed<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked;
    await this.#objects.assertNamesKnown();
    return answer;
  }

  async sealRecords(request: SealedPart): Promise<number> {
    const { storedSeq } = await this.#believed(this.#keeper.ask("sealRecords", request));
    await this.#binding?.note(this.#objects);
    return storedSeq;
  }

  /** Rejects as `seal` does, and with a `CancelledError` where it was told to end. */
  work(request: WorkRequest): Promise<WorkResult> {
    return this.#keeper.ask("work", request);
  }

  /** Durable when it resolves. */
  async pin(group: string, pin: HistoryPin): Promise<void> {
    await this.#believed(this.#keeper.ask("pin", { group, pin }));
    await this.#binding?.note(this.#objects);
  }

  async unpin(group: string, id: string): Promise<void> {
    await this.#keeper.ask("unpin", { group, id });
  }

  /** What holds points of the group. */
  async pins(group: string): Promise<readonly HistoryPin[]> {
    return (await readHistory(this.#objects, group)).document.pins;
  }

  keys(): Promise<readonly KeyFacts[]> {
    return this.#keeper.ask("keys", null);
  }

  /** Answers the id of the copy of the store's keys that it opens. */
  addKey(key: WrappingKey): Promise<string> {
    return this.#believed(this.#keeper.ask("addKey", sentKey(key)));
  }

  async removeKey(copyId: string): Promise<void> {
    await this.#believed(this.#keeper.ask("removeKey", { copyId }));
  }

  /** The work answers for itself when it has. */
  async endWork(): Promise<void> {
    await this.#keeper.ask("endWork", null);
  }

  /** Opens it where there is something in it, so that it is known what is there, and what is wrong with it. */
  async wake(): Promise<void> {
    if (this.segmentCount > 0) await this.#keeper.ask("wake", null);
  }

  /** Undefined: it was not told yet. */
  get state(): StoreState | undefined {
    return this.#keeper.state;
  }

  get workNews(): WorkNews | undefined {
    return this.#keeper.work;
  }

  /** Why nothing gets done, in words. */
  get trouble(): string | undefined {
    return this.#binding?.trouble ?? this.#doubt?.trouble ?? this.#keeper.trouble;
  }

  /** Somebody says that what the system shows of the store is what its disk has. */
  trustNames(): void {
    this.#objects.trustNames();
    this.#doubt?.clear();
  }

  /** Nothing is sealed any more, nor worked. */
  async stop(): Promise<void> {
    await this.#keeper.stop();
  }

  /** Nothing is read any more either. */
  async close(): Promise<void> {
    await this.#objects.close();
  }
}

interface StoreEncryption {
  /** Undefined: there is none. */
  readonly key: Buffer | undefined;
}

/** Undefined: nobody has made the store yet. Throws a `RefuseError` where it has another key, or none. */
async function encryptionOf(
  objects: ReadableObjects,
  wrappingKey: WrappingKey | undefined,
): Promise<StoreEncryption | undefined> {
  const document = await readStoreDocument(objects);
  return document === undefined ? undefined : { key: openKeys(document, wrappingKey)?.keys.storeKey };
}
