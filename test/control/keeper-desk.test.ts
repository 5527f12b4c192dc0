import { expect, test } from "vitest";
import { type Keeper, KeeperDesk } from "#src/control/keeper-desk.ts";
import { noSynthesis } from "#src/control/snapshot-lane.ts";
import type { StoreState } from "#src/control/store-state.ts";
import type { StoreAnswer, StoreAsk, StoreBeat, StoreWord } from "#src/control/store-words.ts";
import { StopError } from "#src/core/errors.ts";
import { keeperBeatMs } from "#src/core/store-limits.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const noState: StoreState = {
  sizes: undefined,
  sizesMs: undefined,
  windows: [],
  scrub: { lastEndedMs: undefined, isUnderWay: false, findings: 0, damagedBlocks: 0 },
  synthesis: noSynthesis,
  collection: { lastMs: undefined, freedBytes: 0, isUnderWay: false },
};
const result = { isSound: true, figures: {}, lines: [] };

/** What is not asked for here. */
const unused = {
  wake: async () => null,
  keys: async () => [],
  addKey: async () => "",
  removeKey: async () => null,
  pin: async () => null,
  unpin: async () => null,
  snapshots: async () => [],
  makeSnapshot: async () => ({ seq: 1, isFirst: false, isAsked: false, heldBy: [], isNew: true, seconds: 0 }),
  removeSnapshot: async () => null,
  suspect: async () => null,
  recalled: async () => null,
  inspectSnapshot: async () => [],
  confirmRecords: async () => ({ seq: 1, epoch: 1, timeMicros: 1 }),
};

/** A desk before a keeper whose work takes until the test says so. */
function desk({ openErrors = [] as Error[] } = {}) {
  const simulation = new Simulation(1);
  const { clock } = simulation.host("store");
  const done: string[] = [];
  const answers: (StoreAnswer | StoreBeat)[] = [];
  const held = new Map<string, PromiseWithResolvers<void>>();
  const hold = async (what: string): Promise<void> => {
    done.push(`${what} begins`);
    await held.get(what)?.promise;
    done.push(`${what} ends`);
  };
  let owed: ((control: WorkControl) => Promise<void>) | undefined;
  const keeper: Keeper = {
    state: noState,
    steps: 0,
    seal: async ({ segment }) => {
      await hold(`seal ${segment}`);
      return { figures: {} as never, isThere: true };
    },
    sealRecords: async () => {
      await hold("records");
      return { storedSeq: 1 };
    },
    stop: async () => {
      await hold("stop");
      return null;
    },
    ...unused,
    work: async ({ kind }, control) => {
      control.progress({ done: 1, total: 2, unit: "segments", what: "reads" });
      await hold(kind);
      for (let piece = 0; piece < 3; piece++) {
        await control.pace(1);
        done.push(`${kind} goes on`);
      }
      return result;
    },
    ownWork: () => {
      const own = owed;
      owed = undefined;
      return own;
    },
  };
  let listener: (message: unknown) => void = () => {};
  new KeeperDesk({
    line: {
      send: (message) => void answers.push(message as StoreAnswer),
      receive: (heard) => {
        listener = heard;
      },
    },
    clock,
    open: async () => {
      const error = openErrors.shift();
      if (error !== undefined) throw error;
      return keeper;
    },
    bytesPerSecondMax: () => Number.POSITIVE_INFINITY,
  });
  let lastId = 0;
  const ask = (word: StoreWord, content: unknown = null): number => {
    listener({ id: ++lastId, word, ask: content } satisfies StoreAsk);
    return lastId;
  };
  const answerTo = (id: number) => answers.find((answer) => "id" in answer && answer.id === id);
  const owe = (work: (control: WorkControl) => Promise<void>) => {
    owed = work;
  };
  return { ask, answerTo, answers, done, held, owe, driver: simDriver(simulation.clock), clock };
}

const seal = (segment: number) => ({ group: "g", folder: "/g", segment });

test("what is sealed is sealed one after the other, as it was asked for", async () => {
  const { ask, answerTo, done, held, driver } = desk();
  held.set("seal 1", Promise.withResolvers());
  ask("seal", seal(1));
  ask("sealRecords");
  const last = ask("seal", seal(2));
  await driver.until(() => done.length > 0);
  expect(done).toEqual(["seal 1 begins"]);
  held.get("seal 1")?.resolve();
  await driver.until(() => answerTo(last) !== undefined);
  const whole = ["seal 1", "records", "seal 2"].flatMap((one) => [`${one} begins`, `${one} ends`]);
  expect(done).toEqual(whole);
});

test("a long work goes on beside what is sealed, and rests while there is something", async () => {
  const { ask, answerTo, done, held, driver } = desk();
  held.set("verify", Promise.withResolvers());
  const work = ask("work", { kind: "verify", isDry: false });
  await driver.until(() => done.length > 0);
  const sealed = ask("seal", seal(1));
  await driver.until(() => answerTo(sealed) !== undefined);
  expect(answerTo(work)).toBeUndefined();
  held.get("verify")?.resolve();
  await driver.until(() => answerTo(work) !== undefined);
  expect(answerTo(work)).toEqual({ id: work, answer: result });
});

