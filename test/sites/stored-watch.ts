/**
 * Judges what is said to be stored: with nothing but the objects that a loss of power would surely leave, all records up to
 * there come back, each as the spool had it, with its payload. Each piece is looked at once, since objects never change. One
 * that went before somebody looked is looked at as it was; payloads of what retention let go of may be gone.
 */
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { chainFinding } from "#src/journals/sealed-piece-chain.ts";
import { type PieceLink, sealedPieceOfName, sealedPiecePrefix } from "#src/journals/sealed-piece-format.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import type { SealedBlocks, StoredObjects } from "#test/oracle/sealed-blocks.ts";
import type { FoundEntry } from "./batch-reading.ts";
import { demandBlocks, sealedPayloadOf } from "./journal-payload.ts";
import { demandFolded } from "./known-aggregate.ts";
import { demandKnown } from "./known-entry.ts";
import { type RecordHistory, type as recordTypes } from "./record-history.ts";
import { demandNext } from "./spool-watch.ts";
import { storeFolder } from "./store-process.ts";
import { demand } from "./violation.ts";

/** What a loss of power would leave. */
export interface StoredNow {
  readonly stored: StoredObjects;
  readonly sealed: SealedBlocks;
  /** Of an encrypted store. */
  readonly key: Buffer | undefined;
  /** Where the group's history begins. */
  readonly basedOn: number;
}

export class StoredWatch {
  readonly #group: string;
  readonly #history: RecordHistory;
  /** Of the last piece that was found right. */
  #last: PieceLink | undefined;
  #lastUnit: { readonly seq: number; readonly epoch: number } | undefined;
  #claimedSeq = 0;
  /** Pieces that have gone and nobody has looked at. */
  readonly #gone = new Map<string, Buffer>();

  constructor(group: string, history: RecordHistory) {
    this.#group = group;
    this.#history = history;
  }

  /** The highest that was ever said. */
  get claimedSeq(): number {
    return this.#claimedSeq;
  }

  /** Somebody says that the records up to `seq` are stored. */
  said(seq: number): void {
    this.#claimedSeq = Math.max(this.#claimedSeq, seq);
  }

  /** A piece is about to go. */
  removing(path: string, bytes: Buffer): void {
    const identity = sealedPieceOfName(nameOf(path));
    if (identity?.group === this.#group && identity.firstSeq > (this.#last?.lastSeq ?? 0)) this.#gone.set(path, bytes);
  }

  async demandClaimed({ stored, sealed, key, basedOn }: StoredNow): Promise<void> {
    const seq = this.#claimedSeq;
    if (seq <= (this.#last?.lastSeq ?? 0)) return;
    const ever = {
      paths: () => [...new Set([...stored.paths(), ...this.#gone.keys()])],
      read: (path: string) => this.#gone.get(path) ?? stored.read(path),
    };
    for (const name of this.#names(ever)) await this.#look(name, ever, { sealed, key, basedOn });
    this.#gone.clear();
    const lastSeq = this.#last?.lastSeq ?? 0;
    demand("promise", lastSeq >= seq, () => `seq ${seq} is said to be stored, and the objects end with ${lastSeq}`);
  }

  #names(stored: StoredObjects): string[] {
    const prefix = sealedPiecePrefix(this.#group);
    const names = stored.paths().map(nameOf);
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  async #look(name: string, stored: StoredObjects, now: Omit<StoredNow, "stored">): Promise<void> {
    const identity = sealedPieceOfName(name);
    if (identity === undefined || identity.firstSeq <= (this.#last?.lastSeq ?? 0)) return;
    const piece = await SealedPiece.open(sourceOf(stored), identity, now.key);
    const finding = chainFinding(this.#last, piece);
    demand("promise", finding === undefined, () => `${name} does not follow what was stored before it: ${finding}`);
    let unit: FoundEntry[] = [];
    for await (const record of piece.records()) {
      unit.push(entryOf(record));
      if (record.isAggregated && record.type !== recordTypes.aggregate) continue;
      this.#demand(unit, record, now);
      unit = [];
    }
    this.#last = piece.link;
  }

  #demand(
    entries: readonly FoundEntry[],
    last: JournalRecord,
    { sealed, basedOn }: Pick<StoredNow, "sealed" | "basedOn">,
  ): void {
    const read = (entry: FoundEntry): Buffer => sealedPayloadOf(sealed, entry);
    const { seq: lastSeq, epoch, type } = last;
    const firstSeq = last.isAggregated ? lastSeq - recordsIn(entries.at(-1)) + 1 : lastSeq;
    if (this.#lastUnit !== undefined) demandNext(this.#lastUnit, { seq: firstSeq, epoch, type });
    this.#lastUnit = { seq: lastSeq, epoch };
    const hasPayloads = lastSeq > basedOn;
    if (last.isAggregated) {
      if (!hasPayloads) return;
      demandFolded(this.#history, { isAggregate: true, epoch, firstSeq, lastSeq, entries }, read);
      return;
    }
    for (const entry of entries) {
      const record = demandKnown(this.#history, entry);
      if (entry.address > 0 && hasPayloads) demandBlocks(read(entry), entry, record);
    }
  }
}

function nameOf(path: string): string {
  return path.slice(storeFolder.length + 1);
}

function recordsIn(aggregate: FoundEntry | undefined): number {
  return (JSON.parse(aggregate?.extra ?? "") as { records: number }).records;
}

function sourceOf(stored: StoredObjects): Parameters<typeof SealedPiece.open>[0] {
  const paths = new Set(stored.paths());
  const bytesOf = (name: string): Buffer => {
    const path = `${storeFolder}/${name}`;
    if (!paths.has(path)) throw new AbsentObjectError(name);
    return stored.read(path);
  };
  return {
    sizeBytes: async (name) => bytesOf(name).length,
    read: async (name, target, position) => bytesOf(name).copy(target, 0, position),
  };
}

function entryOf({ timeMicros, extra, ...record }: JournalRecord): FoundEntry {
  return { ...record, time: timeMicros, extra: extra.toString("utf8").replace(/\0+$/, "") };
}
