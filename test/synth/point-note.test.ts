/** Times as points, where the clock that records have theirs from and the one that they are asked by are not at the same time. */
import { expect, test } from "vitest";
import { recordTimeText } from "#src/core/record-time.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import type { PlainRecord } from "#test/journals/random-units.ts";
import { PointWorld } from "./point-world.ts";

const [secondMicros, yearMicros] = [1e6, 365 * 86_400e6];

/** Records behind those of volumes that are written to, at these times from now on; answers their seqs. */
async function worldWith(...fromNowMicros: readonly number[]) {
  const world = await PointWorld.make(8);
  world.write(20);
  const nowMicros = Math.round(world.host.clock.wallMs() * 1000);
  const seqs = fromNowMicros.map((micros) => {
    const { epoch, seq } = world.records.at(-1) as PlainRecord;
    const extra = encodeExtra({ name: "m" });
    const nothing = { startBlock: 0, blockCount: 0, address: 0, ordinal: 0, level: 0, extraAt: 0 };
    const facts = { type: recordType.mark, volume: 0, seq: seq + 1, timeMicros: nowMicros + micros, epoch };
    world.writeUnits([
      {
        firstSeq: seq + 1,
        isAggregate: false,
        records: [{ ...facts, ...nothing, extraBytes: extra.length }],
        bytes: extra,
      },
    ]);
    return seq + 1;
  });
  await world.open();
  const at = (micros: number) => world.run(world.points.resolve(1, recordTimeText(nowMicros + micros)));
  return { world, seqs, at };
}

test("a time behind the newest record says that more may come, and the newest one's own does not", async () => {
  const { seqs, at } = await worldWith(-20 * secondMicros, -10 * secondMicros);
  expect(await at(-5 * secondMicros)).toMatchObject({
    point: { seq: seqs[1] },
    note: expect.stringMatching(/^it is the newest that is durable here: .* has not come yet$/),
  });
  for (const [place, seq] of seqs.entries()) {
    expect(await at((place - 2) * 10 * secondMicros)).toEqual({ point: expect.objectContaining({ seq }) });
  }
});

test("a time that is yet to come here, and that records have come to, is a point", async () => {
  const { seqs, at } = await worldWith(2 * secondMicros, 3 * secondMicros);
  expect(await at(2 * secondMicros)).toEqual({ point: expect.objectContaining({ seq: seqs[0] }) });
  expect(await at(4 * secondMicros)).toMatchObject({ point: undefined, why: expect.stringMatching(/yet to come$/) });
});

test("behind a clock that was a year ahead the last record before it does not pass for the newest", async () => {
  const { seqs, at } = await worldWith(-20 * secondMicros, -10 * secondMicros, yearMicros, yearMicros + secondMicros);
  expect(await at(-5 * secondMicros)).toMatchObject({
    point: { seq: seqs[1] },
    note: expect.stringContaining(`up to seq:${seqs[3]} (`),
  });
  expect(await at(-15 * secondMicros)).toEqual({ point: expect.objectContaining({ seq: seqs[0] }) });
});

test("the pieces of now are looked at for a note only where records are from times that are yet to come", async () => {
  const world = await PointWorld.make(9);
  const ends: PlainRecord[] = [];
  for (let piece = 0; piece < 8; piece++) {
    world.write(12);
    await world.seal();
    ends.push(world.records.at(-1) as PlainRecord);
  }
  await world.open();
  const names = (await world.run(world.pieces())).map(({ name }) => name);
  world.readObjects.clear();
  const wanted = recordTimeText(ends[1]?.timeMicros ?? 0);
  expect((await world.run(world.points.resolve(1, wanted))).point).toBeDefined();
  // The search begins in the middle; the end of the newest is known.
  expect(names.flatMap((name, index) => (index > 4 && world.readObjects.has(name) ? [index] : []))).toEqual([]);
});
