/** Rounds of the scrub over a small store: what it finds, keeps, and repairs. */
import { expect, test } from "vitest";
import { RetryError, StopError } from "#src/core/errors.ts";
import { suspectPauseMs } from "#src/core/store-limits.ts";
import type { SnapshotBlocks } from "#src/journals/snapshot-blocks.ts";
import { addressOf } from "#src/records/address.ts";
import { findingLine, isRemnant } from "#src/store/scrub-finding.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { ContentSegment, ScrubWorld, scrubGroup, startMicros, type Written } from "./scrub-world.ts";

test.each([false, true])("in a store that is whole nothing is found (encrypted: %s)", async (isEncrypted) => {
  const world = await ScrubWorld.make(isEncrypted);
  const before = world.store.copy();
  const scrub = await world.scrub();
  const work = new FreeWork();
  const state = await scrub.run(work, { isAnew: false });
  expect(state.findings.map((finding) => findingLine(finding))).toEqual([]);
  expect(state).toMatchObject({ round: undefined, last: { number: 1, objectCount: 7, repairedCount: 0 } });
  expect(state.reindexedCount).toBe(0);
  world.store.bytes.delete("scrub.json");
  expect(world.store.bytes).toEqual(before.bytes);
});

test("an object that goes, or has a next generation, while others are checked is no damage", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const scrub = await world.scrub(opened);
  const work = new FreeWork();
  const [second, third] = [2, 3].map((segment) => segmentObjectName({ segment, generation: 0 }));
  work.progress = ({ done }) => {
    // All but the last three have been checked.
    if (done === 4) world.store.bytes.delete(third as string);
    if (done === 4) opened.store.segments.published({ segment: 2, generation: 1 });
  };
  const { findings, last } = await scrub.run(work, { isAnew: true });
  expect(findings.filter(({ object }) => object === second || object === third)).toEqual([]);
  expect(last?.objectCount).toBe(7);
});

test("what nothing needs that is kept never will be needed, also once nobody can tell any more", async () => {
  const world = await ScrubWorld.make(false);
  const opened = await world.opened();
  const cutOff: Written = { seq: 7, volume: 1, startBlock: 50, segment: 4, slot: 0, contents: [21, 22] };
  await opened.store.seal(new ContentSegment(4, [cutOff], [0, 1]), { group: scrubGroup, level: 0 });
  const live = (isSettled: boolean) => ({ markLive: async () => ({ has: () => isSettled }) });
  const unsure = await world.scrubbed({ live: live(false) });
  expect(unsure.state.findings).toMatchObject([{ affected: [], isAffectedCut: true }]);
  for (const isSettled of [true, false]) {
    const { findings } = (await world.scrubbed({ live: live(isSettled) })).state;
    expect(findings.filter(isRemnant)).toHaveLength(1);
  }
});

test("behind expired pieces it is told what only a snapshot holds, and what a damaged snapshot costs", async () => {
  const world = await ScrubWorld.make(false);
  for (const name of [...world.store.bytes.keys()]) if (name.startsWith("pieces/")) world.store.bytes.delete(name);
  const [segment, snapshot] = [
    segmentObjectName({ segment: 1, generation: 0 }),
    `snapshots/${scrubGroup}/0000000000000004.0000`,
  ];
  for (const name of [segment, snapshot]) for (const bit of [8 * 170, 8 * 175 + 3]) world.store.flip(name, bit);
  const seen = { seq: 4, timeMicros: startMicros, isBase: true };
  const row = { volume: 1, startBlock: 0, blockCount: 5, address: addressOf(1, 0), ...seen };
  const snapshots: SnapshotBlocks = {
    groups: async () => [scrubGroup],
    lost: async () => [],
    expiredSeq: async () => 6,
    rows: async function* () {
      yield row;
    },
    damages: async function* () {
      yield { object: snapshot, finding: "it is none", seq: 4, isBase: true, isNeeded: true, blocks: undefined };
    },
  };
  const live = { markLive: async () => ({ has: () => true }) };
  const { findings } = (await world.scrubbed({ snapshots, live })).state;
  expect(findings.find(({ object }) => object === segment)?.affected?.[0]).toMatchObject({
    group: scrubGroup,
    volume: 1,
    fromSeq: 4,
  });
  const lines = findings.filter(({ object }) => object === snapshot).map((finding) => findingLine(finding));
  expect(lines).toEqual([expect.stringContaining(`points from record 4 on of group ${scrubGroup} cannot be opened`)]);
});

