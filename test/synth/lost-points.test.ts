/** Times, `now` and names of marks where what they mean may be among records that are damaged or missing: nothing older stands for it. */
import { expect, test } from "vitest";
import { recordExtraBytesMax } from "#src/core/limits.ts";
import { pointDamageMs, pointListMs } from "#src/core/point-limits.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { objectOfPiece } from "#src/journals/sealed-piece-format.ts";
import { addressOf } from "#src/records/address.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { partType } from "#src/store/part.ts";
import { inWords } from "#src/synth/group-points.ts";
import { flip, partsOf } from "./object-flips.ts";
import { PointWorld, storeFolder } from "./point-world.ts";

const secondMicros = 1e6;
const microsOf = (seq: number): number => 1_700_000_000_000_000 + seq * secondMicros;

/** A second behind the record before; answers its seq. */
function tell(world: PointWorld, type: number, extra?: object): number {
  const seq = world.lastSeq + 1;
  const bytes = extra === undefined ? Buffer.alloc(0) : encodeExtra(extra);
  const place =
    type === recordType.write
      ? { volume: 1, startBlock: 3, blockCount: 1, address: addressOf(1, seq) }
      : { volume: 0, startBlock: 0, blockCount: 0, address: 0 };
  const facts = { type, seq, timeMicros: microsOf(seq), epoch: 1, ordinal: 0, level: 0 };
  const records = [{ ...facts, ...place, extraBytes: bytes.length, extraAt: 0 }];
  world.writeUnits([{ firstSeq: seq, isAggregate: false, records, bytes }]);
  return seq;
}

/** Each begins with a mark so long that a page of a piece takes two of them. Answers the seqs of marks with these names. */
function chapters(world: PointWorld, names: readonly string[]): number[] {
  return names.map((name) => {
    tell(world, recordType.mark, { name: "x".repeat(recordExtraBytesMax - 200) });
    tell(world, recordType.write);
    const mark = tell(world, recordType.mark, { name });
    tell(world, recordType.write);
    return mark;
  });
}

const none = "none";

/** Three pieces, the first of six pages with two chapters each. */
async function storedWorld(seed: number) {
  const world = await PointWorld.make(seed);
  const names = Array.from({ length: 12 }, () => none);
  const [early, late, once] = [1, 5, 9] as const;
  for (const chapter of [early, late]) names[chapter] = "nightly";
  names[once] = "once";
  const marks = chapters(world, names);
  const first = await world.seal();
  const [, second] = chapters(world, [none, "second", none]);
  const middle = await world.seal();
  chapters(world, [none, none, none]);
  const last = await world.seal();
  const seqs = { early: marks[early] as number, late: marks[late] as number, once: marks[once] as number };
  return { world, pieces: [first, middle, last] as const, marks: { ...seqs, second: second as number } };
}

/** The number of the piece's page that holds the record. */
function pageOf(piece: SealedPiece, seq: number): number {
  const pages = Array.from({ length: piece.recordPageCount }, (_, page) => piece.recordPagePlace(page));
  return pages.findIndex(({ lastSeq }) => lastSeq >= seq);
}

/** Answers the last record before it, and its own last. */
async function damagePage(world: PointWorld, piece: SealedPiece, page: number) {
  const parts = await partsOf(world, piece.name, objectOfPiece(piece.identity));
  flip(world, piece.name, (parts.filter(({ type }) => type === partType.records)[page]?.offset ?? 0) + 40);
  const { firstSeq, lastSeq } = piece.recordPagePlace(page);
  expect([page > 0, lastSeq - firstSeq > 3]).toEqual([true, true]);
  return { beforeSeq: firstSeq, lastSeq };
}

const asked = (world: PointWorld, words: string) => world.run(world.points.resolve(1, words));
const at = (world: PointWorld, micros: number) => asked(world, recordTimeText(micros));

async function refusal(world: PointWorld, words: string): Promise<string> {
  const answer = await asked(world, words);
  return answer.point === undefined ? inWords(answer) : `a point: ${answer.point.seq}`;
}

