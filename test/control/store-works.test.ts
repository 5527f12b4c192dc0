/** What long works over the store answer, for people and for programs. */
import { expect, test } from "vitest";
import { scrubFacts } from "#src/control/store-state.ts";
import { type OpenStore, workOn } from "#src/control/store-works.ts";
import type { ScrubState } from "#src/journals/store-scrub.ts";
import type { ScrubFinding } from "#src/store/scrub-finding.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { ScrubWorld, scrubGroup } from "#test/journals/scrub-world.ts";

test("a scrub tells its findings line by line, by the volumes' names, and as what they are", async () => {
  const seen = { group: scrubGroup, startBlock: 9, blockCount: 1, fromSeq: 4, fromMicros: 0 };
  const finding: ScrubFinding = {
    object: "segments/000000000007.0000",
    thing: "blocks",
    finding: "its checksum does not fit",
    count: 1,
    slots: [{ slot: 5, count: 1 }],
    foundMicros: 9,
    affected: [
      { ...seen, volume: 1 },
      { ...seen, volume: 2 },
    ],
    obstacle: "no second copy of it is known",
  };
  const state = {
    last: undefined,
    findings: [finding],
    unlistedCount: 0,
    damagedBlocks: 1,
    repairs: ["one was repaired"],
  };
  const { store: objects } = await ScrubWorld.make(false);
  const open = { scrub: { run: async () => state }, objects } as unknown as OpenStore;
  const result = await workOn(open, { kind: "scrub", isDry: false }, {} as WorkControl);
  expect(result).toMatchObject({ isSound: false, figures: { findings: 1 } });
  expect(result.lines).toEqual([
    "one was repaired",
    "segments/000000000007.0000: blocks: its checksum does not fit; slots 5; cannot be read: volume one of group group " +
      "blocks 9+1 from 4 (1970-01-01T00:00:00.000Z) on, volume 2 of group group blocks 9+1 from 4 " +
      "(1970-01-01T00:00:00.000Z) on; not repaired: no second copy of it is known; where the source still has it: " +
      "tidemark volume resync one, tidemark volume resync NAME, and then tidemark scrub",
  ]);
  expect(result.findings).toEqual([finding]);
});

test("what a crash left of a write that never landed, and nothing points to, is no trouble", async () => {
  const remnant: ScrubFinding = {
    object: "segments/000000000007.0000",
    thing: "sealed",
    finding: "they were not what had been written when they were sealed",
    count: 1,
    slots: [{ slot: 5, count: 1 }],
    foundMicros: 9,
    affected: [],
    isAffectedCut: false,
    obstacle: "no second copy of it is known",
  };
  const soundWith = async (finding: ScrubFinding): Promise<boolean> => {
    const state = { last: undefined, findings: [finding], unlistedCount: 0, damagedBlocks: 1, repairs: [] };
    const { store: objects } = await ScrubWorld.make(false);
    const open = { scrub: { run: async () => state }, objects } as unknown as OpenStore;
    return (await workOn(open, { kind: "scrub", isDry: false }, {} as WorkControl)).isSound;
  };
  expect(await soundWith(remnant)).toBe(true);
  expect(await soundWith({ ...remnant, isAffectedCut: true })).toBe(false);
  expect(await soundWith({ ...remnant, thing: "frames" })).toBe(false);
  const affected = [{ group: scrubGroup, volume: 1, startBlock: 9, blockCount: 1, fromSeq: 4, fromMicros: 0 }];
  expect(await soundWith({ ...remnant, affected })).toBe(false);
});

test("what a crash leaves of a write counts as nothing that is damaged", () => {
  const slots = [{ slot: 5, count: 3 }];
  const facts = { object: "segments/000000000007.0000", finding: "it was", count: 3, slots, foundMicros: 9 };
  const remnant: ScrubFinding = { ...facts, thing: "sealed", affected: [], obstacle: "nobody has it" };
  const state = { round: undefined, last: undefined, unlistedCount: 0, damagedBlocks: 3 } as never as ScrubState;
  const toldOf = (...findings: ScrubFinding[]) => scrubFacts({ ...state, findings });
  expect(toldOf(remnant)).toMatchObject({ findings: 0, damagedBlocks: 0 });
  const blocks: ScrubFinding = { ...remnant, thing: "blocks", slots: [{ slot: 7, count: 2 }] };
  expect(toldOf(remnant, blocks)).toMatchObject({ findings: 1, damagedBlocks: 2 });
  const affected = [{ group: scrubGroup, volume: 1, startBlock: 9, blockCount: 1, fromSeq: 4, fromMicros: 0 }];
  expect(toldOf({ ...remnant, affected })).toMatchObject({ findings: 1, damagedBlocks: 3 });
  // Until it was looked what needs them, they may be needed.
  const { affected: _, ...untraced } = remnant;
  expect(toldOf(untraced, blocks)).toMatchObject({ findings: 2, damagedBlocks: 4 });
});
