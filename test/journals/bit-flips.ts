/**
 * Every bit of a small store, turned one after the other: what is read is right or an error, of just the blocks that the
 * check names, and the scrub gives every byte back, or of a document all that it says.
 */
import { expect } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { PieceCheck } from "#src/journals/scrub-piece.ts";
import { sealedPieceOfName } from "#src/journals/sealed-piece-format.ts";
import { addressOf } from "#src/records/address.ts";
import { checkContainer, wantedUnder } from "#src/store/scrub-container.ts";
import { isReadingHurt } from "#src/store/scrub-finding.ts";
import type { Flaw } from "#src/store/scrub-flaws.ts";
import { SegmentCheck, SegmentCheckMemory } from "#src/store/scrub-segment.ts";
import { ScrubMemory } from "#src/store/scrub-source.ts";
import { segmentOfObject } from "#src/store/segment-format.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { blockOf, type ReadStore, type ScrubWorld, scrubGroup, writes } from "./scrub-world.ts";

const memory = new SegmentCheckMemory();
const source = new ScrubMemory();
const work = new FreeWork();

export interface FlipSite {
  readonly name: string;
  readonly bit: number;
}

/** All bits, or one of each byte that `pick` draws, of everything that the store has. */
export function* flipSites(world: ScrubWorld, pick: (byte: number) => readonly number[]): Generator<FlipSite> {
  for (const [name, bytes] of world.store.bytes) {
    for (let byte = 0; byte < bytes.length; byte++) for (const bit of pick(byte)) yield { name, bit: byte * 8 + bit };
  }
}

/** The store has this bit turned: which slots those who read are told to be damaged. Other bytes are never given. */
export async function unreadableSlots({ reader }: ReadStore): Promise<Set<string>> {
  const damaged = new Set<string>();
  for (const { segment, slot, contents, volume } of writes) {
    const target = Buffer.alloc(contents.length * blockBytes, 0xee);
    const run = { address: addressOf(segment, slot), blockCount: contents.length, volume };
    const bad = await reader.read(run, target, 0);
    for (const [index, content] of contents.entries()) {
      const found = target.subarray(index * blockBytes, (index + 1) * blockBytes);
      if (bad.includes(index)) damaged.add(`${segment}/${slot + index}`);
      else expect(found.equals(blockOf(content)), `slot ${slot + index} of segment ${segment}`).toBe(true);
    }
  }
  return damaged;
}

/** Records that are read are those that were written, from the first on. */
export function expectRightRecords({ records, failure }: ReadStore): void {
  expect(records.map(({ seq, volume, startBlock, address }) => [seq, volume, startBlock, address])).toEqual(
    writes
      .slice(0, records.length)
      .map(({ seq, volume, startBlock, segment, slot }) => [seq, volume, startBlock, addressOf(segment, slot)]),
  );
  if (failure === undefined) expect(records).toHaveLength(writes.length);
}

/** What the checks say of one object, without repairing. */
export async function flawsOf(world: ScrubWorld, name: string): Promise<readonly Flaw[]> {
  const { key, fingerprints, store, objects } = await world.opened();
  const segment = segmentOfObject(name);
  if (segment !== undefined) {
    const parts = { key, fingerprints, segments: store.segments, damaged: store.damaged, memory, source };
    return (await new SegmentCheck(parts, segment, work).check(objects)).list();
  }
  const piece = sealedPieceOfName(name);
  if (piece !== undefined) {
    const parts = { key, segments: store.segments, objects, before: undefined, head: undefined, oldestSeq: 0 };
    return (await new PieceCheck(parts, piece, work).check(objects)).list();
  }
  const wanted = wantedUnder(name);
  if (wanted === undefined) return [];
  return (await checkContainer(objects, name, wanted, { key, memory: source }, work)).list();
}

/** Of a segment, those that hold something. */
export function slotsIn(name: string, flaws: readonly Flaw[]): Set<string> {
  const segment = segmentOfObject(name)?.segment;
  const isNamed = (slot: number) =>
    flaws.some(
      (flaw) =>
        isReadingHurt(flaw) && flaw.slots.some((range) => slot >= range.slot && slot < range.slot + range.count),
    );
  const named = new Set<string>();
  for (const written of writes) {
    if (written.segment !== segment) continue;
    for (let slot = written.slot; slot < written.slot + written.contents.length; slot++) {
      if (isNamed(slot)) named.add(`${segment}/${slot}`);
    }
  }
  return named;
}

/** One flip: read, named, repaired. Answers whether it mattered. */
export async function tryFlip(whole: ScrubWorld, { name, bit }: FlipSite): Promise<void> {
  const world = whole.copy();
  world.store.flip(name, bit);
  const where = `bit ${bit} of ${name}`;
  const read = await world.read();
  expectRightRecords(read);
  const unreadable = await unreadableSlots(read);
  if (!name.endsWith(".json")) {
    const flaws = await flawsOf(world, name);
    expect(flaws.length, `${where} is found`).toBeGreaterThan(0);
    if (segmentOfObject(name) !== undefined) {
      const own = new Set([...unreadable].filter((slot) => slot.startsWith(`${segmentOfObject(name)?.segment}/`)));
      expect(slotsIn(name, flaws), where).toEqual(own);
    }
  }
  const { findings } = (await world.scrubbed()).state;
  expect(findings, where).toEqual([]);
  world.store.bytes.delete("scrub.json");
  for (const [object, bytes] of whole.store.bytes) {
    const found = world.store.bytes.get(object) ?? Buffer.alloc(0);
    // A line end of a document may come back as another white space.
    if (object.endsWith(".json")) expect(said(found), `${object} after ${where}`).toEqual(said(bytes));
    else expect(found.equals(bytes), `${object} after ${where}`).toBe(true);
  }
}

function said(document: Buffer): unknown {
  return JSON.parse(document.toString());
}

export { scrubGroup };