/** Nothing from the one up to the other is told; their own times, and all beside them, are. */
async function expectHidden(world: PointWorld, beforeSeq: number, afterSeq: number, why: RegExp): Promise<void> {
  const [before, after] = [microsOf(beforeSeq), microsOf(afterSeq)];
  // Records have the time of their batch: the next one may have been made at the same.
  for (const micros of [before, before + 1, before + secondMicros, after - 1]) {
    const answer = await at(world, micros);
    expect(answer).toMatchObject({ point: undefined, before: { seq: beforeSeq }, after: { seq: afterSeq } });
    expect(answer).toMatchObject({ why: expect.stringMatching(why) as string });
    expect(answer).not.toHaveProperty("mayCome");
    expect(answer).not.toHaveProperty("isNew");
  }
  expect((await at(world, before - 1)).point?.seq).toBe(beforeSeq - 1);
  for (const micros of [after, after + 1]) expect((await at(world, micros)).point?.seq).toBe(afterSeq);
  for (let seq = 5; seq <= world.lastSeq; seq++) {
    if (seq < beforeSeq || seq >= afterSeq) expect((await at(world, microsOf(seq))).point?.seq).toBe(seq);
  }
}

test("fault 18: a time within damaged records is refused with the points beside them, and all others are told", async () => {
  const { world, pieces } = await storedWorld(71);
  const { beforeSeq, lastSeq } = await damagePage(world, pieces[0], 2);
  await world.open();
  const why = new RegExp(`cannot be told: records ${beforeSeq + 1} to ${lastSeq} are damaged: ${pieces[0].name}`);
  await expectHidden(world, beforeSeq, lastSeq, why);
  expect((await asked(world, "now")).point?.seq).toBe(world.lastSeq);
  expect(await refusal(world, recordTimeText(microsOf(beforeSeq + 1)))).toContain(
    `the nearest points are before it seq:${beforeSeq} (`,
  );
});

test("fault 18: so is one within a piece that cannot be opened, or is missing", async () => {
  for (const isLost of [false, true]) {
    const { world, pieces } = await storedWorld(72);
    const [first, second, third] = pieces;
    if (isLost) world.host.files.remove(`${storeFolder}/${second.name}`);
    else flip(world, second.name, 20);
    await world.open();
    const { firstSeq } = second.identity;
    const seqs = `records ${firstSeq} to ${second.numbers.lastSeq}`;
    const why = new RegExp(isLost ? `${seqs} are lost, and points behind are spoiled` : `${seqs} are damaged: `);
    await expectHidden(world, first.numbers.lastSeq, third.identity.firstSeq, why);
    expect((await asked(world, "now")).point?.seq).toBe(world.lastSeq);
  }
});

test("who takes the point before one that is none hears what is lost between the two, and nothing where all is there", async () => {
  const { world, pieces } = await storedWorld(78);
  const { beforeSeq, lastSeq } = await damagePage(world, pieces[0], 2);
  await world.open();
  const skipped = `records ${beforeSeq + 1} to ${lastSeq} are damaged: `;
  for (const words of [`seq:${beforeSeq + 1}`, recordTimeText(microsOf(beforeSeq + 1))]) {
    expect(await asked(world, words)).toMatchObject({
      ...{ point: undefined, before: { seq: beforeSeq } },
      skipped: expect.stringContaining(skipped) as string,
    });
  }
  // Nothing is lost between the newest and what is yet to come.
  expect(await asked(world, `seq:${world.lastSeq + 1}`)).not.toHaveProperty("skipped");
});

test("fault 18: damage that comes when all was read before hides what is in it all the same", async () => {
  const { world, pieces } = await storedWorld(73);
  await world.open();
  const { firstSeq, lastSeq } = pieces[0].recordPagePlace(3);
  expect((await at(world, microsOf(firstSeq + 2))).point?.seq).toBe(firstSeq + 2);
  await damagePage(world, pieces[0], 3);
  await expectHidden(world, firstSeq, lastSeq, /are damaged: /);
});

