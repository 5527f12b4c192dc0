/** Pieces of the metadata journal that are damaged, swapped or gone. */
import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { foldPieces } from "#src/journals/piece-fold.ts";
import type { UnitWalk } from "#src/journals/piece-sealer.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import { sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import type { ScrubWish } from "#src/journals/store-scrub.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { FlippableStore } from "#test/store/flippable-store.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { ContentSegment, ScrubWorld, scrubGroup, startMicros, unitOf, type Written, writes } from "./scrub-world.ts";

const name = (firstSeq: number) => sealedPieceName({ group: scrubGroup, firstSeq });
const origin = { group: scrubGroup, level: 0 };

/** Two bits in the content of the part of this type and number. */
async function damagePart(world: ScrubWorld, firstSeq: number, type: "records" | "extents"): Promise<void> {
  const { key } = await world.opened();
  const piece = await SealedPiece.open(world.store, { group: scrubGroup, firstSeq }, key);
  const records = piece.recordPagePlace(0).storedBytes;
  const at = 128 + (type === "records" ? 0 : records) + 34;
  for (const bit of [1, 13]) world.store.flip(name(firstSeq), at * 8 + bit);
}

/** The open journal, as it still has all records. */
function journalFrom(seq: number): UnitWalk {
  const units = writes.filter((written) => written.seq >= seq).map(unitOf);
  return {
    get expectedSeq() {
      return units[0]?.firstSeq ?? 7;
    },
    next: () => {
      const unit = units.shift() as SealedUnit;
      const places = { offset: 0, nextOffset: 0, durableSeq: 0 };
      return { ...unit, ...places, finding: "sound", epoch: 1, lastSeq: unit.firstSeq };
    },
    close: () => {},
  };
}

test.each([false, true])(
  "an index of blocks that is damaged is made again of the piece's own records (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    const before = world.store.copy();
    await damagePart(world, 3, "extents");
    const scrub = await world.scrubbed();
    expect(scrub.state).toMatchObject({ findings: [], repairedCount: 1 });
    expect(world.store.bytes.get(name(3))).toEqual(before.bytes.get(name(3)));
  },
);

test.each([1, 3, 5])(
  "records that are damaged are taken from the open journal, where it still has them: piece %s",
  async (firstSeq) => {
    const world = await ScrubWorld.make(true);
    const before = world.store.copy();
    await world.scrubbed();
    await damagePart(world, firstSeq, "records");
    const without = await world.scrubbed();
    expect(without.state.findings).toMatchObject([
      { object: name(firstSeq), thing: "records", seqs: { first: firstSeq, last: firstSeq + 1 } },
    ]);
    const scrub = await world.scrubbed({ walkFrom: (_group, seq) => journalFrom(seq) });
    expect(scrub.state.findings).toEqual([]);
    expect(world.store.bytes.get(name(firstSeq))).toEqual(before.bytes.get(name(firstSeq)));
  },
);

test("where nobody knows what came of a piece that was made again, the round goes on and the finding stays", async () => {
  const world = await ScrubWorld.make(false);
  await damagePart(world, 3, "extents");
  const restore = world.store.restore.bind(world.store);
  world.store.restore = (object) =>
    Object.assign(restore(object), {
      finish: async () => {
        throw new StopError("nobody knows what is there");
      },
    });
  const { findings, last } = (await world.scrubbed()).state;
  expect(findings).toMatchObject([{ object: name(3), thing: "extents" }]);
  expect(last?.objectCount).toBe(7);
});

test("a journal that has other records by now is not taken", async () => {
  const world = await ScrubWorld.make(false);
  await damagePart(world, 3, "records");
  const before = world.store.copy();
  const walkFrom = (_group: string, seq: number) => {
    const walk = journalFrom(seq);
    return { ...walk, expectedSeq: seq, next: () => ({ ...walk.next(), epoch: 2 }) } as UnitWalk;
  };
  const others = (group: string, seq: number) => {
    const walk = walkFrom(group, seq);
    let count = 0;
    return {
      get expectedSeq() {
        return seq + count;
      },
      next: () => {
        count++;
        const found = walk.next();
        return "records" in found
          ? { ...found, records: found.records.map((record) => ({ ...record, startBlock: 77 })) }
          : found;
      },
      close: () => {},
    } as UnitWalk;
  };
  expect((await world.scrubbed({ walkFrom: others })).state.findings).toHaveLength(1);
  expect(world.store.bytes.get(name(3))).toEqual(before.bytes.get(name(3)));
});

