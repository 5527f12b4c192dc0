import { expect, test, vi } from "vitest";
import { KeeperProcess } from "#src/control/keeper-process.ts";
import { NamesDoubt } from "#src/control/names-doubt.ts";
import type { WorkRequest } from "#src/control/store-work.ts";
import { RetryError } from "#src/core/errors.ts";
import { keeperBeatMs, keeperPatienceMs, keeperSilenceMs } from "#src/core/store-limits.ts";
import { wholeJournal } from "#src/journals/journal-start.ts";
import type { Recall } from "#src/journals/recalled-copies.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { patience } from "#test/patience.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ScriptedKeeper } from "./scripted-keeper.ts";

function opened(recall?: Recall) {
  const simulation = new Simulation(1);
  const host = simulation.host("remote");
  const keepers: ScriptedKeeper[] = [];
  const start = (isIndexSuspect: boolean) => {
    const one = new ScriptedKeeper(isIndexSuspect);
    keepers.push(one);
    return one;
  };
  const doubt = NamesDoubt.open(host, "/names-doubt.json");
  const lacks: string[] = [];
  const keeper = new KeeperProcess({ start, machine: host, doubt, lackedRoom: () => lacks.push("room"), recall });
  const driver = simDriver(simulation.clock);
  const pass = (durationMs: number) => {
    const untilMs = host.clock.monotonicMs() + durationMs;
    host.clock.timer(durationMs, () => {});
    return driver.until(() => host.clock.monotonicMs() >= untilMs);
  };
  return { keeper, keepers, host, doubt, lacks, pass, lines: simulation.trace.lines };
}

const seal = { group: "a".repeat(32), folder: "/g", segment: 5 };
const verify: WorkRequest = { kind: "verify", isDry: false };

test("fault 17: a process that hangs is told of, ended after a time, and another one does what is asked next", async () => {
  const { keeper, keepers, pass, lines } = opened();
  const sealing = keeper.ask("seal", seal).catch((error: Error) => error.name);
  await pass(keeperSilenceMs + keeperBeatMs);
  expect(keeper.trouble).toContain("has not answered for");
  expect(lines.filter((line) => line.includes("has not answered for"))).toHaveLength(1);
  await pass(keeperPatienceMs);
  expect([await sealing, keepers[0]?.isEnded, keeper.trouble]).toEqual(["RetryError", true, undefined]);
  expect(lines.some((line) => line.includes("since it hangs"))).toBe(true);
  void keeper.ask("seal", seal);
  expect(keepers).toHaveLength(2);
});

test("while not even an end by force ends it, it goes on being told of, and no other one is begun", async () => {
  const { keeper, keepers, pass } = opened();
  void keeper.ask("seal", seal).catch(() => {});
  if (keepers[0] !== undefined) keepers[0].isHeldUp = true;
  await pass(2 * keeperPatienceMs);
  void keeper.ask("seal", seal).catch(() => {});
  expect([keepers.length, keepers[0]?.isEnded]).toEqual([1, true]);
  expect(keeper.trouble).toContain("has not answered for");
});

test("one that has nothing to do need not say so, and one that has just begun is not late", async () => {
  const { keeper, keepers, pass } = opened();
  const first = keeper.ask("seal", seal);
  keepers[0]?.answer({ figures: {}, isThere: true });
  await first;
  await pass(3 * keeperPatienceMs);
  expect(keeper.trouble).toBeUndefined();
  void keeper.ask("seal", seal).catch(() => {});
  await pass(2 * keeperBeatMs);
  expect([keeper.trouble, keepers.length]).toEqual([undefined, 1]);
});

test("what a long work tells is known while it is under way", async () => {
  const { keeper, keepers } = opened();
  const working = keeper.ask("work", verify);
  expect(keeper.work).toBeUndefined();
  const progress = { done: 1, total: 2, unit: "pieces", what: "looks" } as const;
  keepers[0]?.beat(1, { progress, pacedBytes: 7 });
  expect(keeper.work).toEqual({ progress, pacedBytes: 7 });
  keepers[0]?.answer({ isSound: true, figures: {}, lines: [] });
  await working;
  expect(keeper.work).toBeUndefined();
});

test("a long work makes way for the next process, where one has met what a person must see", async () => {
  const { keeper, keepers } = opened();
  const working = keeper.ask("work", verify).catch((error: Error) => error);
  const sealing = keeper.ask("seal", seal).catch((error: Error) => error.name);
  keepers[0]?.refuse("stop", "nobody knows what is there");
  expect(await sealing).toBe("StopError");
  expect(keepers[0]?.asked.map(({ word }) => word)).toEqual(["work", "seal", "endWork"]);
  // Who comes now has to wait for the next one, however busy this one still is.
  void keeper.ask("seal", seal).catch(() => {});
  keepers[0]?.answer(null);
  keepers[0]?.refuse("cancelled", "", keepers[0].asked[0]);
  expect(await working).toBeInstanceOf(CancelledError);
  await keepers[0]?.ended;
  while (keepers.length < 2) await Promise.resolve();
  expect(keepers.map(({ asked }) => asked.map(({ word }) => word))).toEqual([
    ["work", "seal", "endWork", "stop"],
    ["seal"],
  ]);
});

