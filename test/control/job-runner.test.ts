import { expect, test } from "vitest";
import { JobRunner, type JobRunnerParts, type JobWorker } from "#src/control/job-runner.ts";
import type { WorkRequest, WorkResult } from "#src/control/store-work.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { jobForRoomMs, jobLookMs, jobRetryMs } from "#src/core/store-limits.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const result: WorkResult = { isSound: true, figures: { segments: 3 }, lines: [] };
const verify: WorkRequest = { kind: "verify", isDry: false };
const index: WorkRequest = { kind: "index", isDry: false };

/** Does what the test says. */
class ScriptedStore {
  readonly asked: WorkRequest[] = [];
  workNews: undefined;
  /** Instead of ending where that is safe. */
  dies = false;
  #work: PromiseWithResolvers<WorkResult> | undefined;

  work(request: WorkRequest): Promise<WorkResult> {
    this.asked.push(request);
    this.#work = Promise.withResolvers();
    return this.#work.promise;
  }

  async endWork(): Promise<void> {
    this.#work?.reject(this.dies ? new RetryError("its process has ended") : new CancelledError());
  }

  done(): void {
    this.#work?.resolve(result);
  }

  failed(error: Error): void {
    this.#work?.reject(error);
  }
}

function world() {
  const simulation = new Simulation(1);
  const host = simulation.host("remote");
  host.files.makeFolder("/remote");
  return { simulation, host, driver: simDriver(simulation.clock) };
}

const noRestores: JobWorker = {
  work: async () => ({ isSound: true, figures: {}, lines: [] }),
  end: async () => {},
  news: () => undefined,
  over: () => {},
};

function opened(machine: SimHost, everyMs: JobRunnerParts["everyMs"] = {}) {
  const store = new ScriptedStore();
  return { store, jobs: JobRunner.open({ machine, path: "/remote/jobs.json", store, restores: noRestores, everyMs }) };
}

test("a job is done as soon as the one before is over, and what came of it is kept over restarts", async () => {
  const { host, driver } = world();
  const { store, jobs } = opened(host);
  const { id } = await driven(driver, jobs.add(verify));
  await driver.until(() => store.asked.length === 1);
  expect(jobs.report(id)).toMatchObject({ kind: "verify", state: "running", by: "operator" });
  store.done();
  await driver.until(() => jobs.report(id).state === "done");
  await driven(driver, jobs.add({ ...verify, isDry: true }));
  jobs.stop();
  const next = opened(host);
  expect(next.jobs.reports()).toMatchObject([
    { id, state: "done", result },
    { id: id + 1, dryRun: true },
  ]);
  await driver.until(() => next.store.asked.length === 1);
  expect(next.store.asked[0]).toEqual({ ...verify, isDry: true });
});

test("a job under way that is cancelled ends where that is safe; one that makes way goes on later", async () => {
  const { host, driver } = world();
  const { store, jobs } = opened(host);
  const slow = await driven(driver, jobs.add(verify));
  await driver.until(() => store.asked.length === 1);
  const hurried = await driven(driver, jobs.add(index));
  await driver.until(() => store.asked.length === 2);
  expect([store.asked[1], jobs.report(slow.id).state]).toEqual([index, "waiting"]);
  await driven(driver, jobs.cancel(hurried.id));
  await driver.until(() => store.asked.length === 3);
  expect([store.asked[2], jobs.report(hurried.id).state]).toEqual([verify, "cancelled"]);
});

test("a job whose process dies just as it is cancelled is cancelled, and not tried again", async () => {
  const { host, driver } = world();
  const { store, jobs } = opened(host);
  const { id } = await driven(driver, jobs.add(verify));
  await driver.until(() => store.asked.length === 1);
  store.dies = true;
  await driven(driver, jobs.cancel(id));
  await driver.until(() => jobs.report(id).state !== "running");
  expect(jobs.report(id)).toMatchObject({ id, state: "cancelled" });
  expect(jobs.report(id).why).toBeUndefined();
});