test("fault 19: a piece that was sealed a second time is told from the one that the next piece names", async () => {
  const world = await ScrubWorld.make(false);
  const previous = (await SealedPiece.open(world.store, { group: scrubGroup, firstSeq: 1 }, undefined)).link;
  world.store.bytes.set(name(3), await sealedAgain([3, 4], previous));
  expect((await world.scrubbed()).state.findings).toMatchObject([
    { object: name(5), thing: "chain", finding: "it was sealed behind another one of the same records" },
  ]);
});

test("fault 19: the newest piece, which no other names, is told from another one of the same records", async () => {
  const world = await ScrubWorld.make(false);
  await world.scrubbed();
  const previous = (await SealedPiece.open(world.store, { group: scrubGroup, firstSeq: 3 }, undefined)).link;
  world.store.bytes.set(name(5), await sealedAgain([5, 6], previous));
  expect((await world.scrubbed()).state.findings).toMatchObject([
    { object: name(5), thing: "chain", finding: "it is another piece than was there before" },
  ]);
});

async function sealedAgain(seqs: readonly number[], previous: SealedPiece["link"]): Promise<Buffer> {
  const objects = new FlippableStore();
  const units = writes.filter(({ seq }) => seqs.includes(seq)).map(unitOf);
  const parts = { objects, randomness: new SeededRandom(99), key: undefined, group: scrubGroup, previous };
  const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
  for (const unit of units) await builder.add(unit);
  await builder.finish(startMicros);
  return objects.bytes.get(name(units[0]?.firstSeq ?? 0)) as Buffer;
}

test("pieces that are gone are missed, in the middle and at the end, until they are back", async () => {
  const world = await ScrubWorld.make(false);
  await world.scrubbed();
  const [middle, last] = [world.store.bytes.get(name(3)), world.store.bytes.get(name(5))];
  world.store.bytes.delete(name(3));
  expect((await world.scrubbed()).state.findings).toMatchObject([{ object: name(5), thing: "chain" }]);
  world.store.bytes.set(name(3), middle as Buffer);
  world.store.bytes.delete(name(5));
  expect((await world.scrubbed()).state.findings).toMatchObject([
    { object: name(5), thing: "object", finding: "it was there, and is gone", seqs: { first: 5, last: 6 } },
  ]);
  world.store.bytes.set(name(5), last as Buffer);
  expect((await world.scrubbed()).state.findings).toEqual([]);
});

test("a record that points to a slot where nothing was sealed is found, with its blocks", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const written: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [21, 22] };
  // As if the sums of the second one had been lost before it was sealed.
  await opened.store.seal(new ContentSegment(4, [{ ...written, contents: [21] }]), origin);
  await putPiece(world, [written]);
  const [finding] = (await world.scrubbed()).state.findings;
  expect(finding).toMatchObject({ object: name(7), thing: "pointers", count: 1 });
  expect(finding?.affected).toEqual([
    { group: scrubGroup, volume: 1, startBlock: 51, blockCount: 1, fromSeq: 7, fromMicros: startMicros + 7_000_000 },
  ]);
  expect((await world.scrubbed({ oldestSeq: async () => 8 })).state.findings).toEqual([]);
});

async function putPiece(world: ScrubWorld, written: readonly Written[]): Promise<void> {
  const previous = (await SealedPiece.open(world.store, { group: scrubGroup, firstSeq: 5 }, undefined)).link;
  const parts = { objects: world.store, randomness: new SeededRandom(98), key: undefined, group: scrubGroup, previous };
  const units = written.map(unitOf);
  const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
  for (const unit of units) await builder.add(unit);
  await builder.finish(startMicros);
}

test("fault 19: a segment of the same number from another group is found by the records that point to it", async () => {
  const world = await ScrubWorld.make(false);
  const other = await ScrubWorld.make(false);
  other.store.bytes.delete(segmentObjectName({ segment: 2, generation: 0 }));
  const opened = await other.opened();
  await opened.store.seal(new ContentSegment(2, writes), { group: "f".repeat(32), level: 0 });
  const object = segmentObjectName({ segment: 2, generation: 0 });
  world.store.bytes.set(object, other.store.bytes.get(object) as Buffer);
  const findings = (await world.scrubbed()).state.findings;
  expect(findings.map(({ object, thing }) => [object, thing])).toEqual([[name(3), "pointers"]]);
  expect(findings[0]?.finding).toBe(`record 3 points to segment 2, of group ${"f".repeat(32)}`);
});