test("fault 18: where the newest piece is damaged, and nothing is behind it, neither now nor a time means what is older", async () => {
  const { world, pieces } = await storedWorld(74);
  const [, second, third] = pieces;
  world.durableSeq = 0;
  flip(world, third.name, 20);
  await world.open();
  const before = { seq: second.numbers.lastSeq };
  const newest = await asked(world, "now");
  expect(newest).toMatchObject({ point: undefined, before, after: undefined });
  expect(newest).toMatchObject({
    why: expect.stringMatching(/^which point is the newest cannot be told: record/) as string,
  });
  expect([newest, await at(world, microsOf(world.lastSeq))].map((answer) => "isNew" in answer)).toEqual([false, false]);
  expect(await at(world, microsOf(world.lastSeq))).toMatchObject({ point: undefined, before });
  expect(await refusal(world, `seq:${world.lastSeq}`)).toMatch(/not durable here yet, or lost: record .* is damaged/);
  expect((await at(world, microsOf(before.seq) - 1)).point?.seq).toBe(before.seq - 1);
  flip(world, third.name, 20);
  await world.pass(Math.max(pointListMs, pointDamageMs) + 1);
  expect((await asked(world, "now")).point?.seq).toBe(world.lastSeq);
  expect((await at(world, microsOf(world.lastSeq))).point?.seq).toBe(world.lastSeq);
});

test("fault 18: what lies behind a newest piece that is damaged, or missing, is told, and nothing between", async () => {
  for (const isLost of [false, true]) {
    const { world, pieces } = await storedWorld(75);
    const [, second, third] = pieces;
    world.cutJournal();
    const open = tell(world, recordType.write);
    tell(world, recordType.write);
    if (isLost) world.host.files.remove(`${storeFolder}/${third.name}`);
    else flip(world, third.name, 20);
    await world.open();
    expect((await asked(world, "now")).point?.seq).toBe(world.lastSeq);
    await expectHidden(world, second.numbers.lastSeq, open, isLost ? /are lost, / : /is damaged: /);
  }
});

test("fault 18: a mark that may be within damaged records is not looked for before them", async () => {
  const { world, pieces, marks } = await storedWorld(76);
  const { beforeSeq, lastSeq } = await damagePage(world, pieces[0], pageOf(pieces[0], marks.late));
  await world.open();
  const nightly = await asked(world, "mark:nightly");
  expect(nightly).toMatchObject({ point: undefined, before: { seq: beforeSeq }, after: { seq: lastSeq } });
  expect(await refusal(world, "mark:nightly")).toMatch(
    new RegExp(`^the last mark 'nightly' that can be read is seq:${marks.early} .* a later one may be lost: records`),
  );
  for (const [name, seq] of Object.entries({ once: marks.once, second: marks.second })) {
    expect((await asked(world, `mark:${name}`)).point).toMatchObject({ seq, mark: name });
  }
  expect(await asked(world, "mark:never")).toMatchObject({
    ...{ point: undefined, mayCome: true },
    why: expect.stringMatching(/^no mark 'never' has come here that can be read: records/) as string,
  });
  expect((await asked(world, `seq:${marks.early}`)).point?.seq).toBe(marks.early);
});

test("of marks of one name the last is told where damage lies before it", async () => {
  const { world, pieces, marks } = await storedWorld(77);
  await damagePage(world, pieces[0], pageOf(pieces[0], marks.late) - 1);
  await world.open();
  expect((await asked(world, "mark:nightly")).point?.seq).toBe(marks.late);
});

test("fault 18: a mark that may be in a piece that cannot be opened, or is missing, is refused", async () => {
  for (const isLost of [false, true]) {
    const { world, pieces, marks } = await storedWorld(78);
    if (isLost) world.host.files.remove(`${storeFolder}/${pieces[1].name}`);
    else flip(world, pieces[1].name, 20);
    await world.open();
    expect(await refusal(world, "mark:second")).toMatch(/^no mark 'second' has come here that can be read: records/);
    expect(await refusal(world, "mark:once")).toMatch(
      new RegExp(`seq:${marks.once} \\(.*\\), and a later one may be lost: records`),
    );
    chapters(world, ["once"]);
    expect((await asked(world, "mark:once")).point?.seq).toBe(world.lastSeq - 1);
  }
});

test("fault 12: where a journal that is durable cannot be read to its end, what is there is not the newest", async () => {
  const world = await PointWorld.make(44);
  world.write(40);
  world.damageOpenPiece();
  await world.open();
  const { newestSeq: seq } = world.points;
  const ends = world.records.filter((record) => record.seq === seq || record.seq === world.lastSeq);
  for (const words of ["now", ...ends.map(({ timeMicros }) => recordTimeText(timeMicros))]) {
    expect(await asked(world, words)).toMatchObject({
      ...{ point: undefined, before: { seq }, after: undefined },
      why: expect.stringMatching(/the journal is damaged at record/) as string,
    });
  }
  expect((await asked(world, `seq:${seq}`)).point?.seq).toBe(seq);
});