test("a long work that is told to end does so where it is safe, and says so", async () => {
  const { ask, answerTo, done, held, driver } = desk();
  held.set("verify", Promise.withResolvers());
  const work = ask("work", { kind: "verify", isDry: false });
  await driver.until(() => done.length > 0);
  const end = ask("endWork");
  expect(answerTo(end)).toEqual({ id: end, answer: null });
  held.get("verify")?.resolve();
  await driver.until(() => answerTo(work) !== undefined);
  expect(answerTo(work)).toMatchObject({ error: { kind: "cancelled" } });
  expect(done).toEqual(["verify begins", "verify ends"]);
  const again = ask("work", { kind: "verify", isDry: false });
  await driver.until(() => answerTo(again) !== undefined);
  expect(answerTo(again)).toEqual({ id: again, answer: result });
});

test("what the keeper has to do by itself is no hindrance to sealing, and over before another long work begins", async () => {
  const { ask, answerTo, answers, done, driver, owe } = desk();
  const own = Promise.withResolvers<void>();
  owe(() => own.promise.then(() => void done.push("own work ends")));
  ask("seal", seal(1));
  const second = ask("seal", seal(2));
  await driver.until(() => answerTo(second) !== undefined);
  const work = ask("work", { kind: "index", isDry: false });
  await driver.until(() => answers.filter((answer) => "beat" in answer).length === 2);
  expect(done).not.toContain("index begins");
  own.resolve();
  await driver.until(() => answerTo(work) !== undefined);
  expect(done.slice(4, 6)).toEqual(["own work ends", "index begins"]);
});

test("what it has to do by itself is begun when what was before it is done, and looked for while nobody asks", async () => {
  const { ask, answerTo, answers, done, driver, owe } = desk();
  const first = Promise.withResolvers<void>();
  owe(() => first.promise);
  const sealed = ask("seal", seal(1));
  await driver.until(() => answerTo(sealed) !== undefined);
  owe(async () => void done.push("what came up meanwhile"));
  await driver.until(() => answers.filter((answer) => "beat" in answer).length === 2);
  expect(done).not.toContain("what came up meanwhile");
  first.resolve();
  await driver.until(() => done.includes("what came up meanwhile"));
  owe(async () => void done.push("what is due later"));
  await driver.until(() => done.includes("what is due later"));
});

test("a keeper that was told to stop begins nothing by itself any more", async () => {
  const { ask, answerTo, done, owe, driver } = desk();
  const first = ask("seal", seal(1));
  await driver.until(() => answerTo(first) !== undefined);
  owe(async () => void done.push("its own work"));
  const stop = ask("stop");
  await driver.until(() => answerTo(stop) !== undefined);
  const last = ask("endWork");
  await driver.until(() => answerTo(last) !== undefined);
  expect(done).toEqual(["seal 1 begins", "seal 1 ends", "stop begins", "stop ends"]);
});

test("what it was asked for while it could not be opened is refused, and the next opens it again", async () => {
  const { ask, answerTo, driver } = desk({ openErrors: [new StopError("no such folder")] });
  const first = ask("seal", seal(1));
  const second = ask("seal", seal(1));
  await driver.until(() => answerTo(second) !== undefined);
  expect(answerTo(first)).toEqual({ id: first, error: { kind: "stop", message: "no such folder" } });
  expect(answerTo(second)).toMatchObject({ answer: { isThere: true } });
});

test("fault 13: one that met a folder that could not be synced is not opened again: that sync would be believed", async () => {
  const { ask, answerTo, done, driver } = desk({ openErrors: [new UnknownNamesError("nobody knows")] });
  const asked = [ask("seal", seal(1)), ask("seal", seal(2)), ask("stop")];
  await driver.until(() => answerTo(asked[2] as number) !== undefined);
  const error = { kind: "unknown names", message: "nobody knows" };
  expect(asked.map(answerTo)).toEqual([
    { id: asked[0], error },
    { id: asked[1], error },
    { id: asked[2], answer: null },
  ]);
  expect(done).toEqual([]);
});

test("one that could not be opened is stopped without opening it", async () => {
  const { ask, answerTo, done, driver } = desk();
  const stop = ask("stop");
  await driver.until(() => answerTo(stop) !== undefined);
  expect([answerTo(stop), done]).toEqual([{ id: stop, answer: null }, []]);
});

test("while it is busy it says so, and how far the long work is, and then no more", async () => {
  const { ask, answers, done, held, driver, clock } = desk();
  held.set("seal 1", Promise.withResolvers());
  ask("seal", seal(1));
  const beats = () => answers.filter((answer) => "beat" in answer);
  await driver.until(() => beats().length === 3);
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(3 * keeperBeatMs);
  expect(beats().map((answer) => "beat" in answer && answer.beat.steps)).toEqual([0, 0, 0]);
  held.set("verify", Promise.withResolvers());
  ask("work", { kind: "verify", isDry: false });
  await driver.until(() => beats().length === 4);
  const progress = { done: 1, total: 2, unit: "segments", what: "reads" };
  expect(beats().at(-1)).toMatchObject({ beat: { work: { progress } } });
  held.get("verify")?.resolve();
  await driver.until(() => done.includes("verify goes on"));
  held.get("seal 1")?.resolve();
  await driver.quiet();
  const count = beats().length;
  ask("seal", seal(2));
  await driver.quiet();
  expect(beats().length).toBeLessThanOrEqual(count + 1);
});
