/**
 * Every bit of a store, turned one after the other: what is read is right, or an error of just what `LostContent` says; the
 * checks name what is damaged; and the scrub gives every byte back.
 */
import { expect } from "vitest";
import { decodeScrubNotes, scrubDocumentName } from "#src/store/scrub-document.ts";
import { storeDocumentNames } from "#src/store/store-document-copies.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { type Damaged, LostContent } from "./lost-content.ts";
import { layoutOf, partTypeAt, thingAt } from "./object-layout.ts";
import { imageOf, namedSlots, objectFlaws, unreadableSlots } from "./store-reading.ts";
import { points, type StoreKeeping, volumes, type WholeStore } from "./whole-store.ts";

export interface FlipSite {
  readonly name: string;
  readonly bit: number;
}

/** The first bit of everything that the store has, and every so many behind it. */
export function* flipSites({ store }: WholeStore, step: number): Generator<FlipSite> {
  let bit = 0;
  for (const [name, bytes] of store.bytes) {
    for (; bit < bytes.length * 8; bit += step) yield { name, bit };
    bit -= bytes.length * 8;
  }
}

const work = new FreeWork();

export class BitFlips {
  readonly #whole: WholeStore;
  readonly #lost: LostContent;
  #world: WholeStore;
  /** Of that world, as long as bits of one object are turned. */
  #keeping: StoreKeeping | undefined;
  #name = "";
  /** After how many flips slots, blocks of points, and whole points could not be read. */
  readonly counts = { flips: 0, slots: 0, blocks: 0, points: 0 };

  constructor(whole: WholeStore) {
    this.#whole = whole;
    this.#world = whole.copy();
    this.#lost = new LostContent(whole);
  }

  /** Nothing is turned. */
  async expectWhole(): Promise<void> {
    await this.#expectReads(undefined, "a whole store");
  }

  async try({ name, bit }: FlipSite): Promise<void> {
    const where = `bit ${bit} of ${name}`;
    const isObject = !name.endsWith(".json");
    // Documents are what somebody begins with; whoever checks objects goes on for long.
    if (!isObject || name !== this.#name) this.#world = this.#whole.copy();
    if (isObject && name !== this.#name) this.#keeping = await this.#world.keep();
    this.#name = name;
    this.#world.store.flip(name, bit);
    const damaged = isObject ? this.#damagedBy(name, bit) : undefined;
    await this.#expectReads(damaged, where);
    const keeping = isObject && this.#keeping !== undefined ? this.#keeping : await this.#world.keep();
    if (damaged !== undefined) await this.#expectFlaws(keeping, damaged, bit, where);
    await this.#expectRepaired(keeping, name, where);
    this.counts.flips++;
  }

  #damagedBy(name: string, bit: number): Damaged {
    const bytes = this.#whole.store.bytes.get(name) as Buffer;
    return { name, thing: thingAt(layoutOf(bytes), bit >> 3) };
  }

  async #expectReads(damaged: Damaged | undefined, where: string): Promise<void> {
    const { reader, points: opened } = await this.#world.open();
    const lost = this.#lost.slots(damaged);
    expectSame(await unreadableSlots(reader), lost, `slots with ${where}`);
    const hurt = { blocks: 0, points: 0 };
    for (const seq of points) {
      for (const volume of volumes) {
        const wanted = this.#lost.image(volume, seq, damaged);
        expectSame(await imageOf(opened, volume, seq), wanted, `volume ${volume} after record ${seq} with ${where}`);
        if (wanted === "refused") hurt.points = 1;
        else if (wanted.includes("lost")) hurt.blocks = 1;
      }
    }
    opened.close();
    this.counts.slots += lost.length > 0 ? 1 : 0;
    this.counts.blocks += hurt.blocks;
    this.counts.points += hurt.points;
  }

  /** What the checks say of it before anything is repaired. */
  async #expectFlaws({ opened }: StoreKeeping, damaged: Damaged, bit: number, where: string): Promise<void> {
    const { name, thing } = damaged;
    const flaws = await objectFlaws(opened, name);
    const wanted = thing.kind === "frame" ? "frames" : thing.kind;
    // A snapshot's parts are known by what they say of themselves.
    const isOwnWord = name.startsWith("snapshots/") && (bit >> 3) - thing.start === partTypeAt;
    if (isOwnWord) expect(flaws.length, where).toBe(1);
    else expectSame(flaws[0]?.thing, wanted, `what is damaged by ${where}`);
    const segment = Number(/^segments\/(\d+)/.exec(name)?.[1] ?? 0);
    const lost = this.#lost.slots(damaged).filter((slot) => slot.startsWith(`${segment}/`));
    expectSame(namedSlots(segment, flaws), lost, `slots that are named with ${where}`);
  }

  async #expectRepaired({ scrub, named }: StoreKeeping, name: string, where: string): Promise<void> {
    const { findings } = await scrub.run(work, { isAnew: true });
    expectSame(findings, [], `findings with ${where}`);
    const said = [...new Set(named.splice(0))];
    // Whoever opens the store has restored the one from the other before.
    if (!storeDocumentNames.includes(name)) expectSame(said, [name], `names with ${where}`);
    const { bytes: found } = this.#world.store;
    for (const [other, bytes] of this.#whole.store.bytes) {
      if (other === scrubDocumentName || found.get(other)?.equals(bytes) === true) continue;
      expect(found.get(other)?.toString("latin1"), `${other} after ${where}`).toBe(bytes.toString("latin1"));
    }
    expect(found.size, where).toBe(this.#whole.store.bytes.size);
    const notes = decodeScrubNotes(found.get(scrubDocumentName) as Buffer);
    expect(notes.last?.number, `rounds are counted on after ${where}`).toBeGreaterThan(1);
  }
}

/** As `toEqual`, which takes longer than all that is to be compared here. */
function expectSame(found: unknown, wanted: unknown, where: string): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) expect(found, where).toEqual(wanted);
}
