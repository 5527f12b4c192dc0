/**
 * Looks whether a store says nothing that contradicts itself, without reading what its blocks hold: the chains of pieces, the
 * trees of snapshots that points begin with, the directories of segments with their counts, and that each forward leads to a
 * segment that is there. That the blocks are what was written is for the scrub; that they are what a source has, nobody here
 * knows.
 */
import { StopError } from "#src/core/errors.ts";
import { storeFindingsMax, workPieceBytes } from "#src/core/store-limits.ts";
import { segmentOf } from "#src/records/address.ts";
import { collectionDocumentName } from "#src/store/collection-document.ts";
import type { Objects } from "#src/store/objects.ts";
import type { SealedSegments } from "#src/store/sealed-segments.ts";
import type { SegmentDirectory } from "#src/store/segment-directory.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { forwardAt, slotEntryBytes, slotKind, slotKindAt } from "#src/store/slot-page.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { withoutReplaced } from "./pieces-in-force.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { chainFinding } from "./sealed-piece-chain.ts";
import { sealedPieceName } from "./sealed-piece-format.ts";
import type { SnapshotBlocks, SnapshotDamage } from "./snapshot-blocks.ts";

export interface StoreToVerify {
  readonly objects: Objects;
  /** Undefined: the store is not encrypted. */
  readonly key: Buffer | undefined;
  readonly segments: SealedSegments;
  /** Undefined: no group is based on any. */
  readonly snapshots?: SnapshotBlocks;
}

export interface StoreVerification {
  readonly figures: Readonly<Record<string, number>>;
  /** Each says which object it is about. */
  readonly findings: readonly string[];
}

export async function verifyStore(store: StoreToVerify, control: WorkControl): Promise<StoreVerification> {
  const verification = new Verification(store, control);
  await verification.pieces();
  await verification.snapshots();
  await verification.segments();
  return verification.outcome;
}

function whatItCosts({ seq, isBase, isNeeded, blocks }: SnapshotDamage): string {
  if (!isNeeded) return `points from record ${seq} on are made of an earlier snapshot and the pieces behind it`;
  const which = isBase ? `points from record ${seq} on` : `the point of record ${seq}`;
  if (blocks === undefined) return `${which} cannot be opened`;
  const { volume, startBlock, blockCount } = blocks;
  return `blocks ${startBlock}+${blockCount} of volume ${volume} cannot be read at ${which}`;
}

class Verification {
  readonly #store: StoreToVerify;
  readonly #control: WorkControl;
  readonly #findings: string[] = [];
  #findingCount = 0;
  /** Then what nothing needs any more may lead to what is gone. */
  #isCollected = false;
  readonly #figures = {
    ...{ groups: 0, pieces: 0, records: 0, segments: 0, slots: 0, keptBlocks: 0, forwards: 0, damagedBlocks: 0 },
    ...{ forwardsToRemoved: 0, findings: 0 },
  };

  constructor(store: StoreToVerify, control: WorkControl) {
    this.#store = store;
    this.#control = control;
  }

  get outcome(): StoreVerification {
    return { figures: { ...this.#figures, findings: this.#findingCount }, findings: this.#findings };
  }

  async pieces(): Promise<void> {
    const { objects, key } = this.#store;
    let before: SealedPiece | undefined;
    let group = "";
    for await (const identity of withoutReplaced(objects.list("pieces/"))) {
      if (identity.group !== group) {
        group = identity.group;
        before = undefined;
        this.#figures.groups++;
      }
      this.#tell(this.#figures.pieces++, 0, "pieces", "follows the chains of the journals' pieces");
      const previous: SealedPiece | undefined = before;
      before = await this.#orFinding(async () => {
        const piece = await SealedPiece.open(objects, identity, key);
        this.#figures.records += piece.numbers.recordCount;
        // What comes before the first one may have expired.
        const finding = previous === undefined ? undefined : chainFinding(previous.link, piece);
        if (finding !== undefined)
          this.#found(`${sealedPieceName(identity)} does not follow the piece before: ${finding}`);
        return piece;
      });
      await this.#control.pace(0);
    }
  }

  /** Those that are kept, and all nodes of their trees, wherever these lie. */
  async snapshots(): Promise<void> {
    const { snapshots } = this.#store;
    for (const group of (await snapshots?.groups()) ?? []) {
      this.#control.throwIfCancelled();
      this.#tell(0, 0, "objects", "follows the trees of snapshots");
      await this.#orFinding(async () => {
        for await (const damage of snapshots?.damages(group, true, this.#control) ?? []) {
          this.#found(`${damage.finding}; ${whatItCosts(damage)}, of group ${group}`);
        }
      });
    }
  }

  async segments(): Promise<void> {
    const { segments, objects } = this.#store;
    this.#isCollected = (await objects.readDocument(collectionDocumentName)) !== undefined;
    const numbers = [...segments.identities()].map(({ segment }) => segment);
    for (const segment of numbers) {
      this.#tell(this.#figures.segments, numbers.length, "segments", "reads the segments' directories");
      // Collection may have taken it away meanwhile.
      if (!segments.has(segment)) continue;
      this.#figures.segments++;
      await this.#orFinding(async () => this.#directory(await segments.directory(segment)));
    }
  }

  async #directory(directory: SegmentDirectory): Promise<void> {
    const { counts, identity, pageCount } = directory;
    const found = new Array<number>(Object.keys(slotKind).length).fill(0);
    const lost = new Set<number>();
    let unpacedBytes = 0;
    for (let page = 0; page < pageCount; page++) {
      const slots = await directory.slots(page);
      for (let start = 0; start < slots.length; start += slotEntryBytes) {
        const kind = slotKindAt(slots, start);
        found[kind] = (found[kind] as number) + 1;
        if (kind !== slotKind.forward) continue;
        const target = segmentOf(forwardAt(slots, start));
        if (!this.#store.segments.has(target)) lost.add(target);
      }
      unpacedBytes += slots.length;
      if (unpacedBytes < workPieceBytes && page < pageCount - 1) continue;
      await this.#control.pace(unpacedBytes);
      unpacedBytes = 0;
    }
    const [, zeros, kept, forwards, damaged] = found as [number, number, number, number, number];
    this.#figures.slots += counts.slots;
    this.#figures.keptBlocks += kept;
    this.#figures.forwards += forwards;
    this.#figures.damagedBlocks += damaged;
    const name = segmentObjectName(identity);
    const isAgreed = zeros === counts.zeros && kept === counts.kept && forwards === counts.forwards;
    if (!isAgreed || damaged !== counts.damaged) this.#found(`${name}: its directory does not have what it counts`);
    for (const segment of lost) {
      if (this.#isCollected) this.#figures.forwardsToRemoved++;
      else this.#found(`${name}: it forwards to segment ${segment}, which is not there`);
    }
  }

  #tell(done: number, total: number, unit: "pieces" | "objects" | "segments", what: string): void {
    this.#control.progress({ done, total, unit, what });
  }

  async #orFinding<Result>(look: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      this.#found(error.message);
      return undefined;
    }
  }

  #found(finding: string): void {
    this.#findingCount++;
    if (this.#findings.length < storeFindingsMax) this.#findings.push(finding);
  }
}
