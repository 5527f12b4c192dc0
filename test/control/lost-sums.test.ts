/** Sums of a closed segment that a disk has lost, and blocks that come back from the local appliance. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { LostSums } from "#src/control/lost-sums.ts";
import { keepStore } from "#src/control/store-keeper.ts";
import type { StoreAnswer, StoreRecall } from "#src/control/store-words.ts";
import { blockBytes } from "#src/core/limits.ts";
import { lostSumsWaitMs } from "#src/core/recall-limits.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import type { Recall } from "#src/journals/recalled-copies.ts";
import { sumBytes, sumPosition } from "#src/journals/sums-format.ts";
import { blockState, SlotRun } from "#src/store/slot-run.ts";
import type { WantedBlock } from "#src/wire/group-link.ts";
import { groupA, hello, RemoteWorld } from "#test/appliance/remote/remote-world.ts";
import { driven } from "#test/contract/driver.ts";
import { blockOf, wireBatch } from "#test/journals/wire-batch.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";

const { none, sound, damaged } = blockState;
const segment = 1;

/** Three writes of two blocks each, all durable: slots 0 to 5 of a closed segment. */
async function written(): Promise<RemoteWorld> {
  const world = new RemoteWorld(1);
  await world.start();
  const peer = await world.connect(hello());
  for (const firstSeq of [1, 2, 3]) {
    peer.send(wireBatch({ firstSeq }, [{ volume: 4, startBlock: 10 * firstSeq, blockCount: 2, content: firstSeq }]));
  }
  await world.durable(peer, 3);
  await world.stop();
  expect(world.folder().segments(world.host.files)).toEqual([segment]);
  return world;
}

/** The disk has never written these; behind the last one there are `behind` more that nothing speaks of. */
function loseSums(world: RemoteWorld, first: number, count: number, behind = 0): void {
  const sums = world.host.files.open(world.folder().sumsPath(segment), "readWrite");
  if (count > 0) sums.writeNow(Buffer.alloc(count * sumBytes), 0, count * sumBytes, sumPosition(first));
  if (behind > 0) sums.truncateNow(sumPosition(6 + behind));
  sums.close();
}

/** The spool has the records from this one on. */
function spoolFrom(firstSeq: number) {
  const asked: WantedBlock[] = [];
  const recall: Recall = async (group, wanted) => {
    expect(group).toBe(groupA);
    asked.push(...wanted);
    return wanted.map(({ seq, block }) => (seq < firstSeq ? undefined : blockOf(seq, block - 10 * seq)));
  };
  return { recall, asked };
}

async function sourceOf(world: RemoteWorld, lostSums: LostSums) {
  const { host, driver } = world;
  const folder = world.folder();
  const closed = new ClosedSegmentFiles({ files: host.files, folder, group: groupA, segment });
  try {
    const request = { group: groupA, folder: folder.path, segment };
    const source = await driven(
      driver,
      lostSums.sourceOf(closed, request, () => {}),
    );
    const run = new SlotRun();
    source.read(0, source.slotCount, run);
    const block = (slot: number): Buffer => run.blocks.subarray(slot * blockBytes, (slot + 1) * blockBytes);
    // Not the run itself: a test that fails would print all of it.
    const [states, volumes] = [run.states, run.volumes].map((array) => [...array.subarray(0, source.slotCount)]);
    return { states, volumes, block };
  } finally {
    closed.close();
  }
}

test("fault 18: of a block whose sum is lost the local appliance is asked, and of a slot that never came to count nobody", async () => {
  const world = await written();
  loseSums(world, 2, 2, 3);
  const { recall, asked } = spoolFrom(2);
  const { states, volumes, block } = await sourceOf(world, new LostSums({ machine: world.host, recall }));
  expect(states).toEqual([sound, sound, sound, sound, sound, sound, none, none, none]);
  expect(asked).toEqual([
    { seq: 2, volume: 4, block: 20 },
    { seq: 2, volume: 4, block: 21 },
  ]);
  expect(volumes?.slice(0, 6)).toEqual([4, 4, 4, 4, 4, 4]);
  for (const slot of [2, 3]) expect(block(slot).equals(blockOf(2, slot - 2))).toBe(true);
});

