import { expect, test } from "vitest";
import type { Job } from "#src/control/job.ts";
import type { RestoreWish } from "#src/control/restore.ts";
import type { RestoreNews, RestoreSettings } from "#src/control/restore-words.ts";
import { Restores, type RestoresParts } from "#src/control/restores.ts";
import { sentError } from "#src/control/store-errors.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { restoreMarkMs } from "#src/core/restore-limits.ts";
import { CancelledError } from "#src/store/work-control.ts";
import type { HistoryPin } from "#src/synth/history-document.ts";
import { driven } from "#test/contract/driver.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const group = "a".repeat(32);
const result = { isSound: true, figures: {}, lines: [] };
const wish: RestoreWish = {
  ...{ volume: "disk", point: "seq:40", target: "/srv/disk.img", mayOverwrite: false, isVerified: true },
};

class ScriptedWorker {
  readonly settings: RestoreSettings;
  readonly told: unknown[] = [];
  readonly #end = Promise.withResolvers<Error | undefined>();
  readonly ended = this.#end.promise;
  isEnded = false;
  say: (news: RestoreNews) => void = () => {};

  constructor(settings: RestoreSettings) {
    this.settings = settings;
  }

  send(message: unknown): void {
    this.told.push(message);
  }

  receive(listener: (message: unknown) => void): void {
    this.say = listener;
  }

  end(error?: Error): void {
    this.isEnded = true;
    this.#end.resolve(error);
  }
}

function world() {
  const simulation = new Simulation(1);
  const host = simulation.host("remote");
  const driver = simDriver(simulation.clock);
  host.files.makeFolder("/remote");
  const pins = new Map<string, HistoryPin>();
  const facts = {
    durable: 100,
    lastSeq: 0,
    hosts: 0,
    slowUnpin: Promise.resolve(),
    isStoreGone: false,
    seq: 40,
    groups: [group],
    volumeNames: ["disk", "other"],
    isOpening: false,
    uri: "nbd://host/disk",
  };
  const workers: ScriptedWorker[] = [];
  const parts: RestoresParts = {
    machine: host,
    folder: "/remote/restores",
    settings: { config: {} as never, storeFolder: "/s", groupsFolder: "/g", viewsFolder: "/v", wrappingKey: undefined },
    start: (settings) => {
      const worker = new ScriptedWorker(settings);
      workers.push(worker);
      return worker;
    },
    pins: {
      pin: async (_, pin) => void pins.set(pin.id, pin),
      unpin: async (_, id) => {
        await facts.slowUnpin;
        if (facts.isStoreGone) throw new RetryError("the store does not answer");
        pins.delete(id);
      },
      pins: async () => [...pins.values()],
    },
    groups: () => {
      const volumes = facts.volumeNames.map((name, place) => ({ number: place + 1, id: name, name, sizeBytes: 4096 }));
      return facts.groups.map((id) => ({ id, name: "g", durable: facts.durable, volumes }));
    },
    resolve: async () => ({ place: { group, volume: 1, durableSeq: 100 }, point: { seq: facts.seq, timeMicros: 5 } }),
    checkTarget: () => {},
    standing: async ({ isBegin }) => {
      if (isBegin && facts.hosts > 0) throw new RefuseError("a host is attached");
      if (facts.isOpening) throw new RetryError("the volume is opening");
      return { seq: facts.lastSeq, uri: facts.uri };
    },
  };
  const startAgain = () => new Restores(parts);
  return { host, driver, pins, facts, workers, startAgain, restores: startAgain() };
}

test("a point is held from before its restore is a job until that is over, and the notes go with it", async () => {
  const { host, driver, pins, workers, restores } = world();
  const request = await driven(driver, restores.hold(wish, []));
  expect([...pins.values()]).toMatchObject([{ seq: 40, keeps: "history" }]);
  const done = restores.work(request);
  await driver.until(() => workers.length === 1);
  const [worker] = workers as [ScriptedWorker];
  host.files.create(worker.settings.sumsPath).close();
  worker.say({ news: { progress: undefined, pacedBytes: 7 } });
  expect(restores.news(request)?.pacedBytes).toBe(7);
  worker.say({ result });
  expect(await driven(driver, done)).toEqual(result);
  expect(worker.isEnded).toBe(true);
  restores.over(request, true);
  await driver.quiet();
  expect([...pins, ...host.files.list("/remote/restores")]).toEqual([]);
});

test("when its process ends the restore may be tried again, with the same notes, and a refusal stays one", async () => {
  const { driver, workers, restores, pins } = world();
  const request = await driven(driver, restores.hold(wish, []));
  const lost = restores.work(request);
  lost.catch(() => {});
  await driver.until(() => workers.length === 1);
  workers[0]?.end(new Error("it ended with SIGKILL"));
  await expect(driven(driver, lost)).rejects.toThrow(RetryError);
  expect(pins.size).toBe(1);
  const cancelled = restores.work(request);
  cancelled.catch(() => {});
  await driver.until(() => workers.length === 2);
  expect(workers[1]?.settings.sumsPath).toBe(workers[0]?.settings.sumsPath);
  await restores.end(request);
  expect(workers[1]?.told).toEqual(["end"]);
  workers[1]?.say({ error: sentError(new CancelledError()) });
  await expect(driven(driver, cancelled)).rejects.toThrow(CancelledError);
});