async function endInTheMiddle(world: ScrubWorld, wish: ScrubWish): Promise<void> {
  const ending = new FreeWork();
  let paces = 0;
  ending.pace = async () => {
    if (paces++ > 12) throw new Error("ended");
  };
  await expect((await world.scrub()).run(ending, wish)).rejects.toThrow("ended");
}

test("a round from the first object on goes on where it was interrupted, and begins for whoever else wants one", async () => {
  const world = await ScrubWorld.make(false);
  await endInTheMiddle(world, { isAnew: true, askedMicros: 7 });
  const checked = (await world.scrub()).state.round?.objectCount as number;
  const left = async (wish: ScrubWish) => {
    const work = new FreeWork();
    await (await world.copy().scrub()).run(work, wish);
    return work.told.filter(({ what }) => what.startsWith("checks all objects")).length;
  };
  const wishes: ScrubWish[] = [7, 8, undefined].map((askedMicros) => ({ isAnew: true, askedMicros }));
  const counts = await Promise.all([...wishes, { isAnew: false }].map(left));
  expect(counts).toEqual([7 - checked, 7, 7, 7 - checked]);
});

test("a round goes on where it was ended, and checks nothing twice", async () => {
  const world = await ScrubWorld.make(false);
  const work = new FreeWork();
  await endInTheMiddle(world, { isAnew: true });
  const scrub = await world.scrub();
  const { round } = scrub.state;
  expect(round?.objectCount).toBeGreaterThan(0);
  expect(round?.objectCount).toBeLessThan(7);
  expect(scrub.dueMicros(10)).toBe(0);
  const state = await scrub.run(work, { isAnew: false });
  expect(state).toMatchObject({ round: undefined, last: { number: 1, objectCount: 7 }, findings: [] });
  expect(scrub.dueMicros(10)).toBe((state.last?.begunMicros ?? 0) + 10);
});

/** Without others all pieces of the group, the newest too, which is the one that the scrub has noted. */
async function fold(world: ScrubWorld, firstSeqs: readonly number[] = [1, 3, 5]): Promise<void> {
  const { key } = await world.opened();
  const pieces: SealedPiece[] = [];
  for (const firstSeq of firstSeqs) {
    pieces.push(await SealedPiece.open(world.store, { group: scrubGroup, firstSeq }, key));
  }
  const rule = { level: 3600, keepsPoint: () => false, keepsMark: () => true };
  const publish = <Done>(finish: () => Promise<Done>): Promise<Done> => finish();
  const parts = { objects: world.store, randomness: new SeededRandom(1), key, group: scrubGroup };
  expect(await foldPieces(parts, { pieces, rule, nowMicros: 1, publish, control: new FreeWork() })).toBe("folded");
}

test("pieces that were folded since are neither missed nor taken for others", async () => {
  const world = await ScrubWorld.make(true);
  expect((await world.scrubbed()).state.findings).toEqual([]);
  await fold(world);
  expect((await world.scrubbed()).state).toMatchObject({ findings: [], repairedCount: 0 });
  for (const firstSeq of [1, 3, 5]) world.store.bytes.delete(name(firstSeq));
  expect((await world.scrubbed()).state.findings).toEqual([]);
});

async function addFourth(world: ScrubWorld): Promise<void> {
  const written: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [21, 22] };
  const opened = await world.opened();
  await opened.store.seal(new ContentSegment(4, [written]), origin);
  await putPiece(world, [written]);
}

test("pieces that are folded while a round is under way make nothing of the one behind them", async () => {
  const world = await ScrubWorld.make(false);
  await addFourth(world);
  const work = new FreeWork();
  let foldedBehind: number | undefined;
  work.pace = async () => {
    if (foldedBehind !== undefined || work.told.at(-1)?.what.startsWith("checks all objects") !== true) return;
    foldedBehind = work.told.at(-1)?.done;
    await fold(world, [3, 5]);
  };
  const { findings, flawCount } = await (await world.scrub()).run(work, { isAnew: true });
  expect([findings, flawCount, foldedBehind]).toEqual([[], 0, 0]);
});

