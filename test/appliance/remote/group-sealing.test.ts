import { expect, test } from "vitest";
import { GroupSealing, type Sealer, type SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { SealTurn } from "#src/appliance/remote/seal-turn.ts";
import { AssertionError } from "#src/core/assert.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { remoteSealRetryMsMax, sealCalmBytesPerSecond } from "#src/core/store-limits.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const patienceMs = 60_000;
const retryMs = 1000;
const behindBytesMax = 3 * slotsPerSegment * blockBytes;

type RefuseRecords = (lastSeq: number) => void;

function started(
  refuse: (request: SealRequest) => void = () => {},
  refuseRecords: RefuseRecords = () => {},
  recordsPerTurn = Number.POSITIVE_INFINITY,
) {
  const simulation = new Simulation(1);
  const { files, clock, log } = simulation.host("remote");
  const folder = new JournalFolder("/g");
  folder.makeNow(files);
  const asked: number[] = [];
  let sealedSeq = 0;
  const sealer = {
    seal: async (request: SealRequest) => {
      asked.push(request.segment);
      refuse(request);
    },
    sealRecords: async ({ lastSeq }: { readonly lastSeq: number }) => {
      refuseRecords(lastSeq);
      sealedSeq = Math.min(lastSeq, sealedSeq + recordsPerTurn);
      return sealedSeq;
    },
  } as Partial<Sealer> as Sealer;
  const turn = new SealTurn(behindBytesMax);
  const sealing = new GroupSealing({
    turn,
    ...{ files, clock, log, folder, sealer, patienceMs, retryMs },
    group: "a".repeat(32),
    incarnation: 1,
    known: () => ({ id: "a".repeat(32), name: "a", writer: "w", life: 1, epoch: 1, volumes: [] }),
    storedSeq: 0,
    checkpointSeq: () => 100,
    noteCheckpoint: async () => {},
    recordsSealed: async () => {},
    sealed: () => {},
  });
  sealing.durableUpTo(100);
  return { sealing, turn, asked, clock, driver: simDriver(simulation.clock) };
}

test("what a restart left waits for long while it is little, and not at all when more comes", async () => {
  const few = started();
  few.sealing.found(1, 9, 9, 3);
  await few.driver.until(() => few.sealing.storedSeq === 9);
  expect(few.clock.monotonicMs()).toBeGreaterThanOrEqual(patienceMs);
  const many = started();
  many.sealing.found(1, 9, 9, 3);
  many.sealing.closed(2, 20, 20, slotsPerSegment);
  await many.driver.until(() => many.sealing.storedSeq === 20);
  expect(many.asked).toEqual([1, 2]);
  expect(many.clock.monotonicMs()).toBeLessThan(patienceMs);
});

test("what is closed while hosts write much waits for a calm second, and is then sealed", async () => {
  const it = started();
  const isStored = () => it.sealing.storedSeq === 9;
  it.turn.landed(sealCalmBytesPerSecond, it.clock.monotonicMs());
  it.sealing.closed(1, 9, 9, slotsPerSegment);
  for (let second = 1; second < 5; second++) {
    await it.driver.until(() => it.clock.monotonicMs() >= second * 1000);
    it.turn.landed(sealCalmBytesPerSecond, it.clock.monotonicMs());
  }
  expect(it.asked).toEqual([]);
  await it.driver.until(isStored);
  expect(it.asked).toEqual([1]);
  expect(it.clock.monotonicMs()).toBeGreaterThanOrEqual(6000);
});

test("what somebody waits for is sealed while hosts go on, and the next one waits again", async () => {
  const it = started();
  it.turn.landed(10 * sealCalmBytesPerSecond, it.clock.monotonicMs());
  it.sealing.found(1, 9, 9, 3);
  expect(it.sealing.hurry(9)).toBe(false);
  await it.driver.until(() => it.sealing.storedSeq === 9);
  expect(it.clock.monotonicMs()).toBeLessThan(1000);
  it.turn.landed(10 * sealCalmBytesPerSecond, it.clock.monotonicMs());
  it.sealing.closed(2, 20, 20, slotsPerSegment);
  await it.driver.until(() => it.sealing.storedSeq === 20);
  expect(it.clock.monotonicMs()).toBeGreaterThanOrEqual(1000);
  expect(it.sealing.hurry(20)).toBe(false);
});

test("records without payload behind the last closed segment are stored with it, and not when more comes", async () => {
  const it = started();
  it.sealing.closed(1, 9, 9, 3);
  expect(it.sealing.hurry(12)).toBe(true);
  it.sealing.nothingOpen(12);
  expect(it.sealing.hurry(12)).toBe(false);
  await it.driver.until(() => it.sealing.storedSeq === 12);
  expect(it.asked).toEqual([1]);
});

test("whoever waits hears again and again that some of it is not closed yet", async () => {
  const it = started();
  expect([it.sealing.hurry(12), it.sealing.hurry(12)]).toEqual([true, true]);
  it.sealing.closed(1, 12, 9, 3);
  expect(it.sealing.hurry(12)).toBe(true);
  it.sealing.closed(2, 14, 14, 3);
  expect(it.sealing.hurry(12)).toBe(false);
  await it.driver.until(() => it.sealing.storedSeq === 14);
  expect(it.sealing.hurry(12)).toBe(false);
});

test("when more waits than may, it is sealed while hosts go on, until little is left", async () => {
  const it = started();
  it.turn.landed(sealCalmBytesPerSecond, it.clock.monotonicMs());
  for (let segment = 1; segment <= 3; segment++) it.sealing.closed(segment, segment, segment, slotsPerSegment);
  expect(it.asked).toEqual([]);
  it.sealing.closed(4, 4, 4, slotsPerSegment);
  await it.driver.until(() => it.sealing.sealedCount === 4);
  expect([it.asked, it.clock.monotonicMs()]).toEqual([[1, 2, 3, 4], expect.toSatisfy((ms) => ms < 1000)]);
});

test("what a group that is closed leaves does not count as waiting", async () => {
  const it = started(() => {
    throw new RetryError("later");
  });
  for (let segment = 1; segment <= 4; segment++) it.sealing.closed(segment, segment, segment, slotsPerSegment);
  await it.sealing.stop();
  it.turn.landed(sealCalmBytesPerSecond, it.clock.monotonicMs());
  expect(it.turn.waitMs(it.clock.monotonicMs())).toBeGreaterThan(0);
});

test("after a failure nothing is begun for a while, whatever comes", async () => {
  for (const error of [new RetryError("later"), new StopError("never")]) {
    let isOut = true;
    const it = started(() => {
      if (isOut) throw error;
    });
    it.sealing.closed(1, 9, 9, 3);
    await it.driver.until(() => it.sealing.failure !== undefined);
    const failedMs = it.clock.monotonicMs();
    it.sealing.closed(2, 20, 20, slotsPerSegment);
    it.sealing.durableUpTo(101);
    isOut = false;
    await it.driver.until(() => it.sealing.storedSeq === 20);
    expect(it.clock.monotonicMs() - failedMs).toBeGreaterThanOrEqual(retryMs);
    expect(it.asked.length).toBe(3);
  }
});

test("segments do not wait for records that cannot be sealed, nor these for a segment", async () => {
  const tried: number[] = [];
  const refuseRecords = (lastSeq: number) => {
    tried.push(lastSeq);
    throw new StopError("the journal is damaged");
  };
  const it = started(({ segment }) => {
    if (segment === 9) throw new StopError("beyond help");
  }, refuseRecords);
  for (const segment of [1, 2, 3]) it.sealing.closed(segment, 10 * segment, 10 * segment, 3);
  await it.driver.until(() => it.sealing.sealedCount === 3);
  expect(it.asked).toEqual([1, 2, 3]);
  it.sealing.closed(9, 90, 90, 3);
  tried.length = 0;
  await it.driver.until(() => tried.length === 3);
  expect(it.asked.length).toBeGreaterThan(4);
  expect(it.sealing.storedSeq).toBe(0);
});

test("what has failed is told until it is done, also while others are sealed", async () => {
  let isOut = true;
  let toldMeanwhile: string | undefined;
  const it = started(({ segment }) => {
    if (segment === 1 && isOut) throw new StopError("beyond help");
    if (segment === 3) toldMeanwhile = it.sealing.failure?.message;
  });
  for (const segment of [1, 2, 3]) it.sealing.closed(segment, 10 * segment, 10 * segment, 3);
  await it.driver.until(() => it.sealing.sealedCount === 2);
  expect(toldMeanwhile).toBe("beyond help");
  isOut = false;
  await it.driver.until(() => it.sealing.storedSeq === 30);
  expect(it.sealing.failure).toBeUndefined();
});

test("one that was stopped while it waited begins nothing", async () => {
  const it = started();
  it.sealing.found(1, 9, 9, 3);
  await it.sealing.stop();
  it.sealing.durableUpTo(101);
  await it.driver.quiet();
  expect(it.asked).toEqual([]);
});

test("what only a person can mend is tried ever more rarely, and at once on request", async () => {
  let isMended = false;
  const triedAtMs: number[] = [];
  const it = started(({ segment }) => {
    if (segment === 2) return;
    triedAtMs.push(it.clock.monotonicMs());
    if (!isMended) throw new StopError("never");
  });
  it.sealing.closed(1, 9, 9, 3);
  it.sealing.closed(2, 20, 20, 3);
  await it.driver.until(() => triedAtMs.length === 14);
  expect(it.asked.filter((segment) => segment === 2)).toHaveLength(1);
  const gapsMs = triedAtMs.slice(1).map((atMs, index) => atMs - (triedAtMs[index] as number));
  // What a try itself takes is not told from the pause.
  expect(gapsMs.slice(0, 4).map((gapMs) => Math.floor((gapMs + 1) / retryMs) * retryMs)).toEqual([
    retryMs,
    2 * retryMs,
    4 * retryMs,
    8 * retryMs,
  ]);
  expect(gapsMs.at(-1)).toBeCloseTo(remoteSealRetryMsMax);
  await it.driver.until(() => it.sealing.needsPerson);
  isMended = true;
  const mendedMs = it.clock.monotonicMs();
  it.sealing.tryNow();
  await it.driver.until(() => it.sealing.storedSeq === 20);
  expect(it.clock.monotonicMs() - mendedMs).toBeLessThan(retryMs);
  expect(it.sealing.needsPerson).toBe(false);
});

test("what passes by itself is tried again as often as ever", async () => {
  const triedAtMs: number[] = [];
  const it = started(() => {
    triedAtMs.push(it.clock.monotonicMs());
    throw new RetryError("later");
  });
  it.sealing.closed(1, 9, 9, 3);
  await it.driver.until(() => triedAtMs.length === 20);
  expect((triedAtMs[19] as number) - (triedAtMs[0] as number)).toBe(19 * retryMs);
  expect(it.sealing.needsPerson).toBe(false);
});

test("a fault of this program while something is sealed is not lived with", async () => {
  const it = started(() => {
    throw new AssertionError("a fact that is none");
  });
  it.sealing.closed(1, 9, 9, 3);
  await expect(it.driver.until(() => false)).rejects.toThrow("a fact that is none");
});

test("records that are sealed bit by bit are asked for again at once, until all of them are", async () => {
  const turns: number[] = [];
  const it = started(
    () => {},
    (lastSeq) => turns.push(lastSeq),
    30,
  );
  it.sealing.closed(1, 90, 90, 3);
  await it.driver.until(() => it.sealing.storedSeq === 90);
  expect(turns).toEqual([90, 90, 90]);
  expect(it.clock.monotonicMs()).toBeLessThan(retryMs);
});
