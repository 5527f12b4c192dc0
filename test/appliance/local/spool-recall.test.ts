import { expect, test } from "vitest";
import { recalledFrom } from "#src/appliance/local/spool-recall.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { WantedBlock } from "#src/wire/group-link.ts";
import { SpoolWorld } from "./spool-world.ts";

const of = (seq: number, offset = 0): WantedBlock => ({ seq, volume: 1, block: seq + offset });

/** What such a block begins with; undefined where it is not there. */
async function recalled(world: SpoolWorld, wanted: readonly WantedBlock[], isOver = () => false): Promise<unknown[]> {
  const { spool, host: machine } = world;
  const blocks = await world.finish(recalledFrom({ spool, machine }, wanted, isOver));
  return blocks.map((block) => (block === undefined ? undefined : wordsOf(block)));
}

function wordsOf(block: Buffer): readonly string[] {
  const [, ...words] = /^(\d+) of generation \d+, (\d+)/.exec(block.toString("latin1")) ?? ["", "another"];
  return words;
}

const block = (seq: number, offset = 0) => [String(seq), String(offset * blockBytes)];

test("each block is found by the record that wrote it, wherever that stands in its batch", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([2, 0, 3]);
  world.append([1]);
  world.append([1, 1]);
  const wanted = [of(6), of(5), of(3, 2), of(3, 0), of(1, 1), of(1)];
  expect(await recalled(world, wanted)).toEqual([block(6), block(5), block(3, 2), block(3), block(1, 1), block(1)]);
});

test("nothing else passes for it: a trim, another block, volume or record", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([2, 0, 3]);
  const wanted = [of(2), of(1, 2), { seq: 1, volume: 2, block: 1 }, { seq: 3, volume: 1, block: 2 }, of(4), of(0)];
  expect(await recalled(world, [...wanted, of(3)])).toEqual([...wanted.map(() => undefined), block(3)]);
});

test("what was released is there until its file is used again", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 6; count++) world.append([2]);
  await world.sync();
  world.release(2);
  expect(await recalled(world, [of(1), of(6)])).toEqual([block(1), block(6)]);
  while (world.spool.firstSeq === 1) {
    world.append([2]);
    await world.sync();
    world.release(world.spool.lastSeq - 1);
  }
  const { firstSeq, lastSeq } = world.spool;
  expect(await recalled(world, [of(1), of(firstSeq), of(lastSeq)])).toEqual([
    undefined,
    block(firstSeq),
    block(lastSeq),
  ]);
});

test("after a start it is found too", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([1, 2]);
  await world.sync();
  world.spool.close();
  await world.open();
  expect(await recalled(world, [of(2, 1)])).toEqual([block(2, 1)]);
});

test("what the disk does not give, or gives wrong heads of, is not there, and nothing else happens", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([1]);
  const position = world.spool.endPosition;
  world.append([1]);
  await world.sync();
  const { path, offset } = world.placeOf(position);
  const handle = world.host.files.open(path, "readWrite");
  handle.writeNow(Buffer.alloc(64, 0xee), 0, 64, offset);
  handle.close();
  expect(await recalled(world, [of(2), of(1)])).toEqual([undefined, block(1)]);
});

test("a spool that is closed meanwhile is not read any more", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([1, 1, 1]);
  let looks = 0;
  expect(await recalled(world, [of(3), of(2), of(1)], () => ++looks > 2)).toEqual([block(3), undefined, undefined]);
});

test("hosts have their turn between two looks, not between blocks of one record", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append([3, 1]);
  const { clock } = world.host;
  const began = clock.monotonicMs();
  await recalled(world, [of(1), of(1, 1), of(1, 2)]);
  expect(clock.monotonicMs()).toBe(began);
  await recalled(world, [of(2), of(1)]);
  expect(clock.monotonicMs()).toBeGreaterThan(began);
});