test("a job that was cancelled just before the program ends is cancelled, and does not go on with the next start", async () => {
  const { host, driver } = world();
  const { store, jobs } = opened(host);
  const [slow, other] = [await driven(driver, jobs.add(verify)), await driven(driver, jobs.add(index))];
  await driver.until(() => store.asked.length === 2);
  store.endWork = async () => {};
  await driven(driver, jobs.cancel(other.id));
  jobs.stop();
  store.failed(new RetryError("its process has ended"));
  const next = opened(host);
  expect(next.jobs.report(other.id)).toMatchObject({ state: "cancelled", ended: expect.any(String) as string });
  await driver.until(() => next.store.asked.length === 1);
  expect([next.store.asked, next.jobs.report(slow.id).state]).toEqual([[verify], "running"]);
});

test("what may work later is tried later, what does not has failed, and it is said why", async () => {
  const { host, driver } = world();
  const { store, jobs } = opened(host);
  const { id } = await driven(driver, jobs.add(verify));
  await driver.until(() => store.asked.length === 1);
  store.failed(new RetryError("no room"));
  await driver.until(() => jobs.report(id).state === "waiting");
  const waitsMs = host.clock.monotonicMs();
  expect(jobs.report(id).why).toBe("no room");
  await driver.until(() => store.asked.length === 2);
  expect(host.clock.monotonicMs() - waitsMs).toBeGreaterThanOrEqual(jobRetryMs);
  store.failed(new StopError("damaged"));
  await driver.until(() => jobs.report(id).state === "failed");
  expect(jobs.report(id).why).toBe("damaged");
});

test("what is to be done now and then begins by itself, also counted over restarts", async () => {
  const { host, driver } = world();
  const everyMs = { verify: 10 * jobLookMs };
  const first = opened(host, everyMs);
  const halfMs = host.clock.monotonicMs() + 5 * jobLookMs;
  await driver.until(() => host.clock.monotonicMs() >= halfMs);
  first.jobs.stop();
  const second = opened(host, everyMs);
  await driver.until(() => second.store.asked.length === 1);
  expect([first.store.asked, second.store.asked]).toEqual([[], [verify]]);
  expect(host.clock.monotonicMs() - halfMs).toBeLessThanOrEqual(6 * jobLookMs);
  expect(second.jobs.reports()).toMatchObject([{ by: "schedule", state: "running" }]);
});

test("a document of jobs that is damaged, or cannot be written, keeps nobody from work", async () => {
  const { host, driver } = world();
  const file = host.files.create("/remote/jobs.json");
  file.writeNow(Buffer.from("{}"), 0, 2, 0);
  file.close();
  const { store, jobs } = opened(host);
  host.disk.failNext("write", "ENOSPC");
  const { id } = await driven(driver, jobs.add(verify));
  await driver.until(() => store.asked.length === 1);
  store.done();
  await driver.until(() => jobs.report(id).state === "done");
});

test("where the disk is full it is collected at once, and not again and again", async () => {
  const { host, driver } = world();
  const { store, jobs } = opened(host, { collect: 24 * jobForRoomMs });
  const past = (ms: number) => {
    const untilMs = host.clock.monotonicMs() + ms;
    return driver.until(() => host.clock.monotonicMs() >= untilMs);
  };
  await past(jobForRoomMs);
  jobs.roomIsNeeded();
  await driver.until(() => store.asked.length === 1);
  expect(store.asked[0]).toEqual({ kind: "collect", isDry: false });
  store.done();
  await driver.until(() => jobs.report(1).state === "done");
  jobs.roomIsNeeded();
  await past(jobForRoomMs / 2);
  expect(store.asked).toHaveLength(1);
  await past(jobForRoomMs / 2);
  jobs.roomIsNeeded();
  await driver.until(() => store.asked.length === 2);
  const off = opened(host, { collect: Number.POSITIVE_INFINITY });
  await past(2 * jobForRoomMs);
  off.jobs.roomIsNeeded();
  expect(off.store.asked).toEqual([]);
});
