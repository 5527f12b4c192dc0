/**
 * Judges what goes from the store. Retention may let go of what is older than it has to be kept, and of nothing else; a piece
 * goes when what the history begins with is durable; and whatever else goes, all blocks that a point which is kept reaches
 * can be read in what a loss of power at that moment would leave.
 */
import { blockBytes } from "#src/core/limits.ts";
import { sealedPieceOfName } from "#src/journals/sealed-piece-format.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import { sumOf } from "#test/oracle/byte-sum.ts";
import type { SealedBlocks, StoredObjects } from "#test/oracle/sealed-blocks.ts";
import type { FoundEntry } from "./batch-reading.ts";
import type { GroupOracle } from "./group-oracle.ts";
import type { JournalUnit } from "./journal-unit.ts";
import { keptHistory } from "./kept-history.ts";
import type { RemoteDisks } from "./remote-disks.ts";
import { storeFolder } from "./store-process.ts";
import { demand } from "./violation.ts";
import { VolumeLayout } from "./volume-layout.ts";

export interface ExpiryParts {
  readonly disks: RemoteDisks;
  readonly groups: readonly GroupOracle[];
  readonly unitsOf: (group: string) => readonly JournalUnit[];
  /** So long every point has to be kept. */
  readonly keepMs: number;
  /** No clock has any reason to believe that it is later. */
  readonly latestMs: () => number;
}

interface StoredBlock {
  readonly group: string;
  readonly volume: number;
  readonly sum: string;
}

/** What a volume's layout has room for. */
const blockCountMax = 1024;

export class ExpiryWatch {
  readonly #parts: ExpiryParts;
  /** By their addresses: those of which the journals' files are gone. */
  readonly #blocks = new Map<number, StoredBlock>();
  readonly #basedOn = new Map<string, number>();

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
  }

  /** A file of the journals with this payload is about to go: from now on the store alone has it. */
  leaves(group: string, { volume, address, blockCount }: FoundEntry, payload: Buffer): void {
    for (let block = 0; block < blockCount; block++) {
      const sum = sumOf(payload.subarray(block * blockBytes, (block + 1) * blockBytes)).toString("latin1");
      this.#blocks.set(address + block, { group, volume, sum });
    }
  }

  /** A file of the store is about to go. */
  removing(path: string): void {
    const stored = this.#parts.disks.durable();
    if (stored === undefined || !path.startsWith(`${storeFolder}/`)) return;
    const name = path.slice(storeFolder.length + 1);
    const piece = sealedPieceOfName(name);
    if (piece !== undefined) this.#removingPiece(stored, piece.group, piece.firstSeq);
    if (/^(segments|snapshots)\//.test(name)) this.#removingObject(stored, path);
  }

  #removingPiece(stored: StoredObjects, group: string, firstSeq: number): void {
    const { basedOn, behind } = keptHistory(stored, group);
    const isExpired = behind !== undefined && firstSeq <= behind.firstSeq;
    demand(
      "promise",
      isExpired,
      () => `the piece from seq ${firstSeq} on goes, and the history begins with ${basedOn}`,
    );
    this.#demandBase(stored.paths(), group, basedOn);
  }

  #demandBase(paths: readonly string[], group: string, basedOn: number): void {
    const isThere = basedOn === 0 || paths.includes(`${storeFolder}/${snapshotName({ group, seq: basedOn })}`);
    demand("promise", isThere, () => `the history begins with ${basedOn}, and the snapshot of that is not durable`);
  }

  #removingObject(stored: StoredObjects, path: string): void {
    const left = { read: stored.read, paths: () => stored.paths().filter((one) => one !== path) };
    const paths = left.paths();
    const sealed = this.#parts.disks.sealedIn(left);
    for (const { id } of this.#parts.groups) {
      const { basedOn } = keptHistory(stored, id);
      this.#demandBase(paths, id, basedOn);
      if (path.startsWith(`${storeFolder}/segments/`)) this.#demandNeeded(sealed, id, basedOn, path);
    }
  }

  #demandNeeded(sealed: SealedBlocks, group: string, basedOn: number, path: string): void {
    for (const { seq, address, blockCount } of neededOf(this.#parts.unitsOf(group), basedOn)) {
      for (let at = address; at < address + blockCount; at++) {
        const block = this.#blocks.get(at);
        if (block?.group !== group) continue;
        const finding = findingOf(sealed, at, block);
        const what = (): string => `${path} goes, and a block of seq ${seq} is needed from ${basedOn} on: ${finding}`;
        demand("truth", finding === undefined, what);
      }
    }
  }

  /** Between two steps. */
  look(): void {
    const stored = this.#parts.disks.durable();
    if (stored === undefined) return;
    for (const { id, history } of this.#parts.groups) {
      const { basedOn } = keptHistory(stored, id);
      const before = this.#basedOn.get(id) ?? 0;
      if (basedOn === before) continue;
      this.#basedOn.set(id, basedOn);
      demand("promise", basedOn > before, () => `a history begins with ${basedOn}, and began with ${before}`);
      const lastMs = (history.get(basedOn)?.time ?? Number.POSITIVE_INFINITY) / 1000;
      const ageMs = this.#parts.latestMs() - lastMs;
      const isOld = ageMs >= this.#parts.keepMs;
      demand("promise", isOld, () => `a history begins with ${basedOn}, which is ${ageMs} ms old at most`);
    }
  }
}

/** What points from the base on reach, each block of a record that counts as a record of its own. */
function neededOf(units: readonly JournalUnit[], basedOn: number): FoundEntry[] {
  const needed: FoundEntry[] = [];
  const layouts = new Map<number, VolumeLayout<FoundEntry>>();
  for (const { lastSeq, entries } of units) {
    if (lastSeq > basedOn) {
      needed.push(...entries.filter(({ address }) => address > 0));
      continue;
    }
    for (const entry of entries) {
      const layout = layouts.get(entry.volume) ?? new VolumeLayout<FoundEntry>(blockCountMax);
      layouts.set(entry.volume, layout);
      layout.apply(entry);
    }
  }
  return [...[...layouts.values()].flatMap((layout) => layout.parts()), ...needed];
}

function findingOf(sealed: SealedBlocks, address: number, { volume, sum }: StoredBlock): string | undefined {
  try {
    const block = sealed.read(volume, address);
    return sumOf(block).toString("latin1") === sum ? undefined : `address ${address} has another block`;
  } catch (error) {
    return (error as Error).message;
  }
}
