import { expect, test } from "vitest";
import { GroupSealing, type Sealer, type SealRequest } from "#src/appliance/remote/group-sealing.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const patienceMs = 60_000;
const retryMs = 1000;

type RefuseRecords = (lastSeq: number) => void;

function started(refuse: (request: SealRequest) => void = () => {}, refuseRecords: RefuseRecords = () => {}) {
  const simulation = new Simulation(1);
  const { files, clock, log } = simulation.host("remote");
  const folder = new JournalFolder("/g");
  folder.makeNow(files);
  const asked: number[] = [];
  const sealer = {
    seal: async (request: SealRequest) => {
      asked.push(request.segment);
      refuse(request);
    },
    sealRecords: async ({ lastSeq }: { readonly lastSeq: number }) => {
      refuseRecords(lastSeq);
      return lastSeq;
    },
  } as Partial<Sealer> as Sealer;
  const sealing = new GroupSealing({
    ...{ files, clock, log, folder, sealer, patienceMs, retryMs },
    group: "a".repeat(32),
    incarnation: 1,
    storedSeq: 0,
    checkpointSeq: () => 100,
    noteCheckpoint: async () => {},
    sealed: () => {},
  });
  sealing.durableUpTo(100);
  return { sealing, asked, clock, driver: simDriver(simulation.clock) };
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