test("a restore onto its volume begins when the mark before it is durable, and not before", async () => {
  const { driver, facts, workers, restores, pins } = world();
  const request = await driven(driver, restores.hold({ ...wish, target: "nbd://host/disk", fromSeq: 120 }, []));
  expect([...pins.values()]).toMatchObject([{ seq: 40 }]);
  const done = restores.work(request);
  await promisesSettled();
  expect(workers).toEqual([]);
  facts.durable = 121;
  await driver.until(() => workers.length === 1);
  expect(workers[0]?.settings).toMatchObject({ durableSeq: 121, request: { fromSeq: 120, seq: 40 } });
  workers[0]?.say({ result });
  await driven(driver, done);
});

test("what was written behind the mark is waited for at each begin and at the end, and hosts are looked for again", async () => {
  const { driver, facts, workers, restores } = world();
  const request = await driven(driver, restores.hold({ ...wish, target: "nbd://host/disk", fromSeq: 90 }, []));
  facts.lastSeq = 105;
  const first = restores.work(request);
  first.catch(() => {});
  await promisesSettled();
  expect(workers).toEqual([]);
  facts.durable = 106;
  await driver.until(() => workers.length === 1);
  expect(workers[0]?.settings.durableSeq).toBe(106);
  facts.lastSeq = 120;
  workers[0]?.say({ asks: "durable" });
  await promisesSettled();
  expect(workers[0]?.told).toEqual([]);
  facts.durable = 120;
  await driver.until(() => workers[0]?.told.length === 1);
  expect(workers[0]?.told).toEqual([{ durableSeq: 120 }]);
  workers[0]?.end(new Error("it ended with SIGKILL"));
  await expect(driven(driver, first)).rejects.toThrow(RetryError);
  facts.hosts = 1;
  await expect(driven(driver, restores.work(request))).rejects.toThrow("a host is attached");
  expect(workers).toHaveLength(1);
});

test("after a start it waits for its volume to open, and goes by the export that it has then", async () => {
  const { driver, facts, workers, restores } = world();
  const request = await driven(driver, restores.hold({ ...wish, target: "nbd://host:1/disk", fromSeq: 90 }, []));
  facts.isOpening = true;
  facts.uri = "nbd://host:2/disk";
  const done = restores.work(request);
  await promisesSettled();
  expect(workers).toEqual([]);
  facts.isOpening = false;
  await driver.until(() => workers.length === 1);
  expect(workers[0]?.settings.request.target).toBe("nbd://host:2/disk");
  workers[0]?.say({ result });
  expect(await driven(driver, done)).toEqual(result);
});

test("what has the name of its volume by now is not restored to a point of before", async () => {
  const { driver, facts, workers, restores } = world();
  const request = await driven(driver, restores.hold({ ...wish, target: "nbd://host/disk", fromSeq: 90 }, []));
  facts.lastSeq = 105;
  const done = restores.work(request);
  done.catch(() => {});
  await promisesSettled();
  // The record with which the other one joins is among those that are waited for.
  facts.volumeNames.push("disk");
  facts.durable = 105;
  await expect(driven(driver, done)).rejects.toThrow("was removed and added again");
  expect(workers).toEqual([]);
});

test("it is put off only where nothing more of what was written reaches the remote appliance", async () => {
  const { host, driver, facts, workers, restores } = world();
  const request = await driven(driver, restores.hold({ ...wish, target: "nbd://host/disk", fromSeq: 90 }, []));
  facts.lastSeq = 1000;
  const grow = () => {
    facts.durable += 10;
    if (facts.durable < 300) host.clock.timer(restoreMarkMs / 2, grow);
  };
  grow();
  const done = restores.work(request);
  await expect(driven(driver, done)).rejects.toThrow("record 1000, yet");
  expect(facts.durable).toBe(300);
  expect(workers).toEqual([]);
});

test("what a crash left of restores that are over goes, and what is to go on stays", async () => {
  const { host, driver, pins, restores, startAgain } = world();
  const [over, open] = [await driven(driver, restores.hold(wish, [])), await driven(driver, restores.hold(wish, []))];
  for (const { restore } of [over, open]) host.files.create(`/remote/restores/${restore?.id}.sums`).close();
  pins.set("view:1", { id: "view:1", seq: 3, keeps: "history", reason: "" });
  const job = { id: 1, request: open, isOfSchedule: false, state: "waiting", madeMs: 0 } as const;
  await driven(driver, startAgain().sweep([job]));
  expect([...pins.keys()].sort()).toEqual([`restore:${open.restore?.id}`, "view:1"]);
  expect(host.files.list("/remote/restores")).toEqual([`${open.restore?.id}.sums`]);
});

