/**
 * A store beside a simulated remote appliance, in the same process. Its index outlives every crash in memory, and is then
 * ahead of the store or behind it, as one may be that is lost, old or another store's.
 */
import type { Sealer, SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { fingerprintBytes, plainFingerprints } from "#src/host/fingerprint.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import { type ConfirmRequest, confirmSealed } from "#src/journals/journal-confirmation.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import type { JournalStart } from "#src/journals/journal-start.ts";
import { newestPiece } from "#src/journals/newest-piece.ts";
import { SealedJournals, type SealedPart } from "#src/journals/sealed-journals.ts";
import { sealedRecords } from "#src/journals/sealed-records.ts";
import { holeAddress } from "#src/records/address.ts";
import type { BlockReader } from "#src/store/block-reader.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { Objects } from "#src/store/objects.ts";
import type { KeptFingerprints, SegmentName } from "#src/store/segment-fingerprints.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { readHistory } from "#src/synth/history-document.ts";
import type { SimHost } from "#test/sim/sim-host.ts";

export class StaleIndex implements Partial<FingerprintIndex> {
  readonly #addresses = new Map<string, number>();

  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void {
    for (let index = 0; index < count; index++) {
      addresses[index] = this.#addresses.get(keyOf(fingerprints, index)) ?? holeAddress;
    }
  }

  /** It does not know what it lacks. */
  async missing(): Promise<SegmentName[]> {
    return [];
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

  readonly #pieces: SealedJournals;
  readonly objects: Objects;

  private constructor(host: SimHost, objects: Objects, store: SegmentStore) {
    this.#host = host;
    this.store = store;
    this.objects = objects;
    this.#pieces = new SealedJournals({
      machine: host,
      objects,
      key: undefined,
      hasSegment: (segment) => store.segments.has(segment),
    });
  }

  static async open(
    host: SimHost,
    folder: string,
    index: StaleIndex,
    objectsOf: (inner: Objects) => Objects = (inner) => inner,
  ): Promise<SimStore> {
    const objects = objectsOf(await FolderObjects.open(host, folder));
    const { clock, randomness, log } = host;
    const parts = { clock, randomness, log, key: undefined, fingerprints: plainFingerprints };
    return new SimStore(
      host,
      objects,
      await SegmentStore.open({ ...parts, objects, index: index as Partial<FingerprintIndex> as FingerprintIndex }),
    );
  }

  get blocks(): BlockReader {
    return this.store.reader;
  }

  get newestSegment(): number {
    return this.store.segments.newest;
  }

  seal(request: SealRequest): Promise<void> {
    return this.#inTurn(() => this.#seal(request));
  }

  async storedSeq(group: string): Promise<number> {
    return (await newestPiece(this.objects, group, undefined))?.numbers.lastSeq ?? 0;
  }

  records(group: string, afterSeq: number): AsyncIterable<JournalRecord> {
    return sealedRecords({ objects: this.objects, group, key: undefined }, afterSeq);
  }

  confirmRecords(request: ConfirmRequest): Promise<JournalStart> {
    return this.#inTurn(async () => {
      const expired = (await readHistory(this.objects, request.group)).document.behind;
      return confirmSealed({ files: this.#host.files, objects: this.objects, key: undefined, expired }, request);
    });
  }

  sealRecords(request: SealedPart): Promise<number> {
    return this.#inTurn(() => this.#pieces.sealUpTo(request));
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.then(
      () => {},
      () => {},
    );
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