test("fault 18: slots that no durable record points to stay what they are, and nobody is asked", async () => {
  const world = await written();
  loseSums(world, 0, 0, 3);
  const { recall, asked } = spoolFrom(1);
  const { states } = await sourceOf(world, new LostSums({ machine: world.host, recall }));
  expect(states).toEqual([sound, sound, sound, sound, sound, sound, none, none, none]);
  expect(asked).toEqual([]);
});

test("fault 18: where the sums are gone with their file, and the blocks with theirs, what the spool has not is damaged", async () => {
  const world = await written();
  const { files } = world.host;
  files.remove(world.folder().sumsPath(segment));
  files.remove(world.folder().dataPath(segment));
  files.create(world.folder().sumsPath(segment)).close();
  const { states, volumes } = await sourceOf(world, new LostSums({ machine: world.host, recall: spoolFrom(3).recall }));
  expect(states).toEqual([damaged, damaged, damaged, damaged, sound, sound]);
  expect(volumes).toEqual([4, 4, 4, 4, 4, 4]);
});

test("fault 18: while nobody answers who may have the blocks nothing is sealed, but not for ever", async () => {
  const world = await written();
  loseSums(world, 2, 2);
  const lostSums = new LostSums({ machine: world.host, recall: async () => [] });
  await expect(sourceOf(world, lostSums)).rejects.toMatchObject({
    name: "RetryError",
    message: expect.stringContaining("waits for the group's local appliance"),
  });
  let isOver = false;
  world.host.clock.timer(lostSumsWaitMs, () => {
    isOver = true;
  });
  await world.driver.until(() => isOver);
  expect((await sourceOf(world, lostSums)).states).toEqual([sound, sound, damaged, damaged, sound, sound]);
});

test("fault 18: nothing is sealed while the journal cannot say which blocks have lost their sums", async () => {
  const world = await written();
  loseSums(world, 2, 2);
  for (const bit of [1, 2]) world.host.disk.fileAt(`${world.folder().path}/group.json`).flipBit(40, bit);
  const lostSums = new LostSums({ machine: world.host, recall: spoolFrom(1).recall });
  await expect(sourceOf(world, lostSums)).rejects.toMatchObject({ name: "RetryError" });
});

test("fault 18: what came back is sealed, and what did not is counted, and told by a scrub to stay lost", async () => {
  const world = await written();
  const { host, driver } = world;
  loseSums(world, 0, 4);
  const { recall } = spoolFrom(2);
  const answers: StoreAnswer[] = [];
  let ask: (message: unknown) => void = () => {};
  const send = (message: StoreAnswer | StoreRecall): void => {
    if ("id" in message) answers.push(message);
    if (!("recall" in message)) return;
    const { id, group, wanted } = message.recall;
    void recall(group, wanted).then((blocks) => {
      ask({ id: 100 + id, word: "recalled", ask: { id, blocks: blocks.map((block) => block ?? null) } });
    });
  };
  const { config } = loadConfig({ environment: {}, assignments: ["data=/", "store.folder=/store"], folder: "/" });
  keepStore(
    {
      send: (message) => send(message as StoreAnswer | StoreRecall),
      receive: (listener) => {
        ask = listener;
      },
    },
    { config, folder: "/store", indexFolder: "/index", isIndexSuspect: false, wrappingKey: undefined },
    {
      machine: host,
      maps: new SimSortedMaps(host.files),
      indexBounds: { filterBytesMax: 4096, gatherBytesMax: 65_536 },
    },
  );
  ask({ id: 1, word: "seal", ask: { group: groupA, folder: world.folder().path, segment } });
  await driver.until(() => answers.some(({ id }) => id === 1));
  expect(answers.find(({ id }) => id === 1)).toMatchObject({
    answer: { isThere: true, figures: { damagedBlocks: 2, logicalBytes: 4 * blockBytes } },
  });
  ask({ id: 2, word: "work", ask: { kind: "scrub", isDry: false, isAnew: true } });
  await driver.until(() => answers.some(({ id }) => id === 2));
  const stayLost = /\(2\): a disk had lost their checksums .*; slots 0-1; .*not repaired: .*no other block can be told/;
  expect(answers.find(({ id }) => id === 2)).toMatchObject({
    answer: { lines: [expect.stringMatching(stayLost)] },
  });
});
