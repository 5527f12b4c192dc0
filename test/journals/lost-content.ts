/**
 * What cannot be read of `WholeStore` when one thing in it is damaged, by what docs/formats.md says of things, and what was
 * written: reckoned without anything of the program.
 */
import { isOpening, type LaidThing, layoutOf } from "./object-layout.ts";
import { scrubGroup } from "./scrub-world.ts";
import { baseSeq, pieceSeqs, snapshotSeqs, storedWrites, volumeBlocks, type WholeStore } from "./whole-store.ts";

const slotsPerPage = 512;

export interface Damaged {
  readonly name: string;
  readonly thing: LaidThing;
}

interface Slot {
  readonly segment: number;
  readonly slot: number;
}

/** Of each block its content, or `lost`; or the point cannot be opened, since nothing says what it is. */
export type WantedImage = "refused" | readonly (number | "lost")[];

export function slotName({ segment, slot }: Slot): string {
  return `${segment}/${slot}`;
}

const segmentName = (segment: number) => `segments/${String(segment).padStart(12, "0")}.0000`;
const pieceName = (first: number) => `pieces/${scrubGroup}/${String(first).padStart(16, "0")}`;
const snapshotName = (seq: number) => `snapshots/${scrubGroup}/${String(seq).padStart(16, "0")}.0000`;

export class LostContent {
  /** Slots that hold something, by name: where their block is kept; undefined: they are zeros. */
  readonly #kept = new Map<string, Slot | undefined>();
  readonly #slots: Slot[] = [];
  /** By segment: the first slots of its frames. */
  readonly #frames = new Map<number, readonly number[]>();

  constructor(world: WholeStore) {
    const first = new Map<number, Slot>();
    for (const { segment, slot, contents } of storedWrites) {
      for (const [index, content] of contents.entries()) {
        const here = { segment, slot: slot + index };
        if (content !== 0 && !first.has(content)) first.set(content, here);
        this.#slots.push(here);
        this.#kept.set(slotName(here), first.get(content));
      }
    }
    for (const segment of [1, 2]) {
      const things = layoutOf(world.store.bytes.get(segmentName(segment)) as Buffer);
      this.#frames.set(
        segment,
        things.filter(({ kind }) => kind === "frame").map(({ number }) => number),
      );
    }
  }

  /** Of all that hold something. */
  slots(damaged: Damaged | undefined): string[] {
    return this.#slots.filter((slot) => this.#isLost(slot, damaged)).map(slotName);
  }

  #isLost(slot: Slot, damaged: Damaged | undefined): boolean {
    if (damaged === undefined) return false;
    const kept = this.#kept.get(slotName(slot));
    if (isEntryLost(slot, damaged)) return true;
    return kept !== undefined && (isEntryLost(kept, damaged) || this.#isFrameLost(kept, damaged));
  }

  #isFrameLost({ segment, slot }: Slot, { name, thing }: Damaged): boolean {
    const frame = this.#frames.get(segment)?.findLast((first) => first <= slot);
    return name === segmentName(segment) && thing.kind === "frame" && thing.number === frame;
  }

  image(volume: number, seq: number, damaged: Damaged | undefined): WantedImage {
    if (!isPoint(seq, damaged)) return "refused";
    const base = snapshotSeqs.findLast((one) => one <= seq && !isClosed(snapshotName(one), damaged));
    if (base === undefined) return "refused";
    return Array.from({ length: volumeBlocks }, (_, block) => this.#block(volume, block, seq, base, damaged));
  }

  #block(volume: number, block: number, seq: number, base: number, damaged: Damaged | undefined): number | "lost" {
    const write = storedWrites.findLast((one) => one.volume === volume && one.seq <= seq && holds(one, block));
    // What was written behind the snapshot is said by a piece.
    if ((write?.seq ?? 0) <= base && isLeafLost(volume, block, base, damaged)) return "lost";
    if (write === undefined) return 0;
    const index = block - write.startBlock;
    const isLost = this.#isLost({ segment: write.segment, slot: write.slot + index }, damaged);
    return isLost ? "lost" : (write.contents[index] as number);
  }
}

function holds({ startBlock, contents }: (typeof storedWrites)[number], block: number): boolean {
  return block >= startBlock && block < startBlock + contents.length;
}

/** What says of the slot what it holds. */
function isEntryLost({ segment, slot }: Slot, damaged: Damaged): boolean {
  const { name, thing } = damaged;
  if (name !== segmentName(segment)) return false;
  return isOpening(thing) || (thing.kind === "slots" && thing.number === Math.floor(slot / slotsPerPage));
}

function isClosed(name: string, damaged: Damaged | undefined): boolean {
  return damaged?.name === name && isOpening(damaged.thing);
}

/** Whether anybody can say that the group's order has something that ends with this record. */
function isPoint(seq: number, damaged: Damaged | undefined): boolean {
  // All that it comes to is in one object.
  if (snapshotSeqs.includes(seq) && !isClosed(snapshotName(seq), damaged)) return true;
  if (seq === baseSeq) return false;
  const piece = pieceSeqs.find(({ first, last }) => seq >= first && seq <= last);
  const name = pieceName(piece?.first ?? 0);
  if (isClosed(name, damaged)) return false;
  // With what a part records ends, the table says.
  return !(damaged?.name === name && damaged.thing.kind === "records" && seq !== piece?.last);
}

/**
 * The trees of the volumes are of one leaf each. Volume 1 was written between the snapshots, so the later one has a leaf of its own,
 * for which the earlier one stands in, with the pieces between; of volume 2 it points to the earlier one's. For that nothing stands
 * in. A leaf speaks of its first block and of those behind it.
 */
function isLeafLost(volume: number, block: number, base: number, damaged: Damaged | undefined): boolean {
  if (base !== baseSeq && volume === 1) return false;
  const firstBlock = Math.min(
    ...storedWrites.filter((one) => one.volume === volume).map(({ startBlock }) => startBlock),
  );
  if (damaged?.name !== snapshotName(baseSeq) || block < firstBlock) return false;
  const { kind, number } = damaged.thing;
  return isOpening(damaged.thing) || (kind === "extents" && number === volume - 1);
}
