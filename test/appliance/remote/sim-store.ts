/**
 * A store beside a simulated remote appliance, in the same process. Its index outlives every crash in memory, and is then
 * ahead of the store or behind it, as one may be that is lost, old or another store's.
 */
import type { Sealer, SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { fingerprintBytes, plainFingerprints } from "#src/host/fingerprint.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { holeAddress } from "#src/records/address.ts";
import type { BlockReader } from "#src/store/block-reader.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { KeptFingerprints } from "#src/store/segment-fingerprints.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import type { SimHost } from "#test/sim/sim-host.ts";

export class StaleIndex implements Partial<FingerprintIndex> {
  readonly #addresses = new Map<string, number>();

  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void {
    for (let index = 0; index < count; index++) {
      addresses[index] = this.#addresses.get(keyOf(fingerprints, index)) ?? holeAddress;
    }
  }

  async add(_: unknown, { count, fingerprints, addresses }: KeptFingerprints): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.#addresses.set(keyOf(fingerprints, index), addresses[index] as number);
    }
  }
}

function keyOf(fingerprints: Buffer, index: number): string {
  return fingerprints.toString("latin1", index * fingerprintBytes, (index + 1) * fingerprintBytes);
}

export class SimStore implements Sealer {
  readonly store: SegmentStore;
  readonly #host: SimHost;
  #turn: Promise<void> = Promise.resolve();

  private constructor(host: SimHost, store: SegmentStore) {
    this.#host = host;
    this.store = store;
  }

  static async open(host: SimHost, folder: string, index: StaleIndex): Promise<SimStore> {
    const objects = await FolderObjects.open(host, folder);
    const { clock, randomness, log } = host;
    const parts = { clock, randomness, log, key: undefined, fingerprints: plainFingerprints };
    return new SimStore(
      host,
      await SegmentStore.open({ ...parts, objects, index: index as Partial<FingerprintIndex> as FingerprintIndex }),
    );
  }

  get blocks(): BlockReader {
    return this.store.reader;
  }

  seal(request: SealRequest): Promise<void> {
    const done = this.#turn.then(() => this.#seal(request));
    this.#turn = done.catch(() => {});
    return done;
  }

  async #seal({ group, folder, segment }: SealRequest): Promise<void> {
    const source = new ClosedSegmentFiles({
      files: this.#host.files,
      folder: new JournalFolder(folder),
      group,
      segment,
    });
    try {
      await this.store.seal(source, { group, level: 0 });
    } finally {
      source.close();
    }
  }
}