test("a point that cannot be let go of when its restore is over is let go of as soon as the store answers", async () => {
  const { driver, facts, pins, restores } = world();
  const requests = [await driven(driver, restores.hold(wish, [])), await driven(driver, restores.hold(wish, []))];
  facts.isStoreGone = true;
  for (const request of requests) restores.over(request, true);
  await promisesSettled();
  expect(pins.size).toBe(2);
  facts.isStoreGone = false;
  await driver.until(() => pins.size === 0);
});

test("what is asked for while the sweep goes on keeps its hold", async () => {
  const { driver, facts, pins, restores } = world();
  const over = ["restore:old", "restore:older"];
  for (const id of over) pins.set(id, { id, seq: 1, keeps: "history", reason: "" });
  const slow = Promise.withResolvers<void>();
  facts.slowUnpin = slow.promise;
  facts.groups = [group, "b".repeat(32)];
  const swept = restores.sweep([]);
  await promisesSettled();
  const { restore } = await driven(driver, restores.hold(wish, []));
  slow.resolve();
  await driven(driver, swept);
  expect([...pins.keys()]).toEqual([`restore:${restore?.id}`]);
});

/** Held, begun, and over without being done; answers its job, as the book has it. */
async function undone(
  { driver, host, restores }: ReturnType<typeof world>,
  id: number,
  more: Partial<RestoreWish> = {},
) {
  const request = await driven(driver, restores.hold({ ...wish, ...more }, []));
  host.files.create(`/remote/restores/${request.restore?.id}.sums`).close();
  restores.over(request, false);
  await driver.quiet();
  return { id, request, isOfSchedule: false, state: "cancelled", madeMs: 0 } as const satisfies Job;
}

test("a restore that was cancelled goes on from its notes when it is asked for again, and holds nothing meanwhile", async () => {
  const all = world();
  const { driver, host, pins, restores, startAgain } = all;
  const cancelled = await undone(all, 1);
  expect(pins.size).toBe(0);
  await driven(driver, startAgain().sweep([cancelled]));
  expect(host.files.list("/remote/restores")).toEqual([`${cancelled.request.restore?.id}.sums`]);
  const again = await driven(driver, restores.hold(wish, [cancelled]));
  expect(again.restore?.id).not.toBe(cancelled.request.restore?.id);
  expect([cancelled.request.restore?.goesOn, again.restore?.goesOn]).toEqual([undefined, true]);
  expect(host.files.list("/remote/restores")).toEqual([`${again.restore?.id}.sums`]);
  expect([...pins.keys()]).toEqual([`restore:${again.restore?.id}`]);
});

test("what was noted of a target counts no more when another restore has had it, or was asked for", async () => {
  const all = world();
  const { driver, host, facts, restores, startAgain } = all;
  const cancelled = await undone(all, 1);
  const done = { ...cancelled, id: 2, state: "done" } as const;
  expect((await driven(driver, restores.hold(wish, [cancelled, done]))).restore?.id).toBeDefined();
  facts.seq = 41;
  await driven(driver, restores.hold(wish, [cancelled]));
  facts.seq = 40;
  await driven(driver, restores.hold({ ...wish, target: "/srv/other.img" }, [cancelled]));
  expect(host.files.list("/remote/restores")).toEqual([`${cancelled.request.restore?.id}.sums`]);
  await driven(driver, startAgain().sweep([cancelled, done]));
  expect(host.files.list("/remote/restores")).toEqual([]);
});

test("what was noted of a copy of a view is there when that is done, for whoever has it looked at again", async () => {
  const { driver, host, restores, startAgain } = world();
  const copy = { ...wish, view: { id: "1", name: "mine", incarnation: 5, isWritable: true } };
  const request = await driven(driver, restores.hold(copy, []));
  host.files.create(`/remote/restores/${request.restore?.id}.sums`).close();
  restores.over(request, true);
  await driver.quiet();
  const done = { id: 1, request, isOfSchedule: false, state: "done", madeMs: 0 } as const satisfies Job;
  await driven(driver, startAgain().sweep([done]));
  const again = await driven(driver, restores.hold(copy, [done]));
  expect(again.restore).toMatchObject({ goesOn: true });
  expect(host.files.list("/remote/restores")).toEqual([`${again.restore?.id}.sums`]);
  restores.forget(again);
  expect(host.files.list("/remote/restores")).toEqual([]);
});

test("what was noted of a view counts no more when that was opened again, for it may have been written to", async () => {
  const all = world();
  const { driver, host, restores } = all;
  const view = { id: "1", name: "mine", incarnation: 5, isWritable: true };
  const cancelled = await undone(all, 1, { view });
  const changed = { ...wish, view: { ...view, reopenCount: 1 } };
  await driven(driver, restores.hold(changed, [cancelled]));
  expect(host.files.list("/remote/restores")).toEqual([`${cancelled.request.restore?.id}.sums`]);
  const same = await driven(driver, restores.hold({ ...wish, view }, [cancelled]));
  expect(host.files.list("/remote/restores")).toEqual([`${same.restore?.id}.sums`]);
});