test("a confirmation that is refused ends neither the process nor its long work", async () => {
  const { keeper, keepers } = opened();
  void keeper.ask("work", verify).catch(() => {});
  const request = { group: "a".repeat(32), folder: "/g", incarnation: 1, start: wholeJournal, firstSeq: 1, lastSeq: 2 };
  const confirming = keeper.ask("confirmRecords", request).catch((error: Error) => error.name);
  keepers[0]?.refuse("stop", "the store has something else");
  expect(await confirming).toBe("StopError");
  expect(keepers[0]?.asked.map(({ word }) => word)).toEqual(["work", "confirmRecords"]);
  const another = keeper.ask("confirmRecords", request).catch((error: Error) => error);
  keepers[0]?.refuse("unknown names", "nobody knows what is there");
  expect(await another).toBeInstanceOf(UnknownNamesError);
  expect(keepers[0]?.asked.at(-1)?.word).toBe("endWork");
});

test("at the end a long work is told to end first, and cut off where it does not", async () => {
  for (const ends of [true, false]) {
    const { keeper, keepers, pass } = opened();
    const working = keeper.ask("work", verify).catch((error: Error) => error.name);
    const stopping = keeper.stop();
    expect(keepers[0]?.asked.map(({ word }) => word)).toEqual(["work", "endWork"]);
    keepers[0]?.answer(null);
    if (ends) keepers[0]?.refuse("cancelled", "", keepers[0].asked[0]);
    else await pass(keeperSilenceMs);
    await stopping;
    expect(await working).toBe(ends ? "CancelledError" : "RetryError");
    expect(keepers[0]?.asked.at(-1)?.word).toBe(ends ? "stop" : "endWork");
  }
});

test("fault 13: after a failed sync of a folder no process trusts its names, until the machine or the mount is a new one", async () => {
  const { keeper, keepers, host, doubt, pass } = opened();
  const sealing = keeper.ask("seal", seal).catch((error: Error) => error);
  keepers[0]?.refuse("unknown names", "nobody knows what is in /objects/segments");
  expect(await sealing).toBeInstanceOf(UnknownNamesError);
  await keepers[0]?.ended;
  await pass(1000);
  await expect(keeper.ask("seal", seal)).rejects.toThrow("store retry --remounted");
  expect([keepers.length, doubt.trouble]).toEqual([1, expect.stringContaining("/objects/segments")]);
  // Nor does one of the next start of the program.
  expect(NamesDoubt.open(host, "/names-doubt.json").trouble).toBe(doubt.trouble);
  const { files, clock, log } = host;
  const later = { files, clock, log, bootId: "another" };
  expect(NamesDoubt.open(later, "/names-doubt.json").trouble).toBeUndefined();
  doubt.clear();
  void keeper.ask("seal", seal).catch(() => {});
  expect(keepers).toHaveLength(2);
  expect(NamesDoubt.open(host, "/names-doubt.json").trouble).toBeUndefined();
});

test("fault 13: a process that is not believed any more is ended, and asked nothing while it still stands", async () => {
  const { keeper, keepers, doubt } = opened();
  const sealing = keeper.ask("seal", seal).catch((error: Error) => error.name);
  const [first] = keepers as [ScriptedKeeper];
  first.isHeldUp = true;
  void doubt.note("nobody knows what is in /objects");
  keeper.distrust();
  await expect(keeper.ask("seal", seal)).rejects.toThrow("store retry --remounted");
  first.die(new Error("killed"));
  expect([await sealing, first.isEnded, keepers.length]).toEqual(["RetryError", true, 1]);
});

test("fault 16: that the disk of the store is full is heard by whoever makes room, and may pass", async () => {
  const { keeper, keepers, lacks } = opened();
  const sealing = keeper.ask("seal", seal).catch((error: Error) => error);
  keepers[0]?.refuse("overflow", "the disk is full");
  expect(await sealing).toBeInstanceOf(RetryError);
  expect([lacks, keepers[0]?.isEnded]).toEqual([["room"], false]);
});

const wanted = [
  { seq: 1, volume: 1, block: 2 },
  { seq: 1, volume: 1, block: 3 },
];

test.each([
  ["somebody", async () => [undefined, Buffer.from("a block")], [null, Buffer.from("a block")]],
  ["nobody", undefined, []],
] as const)("what the store has lost is asked for where there is %s to ask, and it hears what came", async (...row) => {
  const [, recall, blocks] = row;
  const { keeper, keepers } = opened(recall);
  const working = keeper.ask("work", verify);
  const [scripted] = keepers as [ScriptedKeeper];
  scripted.recall({ id: 7, group: "a", wanted });
  await vi.waitFor(() => expect(scripted.asked).toHaveLength(2), patience);
  expect(scripted.asked[1]).toMatchObject({ word: "recalled", ask: { id: 7, blocks } });
  scripted.answer(null);
  const [work] = scripted.asked;
  scripted.refuse("retry", "later", work);
  await expect(working).rejects.toThrow("later");
});

test("what came for a process that has ended is not told to the next one", async () => {
  const late = Promise.withResolvers<readonly undefined[]>();
  const { keeper, keepers } = opened(() => late.promise);
  const sealing = keeper.ask("seal", seal).catch((error: Error) => error.name);
  keepers[0]?.recall({ id: 1, group: "a", wanted });
  keepers[0]?.die(new Error("killed"));
  expect(await sealing).toBe("RetryError");
  void keeper.ask("seal", seal).catch(() => {});
  late.resolve([]);
  await late.promise;
  expect(keepers[1]?.asked.map(({ word }) => word)).toEqual(["seal"]);
});