test("each piece is held against the one before it, whichever was looked at last", async () => {
  const world = await ScrubWorld.make(false);
  for (const firstSeq of [1, 5]) await damagePart(world, firstSeq, "records");
  const found = (await world.scrubbed()).state.findings.map(({ object, thing }) => [object, thing]);
  expect(found).toEqual([
    [name(1), "records"],
    [name(5), "records"],
  ]);
});

test("the piece behind says what one was whenever that is looked at", async () => {
  const world = await ScrubWorld.make(false);
  const before = Buffer.from(world.store.bytes.get(name(3)) as Buffer);
  for (const bit of [1, 13]) world.store.flip(name(3), (before.length - 140) * 8 + bit);
  let walks = 0;
  // The journal is at hand only when the piece is looked at once more.
  const walkFrom = (_group: string, seq: number) => (walks++ === 0 ? undefined : journalFrom(seq));
  expect((await world.scrubbed({ walkFrom })).state.findings).toEqual([]);
  expect([world.store.bytes.get(name(3)), walks]).toEqual([before, 2]);
});

test("the newest piece that was noted is not missed where the history begins behind it by now", async () => {
  const world = await ScrubWorld.make(false);
  await world.scrubbed();
  await addFourth(world);
  // So it is not noted instead.
  await damagePart(world, 7, "records");
  for (const firstSeq of [1, 3, 5]) world.store.bytes.delete(name(firstSeq));
  const found = async (oldestSeq: number) => {
    const { findings } = (await world.scrubbed({ oldestSeq: async () => oldestSeq })).state;
    return findings.map(({ object, thing }) => [object, thing]);
  };
  const damaged = [name(7), "records"];
  expect(await found(6)).toEqual([damaged]);
  expect(await found(5)).toEqual([damaged, [name(5), "object"]]);
});

test.each([1, 3, 5])(
  "a piece that a folded one is compared with yet is repaired, or reported: piece %s",
  async (firstSeq) => {
    const world = await ScrubWorld.make(false);
    await fold(world);
    const before = Buffer.from(world.store.bytes.get(name(firstSeq)) as Buffer);
    const repaired = { findings: [], repairedCount: 1 };
    for (const at of [20, 170, before.length - 140, before.length - 20]) {
      world.store.flip(name(firstSeq), at * 8 + 3);
      expect((await world.scrubbed()).state).toMatchObject(repaired);
      expect(world.store.bytes.get(name(firstSeq))).toEqual(before);
    }
    await damagePart(world, firstSeq, "extents");
    expect((await world.scrubbed()).state).toMatchObject(repaired);
    expect(world.store.bytes.get(name(firstSeq))).toEqual(before);
    await damagePart(world, firstSeq, "records");
    expect((await world.scrubbed()).state.findings).toMatchObject([{ object: name(firstSeq), thing: "records" }]);
    // Its table too: only the folded one says then what it was.
    for (const bit of [1, 13]) world.store.flip(name(firstSeq), (before.length - 140) * 8 + bit);
    expect((await world.scrubbed()).state.findings).toMatchObject([{ object: name(firstSeq), thing: "table" }]);
    expect((await world.scrubbed({ walkFrom: (_group, seq) => journalFrom(seq) })).state.findings).toEqual([]);
    expect(world.store.bytes.get(name(firstSeq))).toEqual(before);
  },
);

test.each(["header", "records", "table", "footer"])(
  "fault 18: a bit that has turned in the %s of a folded piece is turned back, and two are reported",
  async (place) => {
    const world = await ScrubWorld.make(false);
    await fold(world);
    const folded = sealedPieceName({ group: scrubGroup, firstSeq: 1, folded: { lastSeq: 6, generation: 1 } });
    const before = Buffer.from(world.store.bytes.get(folded) as Buffer);
    const at = { header: 20, records: 170, table: before.length - 140, footer: before.length - 20 }[place] as number;
    world.store.flip(folded, at * 8 + 3);
    expect((await world.scrubbed()).state).toMatchObject({ findings: [], repairedCount: 1 });
    expect(world.store.bytes.get(folded)).toEqual(before);
    for (const bit of [1, 13]) world.store.flip(folded, at * 8 + bit);
    expect((await world.scrubbed()).state.findings).toMatchObject([{ object: folded }]);
  },
);
