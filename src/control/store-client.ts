/**
 * The store as the remote side has it: what is to be sealed goes to a process of its own, which is started when there is
 * something to seal, and again when it has died; what is sealed is read here.
 */
import type { RecordsRequest, Sealer, SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import type { Log } from "#src/host/log.ts";
import type { Machine } from "#src/host/machine.ts";
import { CrashError, type Thread } from "#src/host/thread.ts";
import { newestPiece } from "#src/journals/newest-piece.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import type { SealFigures } from "#src/store/segment-store.ts";
import { readStoreDocument } from "#src/store/store-document-copies.ts";
import { openKeys } from "#src/store/store-keys.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";
import { receivedError } from "./store-errors.ts";
import type { StoreAnswer, StoreAsk, StoreWord, StoreWords } from "./store-words.ts";

export interface StoreClientParts {
  readonly machine: Machine;
  /** Of the objects. */
  readonly folder: string;
  readonly startKeeper: (isIndexSuspect: boolean) => Thread;
  /** Undefined: the store is not encrypted. */
  readonly wrappingKey: WrappingKey | undefined;
}

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

const nothing: SealFigures = { segmentCount: 0, logicalBytes: 0, uniqueBytes: 0, physicalBytes: 0, damagedBlocks: 0 };

export class StoreClient implements Sealer {
  readonly blocks: BlockReader;
  readonly #segments: SealedSegments;
  readonly #objects: ReadableObjects;
  readonly #startKeeper: (isIndexSuspect: boolean) => Thread;
  readonly #log: Log;
  readonly #key: () => Promise<Buffer | undefined>;
  readonly #pending = new Map<number, Pending>();
  #keeper: Thread | undefined;
  #lastId = 0;
  #figures = nothing;
  #isIndexSuspect = false;
  /** It has met what a person must see. */
  #isDoubted = false;
  #ending: Promise<void> | undefined;
  #isStopped = false;

  private constructor(
    { machine, startKeeper }: StoreClientParts,
    objects: ReadableObjects,
    segments: SealedSegments,
    key: () => Promise<Buffer | undefined>,
  ) {
    this.#key = key;
    this.#startKeeper = startKeeper;
    this.#log = machine.log;
    this.#objects = objects;
    this.#segments = segments;
    this.blocks = new BlockReader(segments);
  }

  static async open(parts: StoreClientParts): Promise<StoreClient> {
    const objects = FolderObjects.openToRead(parts.machine, parts.folder);
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
    const { figures, isThere } = await this.#ask("seal", request);
    this.#figures = figures;
    if (isThere) this.#segments.published({ segment: request.segment, generation: 0 });
  }

  async storedSeq(group: string): Promise<number> {
    return (await newestPiece(this.#objects, group, await this.#key()))?.numbers.lastSeq ?? 0;
  }

  async sealRecords(request: RecordsRequest): Promise<number> {
    return (await this.#ask("sealRecords", request)).storedSeq;
  }

  #ask<Word extends StoreWord>(word: Word, ask: StoreWords[Word]["ask"]): Promise<StoreWords[Word]["answer"]> {
    if (this.#isStopped) return Promise.reject(new RetryError("the store is closed"));
    // One that is about to end would take it with it.
    if (this.#ending !== undefined) return this.#ending.then(() => this.#ask(word, ask));
    this.#keeper ??= this.#started();
    return this.#askOf(this.#keeper, word, ask);
  }

  #askOf<Word extends StoreWord>(
    keeper: Thread,
    word: Word,
    ask: StoreWords[Word]["ask"],
  ): Promise<StoreWords[Word]["answer"]> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<StoreWords[Word]["answer"]>();
    this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
    keeper.send({ id, word, ask } satisfies StoreAsk);
    return promise;
  }

  #started(): Thread {
    const keeper = this.#startKeeper(this.#isIndexSuspect);
    this.#isIndexSuspect = false;
    this.#isDoubted = false;
    keeper.receive((message) => this.#answered(message as StoreAnswer));
    void keeper.ended.then((error) => this.#ended(error));
    return keeper;
  }

  #answered(answer: StoreAnswer): void {
    const pending = this.#pending.get(answer.id);
    // Of one that has ended meanwhile.
    if (pending === undefined) return;
    this.#pending.delete(answer.id);
    if ("error" in answer) {
      const error = receivedError(answer.error);
      pending.reject(error);
      this.#isDoubted ||= error instanceof StopError;
    } else pending.resolve(answer.answer);
    // It may not know any more what is there; the next one looks. What others have asked of it goes before.
    if (this.#isDoubted && this.#pending.size === 0) void this.#endKeeper();
  }

  /** What it was asked for and had not done is asked for again, of the next one. */
  #ended(error: Error | undefined): void {
    this.#keeper = undefined;
    this.#isIndexSuspect = error instanceof CrashError;
    if (error !== undefined) this.#log.error("the process that keeps the store has ended", { error });
    const why = new RetryError(`the process that keeps the store has ended: ${error?.message ?? "it was told to"}`);
    for (const { reject } of this.#pending.values()) reject(why);
    this.#pending.clear();
  }

  /** In good order, unless it is at work. */
  #endKeeper(): Promise<void> {
    if (this.#keeper === undefined) return Promise.resolve();
    this.#ending ??= this.#end(this.#keeper).finally(() => {
      this.#ending = undefined;
    });
    return this.#ending;
  }

  async #end(keeper: Thread): Promise<void> {
    if (this.#pending.size === 0) await this.#askOf(keeper, "stop", null).catch(() => {});
    keeper.end();
    await keeper.ended;
  }

  /** Nothing is sealed any more. What is being sealed is left as it is: it is begun anew next time. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#endKeeper();
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
