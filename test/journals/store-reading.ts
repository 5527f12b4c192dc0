/** What readers and checks say of `WholeStore`. That bytes are right is seen here: other ones are never given. */
import { expect } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { PieceCheck } from "#src/journals/scrub-piece.ts";
import { sealedPieceOfName } from "#src/journals/sealed-piece-format.ts";
import { addressOf } from "#src/records/address.ts";
import type { BlockReader } from "#src/store/block-reader.ts";
import { checkContainer, wantedUnder } from "#src/store/scrub-container.ts";
import { isReadingHurt } from "#src/store/scrub-finding.ts";
import type { Flaw } from "#src/store/scrub-flaws.ts";
import { SegmentCheck, SegmentCheckMemory } from "#src/store/scrub-segment.ts";
import { ScrubMemory } from "#src/store/scrub-source.ts";
import { segmentOfObject } from "#src/store/segment-format.ts";
import type { GroupPoints } from "#src/synth/group-points.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { slotName, type WantedImage } from "./lost-content.ts";
import type { OpenedWorld } from "./scrub-world.ts";
import { blockOf } from "./scrub-world.ts";
import { baseSeq, storedWrites, volumeBlocks } from "./whole-store.ts";

const work = new FreeWork();
const memory = new SegmentCheckMemory();
const source = new ScrubMemory();
const target = Buffer.alloc(volumeBlocks * blockBytes);
const blocks = Array.from({ length: 20 }, (_, number) => blockOf(number));

/** A block says its number, unless it is zeros. */
function contentAt(index: number): number {
  const at = index * blockBytes;
  const number = target[at] === 0 ? 0 : Number.parseInt(target.toString("latin1", at + "block ".length, at + 10), 10);
  if (blocks[number]?.compare(target, at, at + blockBytes) !== 0) throw new Error("bytes that nobody has written");
  return number;
}

/** Of all that hold something. */
export async function unreadableSlots(reader: BlockReader): Promise<string[]> {
  const lost: string[] = [];
  for (const { segment, slot, contents: wanted, volume } of storedWrites) {
    target.fill(0xee);
    const run = { address: addressOf(segment, slot), blockCount: wanted.length, volume };
    const damaged = await reader.read(run, target, 0);
    for (const [index, content] of wanted.entries()) {
      const name = slotName({ segment, slot: slot + index });
      if (damaged.includes(index)) lost.push(name);
      else expect(contentAt(index), name).toBe(content);
    }
  }
  return lost;
}

export async function imageOf(points: GroupPoints, volume: number, seq: number): Promise<WantedImage> {
  try {
    const image = await points.open(volume, seq);
    target.fill(0xee);
    const damaged = await image.read(0, image.blockCount, target, 0);
    image.close();
    return Array.from({ length: image.blockCount }, (_, block) =>
      damaged.includes(block) ? "lost" : contentAt(block),
    );
  } catch (error) {
    if (error instanceof RefuseError) return "refused";
    throw error;
  }
}

/** What the check of one object finds, without repairing. */
export async function objectFlaws(opened: OpenedWorld, name: string): Promise<readonly Flaw[]> {
  const { key, fingerprints, store, objects } = opened;
  const segment = segmentOfObject(name);
  if (segment !== undefined) {
    const parts = { key, fingerprints, segments: store.segments, damaged: store.damaged, memory, source };
    return (await new SegmentCheck(parts, segment, work).check(objects)).list();
  }
  const piece = sealedPieceOfName(name);
  if (piece !== undefined) {
    const parts = { key, segments: store.segments, objects, before: undefined, head: undefined, oldestSeq: baseSeq };
    return (await new PieceCheck(parts, piece, work).check(objects)).list();
  }
  const wanted = wantedUnder(name);
  if (wanted === undefined) return [];
  return (await checkContainer(objects, name, wanted, { key, memory: source }, work)).list();
}

/** Slots of the segment that hold something, and cannot be read. */
export function namedSlots(segment: number, flaws: readonly Flaw[]): string[] {
  const ranges = flaws.filter(isReadingHurt).flatMap(({ slots }) => slots);
  return storedWrites
    .filter((write) => write.segment === segment)
    .flatMap(({ slot, contents: { length } }) => Array.from({ length }, (_, index) => slot + index))
    .filter((slot) => ranges.some((range) => slot >= range.slot && slot < range.slot + range.count))
    .map((slot) => slotName({ segment, slot }));
}
