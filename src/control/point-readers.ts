/**
 * The points of groups as a process reads them that is neither the remote appliance nor the one that keeps its store: of the
 * objects and the journals as they lie there.
 */
import { join } from "node:path";
import { RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import {
  crewDirectoryCacheBytes,
  crewFrameCacheBytes,
  crewThreadCount,
  pointFrameCacheBytes,
} from "#src/core/crew-limits.ts";
import { pointPagesBytes } from "#src/core/point-limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { PieceCrew } from "#src/store/piece-crew.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { readStoreDocument } from "#src/store/store-document-copies.ts";
import { openKeys } from "#src/store/store-keys.ts";
import { type GroupPoints, type OpenJournal, openGroupPoints } from "#src/synth/group-points.ts";
import { KeptPages } from "#src/synth/kept-pages.ts";
import type { Config } from "./config-schema.ts";
import { startPieceThread } from "./piece-thread.ts";
import { receivedKey, type SentKey } from "./store-words.ts";

export interface PointReadersPlace {
  /** Of the objects. */
  readonly storeFolder: string;
  /** Where each group has its journals. */
  readonly groupsFolder: string;
  /** Of the store; undefined: it is not encrypted. */
  readonly wrappingKey: SentKey | undefined;
  /** Of the threads that help with reading much at a time. Absent: there are none. */
  readonly config?: Pick<Config, "log">;
}

/** The store, as it is read here. */
interface ReadStore {
  readonly key: Buffer | undefined;
  readonly segments: SealedSegments;
  readonly reader: BlockReader;
  readonly crew: PieceCrew | undefined;
}

const crewCache = { directoryBytes: crewDirectoryCacheBytes, frameBytes: crewFrameCacheBytes };

export class PointReaders {
  readonly #machine: Machine;
  readonly #metDamage: ((segment: number) => void) | undefined;
  readonly #place: PointReadersPlace;
  readonly #objects: ReadableObjects;
  readonly #groups = new Map<string, Promise<GroupPoints>>();
  readonly #durableSeqs = new Map<string, number>();
  #store: Promise<ReadStore> | undefined;
  #crew: PieceCrew | undefined;
  /** Of all groups together. */
  readonly #pages = new KeptPages(pointPagesBytes);

  /** `metDamage`: called for each segment that a read has found damage in, however often. */
  constructor(machine: Machine, place: PointReadersPlace, metDamage?: (segment: number) => void) {
    this.#metDamage = metDamage;
    this.#machine = machine;
    this.#place = place;
    this.#objects = FolderObjects.openToShow(machine, place.storeFolder);
  }

  /** `durableSeq`: the group's records up to there are durable, as whoever has the journals knows. */
  of(group: string, durableSeq: number): Promise<GroupPoints> {
    this.#durableSeqs.set(group, Math.max(durableSeq, this.#durableSeqs.get(group) ?? 0));
    const known = this.#groups.get(group) ?? this.#opened(group);
    this.#groups.set(group, known);
    return known;
  }

  #opened(group: string): Promise<GroupPoints> {
    return this.#openPoints(group).catch((error) => {
      // The next who asks tries again.
      this.#groups.delete(group);
      throw error;
    });
  }

  async #openPoints(group: string): Promise<GroupPoints> {
    const { files, clock } = this.#machine;
    const store = await this.#openedStore();
    return openGroupPoints({
      files,
      clock,
      objects: this.#objects,
      pages: this.#pages,
      ...store,
      group,
      journal: () => this.#journal(group),
    });
  }

  #openedStore(): Promise<ReadStore> {
    this.#store ??= this.#openStore().catch((error) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  async #openStore(): Promise<ReadStore> {
    const objects = this.#objects;
    const document = await readStoreDocument(objects);
    const wrappingKey = receivedKey(this.#place.wrappingKey);
    const key = document === undefined ? undefined : openKeys(document, wrappingKey)?.keys.storeKey;
    const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, key));
    // What nobody has made yet may be encrypted when somebody has: it is opened anew then.
    if (document === undefined && wrappingKey !== undefined) this.#forget();
    return {
      key,
      segments,
      reader: new BlockReader(segments, this.#metDamage, pointFrameCacheBytes),
      crew: this.#openCrew(key),
    };
  }

  /** Its threads begin when there is something to read for them. */
  #openCrew(key: Buffer | undefined): PieceCrew | undefined {
    const { config, storeFolder: folder } = this.#place;
    if (config === undefined) return undefined;
    this.#crew?.close();
    this.#crew = new PieceCrew({
      clock: this.#machine.clock,
      memberCount: crewThreadCount,
      start: (number) => startPieceThread(`read ${number}`, { config, folder, key, cache: crewCache }),
    });
    return this.#crew;
  }

  #forget(): void {
    const { clock } = this.#machine;
    clock.soon(() => {
      this.#store = undefined;
      this.#groups.clear();
    });
  }

  /** Undefined: there are no journals of this group, only the store. */
  #journal(group: string): OpenJournal | undefined {
    const path = join(this.#place.groupsFolder, group);
    const state = RemoteGroupStateFile.read(this.#machine.files, path, group)?.state;
    if (state === undefined) return undefined;
    const { incarnation, journalStart, checkpointSeq } = state;
    const durableSeq = Math.max(checkpointSeq, this.#durableSeqs.get(group) ?? 0);
    return { folder: new JournalFolder(path), incarnation, start: journalStart, durableSeq };
  }

  async close(): Promise<void> {
    for (const points of this.#groups.values()) (await points.catch(() => undefined))?.close();
    this.#groups.clear();
    this.#crew?.close();
    await this.#objects.close();
  }
}