test("a snapshot that is lost, and that points are made from, is found in each round until it is back", async () => {
  const world = await ScrubWorld.make(false);
  const object = `snapshots/${scrubGroup}/0000000000000005.0000`;
  const lost = { object, seq: 5, isBase: true };
  let isLost = true;
  const snapshots: SnapshotBlocks = {
    groups: async () => [scrubGroup, "f".repeat(32)],
    lost: async (group) => {
      if (group !== scrubGroup) throw new StopError("its history is damaged");
      return isLost ? [lost] : [];
    },
    expiredSeq: async () => -1,
    rows: async function* () {},
    damages: async function* () {
      if (isLost) yield { ...lost, finding: "it is not there", isNeeded: true, blocks: undefined };
    },
  };
  for (let round = 1; round <= 2; round++) {
    const { findings, last } = (await world.scrubbed({ snapshots })).state;
    expect([last?.number, findings.map((finding) => findingLine(finding))]).toEqual([
      round,
      [
        `${object}: object: it was there, and is gone; points from record 5 on of group ${scrubGroup} cannot be opened, ` +
          "whatever the volume; not repaired: there is no second copy of it",
      ],
    ]);
  }
  isLost = false;
  expect((await world.scrubbed({ snapshots })).state.findings).toEqual([]);
});

test("where a read has met damage it is looked before anything else, and what is found is kept", async () => {
  const world = await ScrubWorld.make(false);
  const scrub = await world.scrub();
  const [name] = [3].map((segment) => segmentObjectName({ segment, generation: 0 }));
  for (const bit of [8 * 170, 8 * 175 + 3]) world.store.flip(name as string, bit);
  expect(scrub.hasSuspects).toBe(false);
  scrub.suspect(3);
  // Nobody has it any more.
  scrub.suspect(99);
  await scrub.checkSuspects(new FreeWork());
  expect(scrub.hasSuspects).toBe(false);
  expect(scrub.state).toMatchObject({
    round: undefined,
    last: undefined,
    findings: [{ object: name, thing: "frames" }],
  });
  expect(scrub.state.findings[0]?.affected?.length).toBeGreaterThan(0);
  expect((await world.scrub()).state.findings).toHaveLength(1);
});

test("where it cannot be looked just now it is looked later, and what else there is to do goes on", async () => {
  const world = await ScrubWorld.make(false);
  const simulation = new Simulation(1);
  const scrub = await world.scrub({ clock: simulation.host("a").clock });
  for (const bit of [8 * 170, 8 * 175 + 3]) world.store.flip(segmentObjectName({ segment: 3, generation: 0 }), bit);
  scrub.suspect(3);
  const hindered = new FreeWork();
  hindered.pace = async () => Promise.reject(new RetryError("there is no room"));
  await expect(scrub.checkSuspects(hindered)).rejects.toThrow("there is no room");
  expect([scrub.hasSuspects, scrub.state.findings]).toEqual([false, []]);
  simulation.clock.advance(suspectPauseMs);
  expect(scrub.hasSuspects).toBe(true);
  await scrub.checkSuspects(new FreeWork());
  expect([scrub.hasSuspects, scrub.state.findings.length]).toEqual([false, 1]);
});

test("during a round it is looked there next", async () => {
  const world = await ScrubWorld.make(false);
  const scrub = await world.scrub();
  const name = segmentObjectName({ segment: 3, generation: 0 });
  for (const bit of [8 * 170, 8 * 175 + 3]) world.store.flip(name, bit);
  const work = new FreeWork();
  const foundAt: number[] = [];
  work.progress = ({ done, what }) => {
    if (!what.startsWith("checks all")) return;
    if (done === 1) scrub.suspect(3);
    if (scrub.state.findings.length > 0) foundAt.push(done);
  };
  await scrub.run(work, { isAnew: true });
  expect(foundAt[0]).toBe(2);
});
