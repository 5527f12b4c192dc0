/** All of a store that one process has open, as the process that keeps it does; and another that only reads. */
import { plainFingerprints } from "#src/host/fingerprint.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { Collection } from "#src/store/collection.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { noReserve } from "#src/store/space-reserve.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { LiveHistory } from "#src/synth/live-history.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import type { SimProcess } from "#test/sim/sim-process.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";

export const indexFolder = "/index";
const storeFolder = "/data/store";
const indexBounds = { filterBytesMax: 4096, gatherBytesMax: 65_536 };

export interface OpenedStore {
  readonly objects: Objects;
  readonly store: SegmentStore;
  readonly history: GroupHistory;
  readonly collection: Collection;
}

export interface StoryStoreParts {
  readonly random: SeededRandom;
  readonly segmentsWithFiles: () => Promise<ReadonlySet<number>>;
  readonly graceMs: number;
}

export async function openStoryStore(process: SimProcess, parts: StoryStoreParts): Promise<OpenedStore> {
  const { files, clock, log, bootId } = process;
  const { random: randomness, segmentsWithFiles, graceMs } = parts;
  const objects = await FolderObjects.open(process, storeFolder);
  const indexParts = { files, clock, log, bootId, randomness, maps: new SimSortedMaps(files), folder: indexFolder };
  const index = await openFingerprintIndex({ ...indexParts, ...indexBounds, store: Buffer.alloc(16, 7) });
  const shared = { objects, index, fingerprints: plainFingerprints, key: undefined, clock, randomness, log };
  const store = await SegmentStore.open(shared);
  await store.catchUp();
  const history = new GroupHistory({ objects, randomness, key: undefined, group: pieceGroup, clock });
  const collection = await Collection.open({
    ...{ ...shared, store, files, indexFolder, reserve: noReserve, graceMs },
    live: new LiveHistory({ objects, key: undefined, segmentsWithFiles }),
  });
  return { objects, store, history, collection };
}

export class OtherReader {
  readonly #host: SimHost;
  #reader: BlockReader | undefined;
  #segments: SealedSegments | undefined;

  constructor(host: SimHost) {
    this.#host = host;
  }

  get reader(): BlockReader | undefined {
    return this.#reader;
  }

  async open(): Promise<void> {
    const objects = FolderObjects.openToRead(this.#host, storeFolder);
    const openObject = (identity: Parameters<typeof SegmentFile.open>[1]) =>
      SegmentFile.open(objects, identity, undefined);
    this.#segments = await SealedSegments.open(objects, openObject);
    this.#reader = new BlockReader(this.#segments);
  }

  /** Whoever asked for it is told so. */
  sealed(segment: number): void {
    this.#segments?.published({ segment, generation: 0 });
  }
}
