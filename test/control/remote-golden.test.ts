/** What the folder of a remote appliance says of itself, as version 1 has it: what is there today must be found by every later program. */
import { expect, test } from "vitest";
import { type RemoteGroupState, RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import { SegmentCatalogue } from "#src/appliance/remote/segment-catalogue.ts";
import { JobRunner, type JobWorker } from "#src/control/job-runner.ts";
import { NamesDoubt } from "#src/control/names-doubt.ts";
import type { RestoreRequest } from "#src/control/restore.ts";
import { type NotedStore, noteStore, readNotedStore } from "#src/control/store-binding.ts";
import type { WorkRequest, WorkResult } from "#src/control/store-work.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { segmentLeaseCount } from "#src/core/limits.ts";
import { encodeDocument } from "#src/host/document.ts";
import { wholeJournal } from "#src/journals/journal-start.ts";
import { driven } from "#test/contract/driver.ts";
import { instead } from "#test/instead.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { golden, put, written } from "./golden-files.ts";

function world() {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  return { host, files: host.files, driver: simDriver(simulation.clock) };
}

const binding: NotedStore = { store: "ab".repeat(16), holder: "cd".repeat(16), isRebuilding: false };

test.each([
  ["store-binding-v1.bin", binding],
  ["store-binding-begun-v1.bin", { ...binding, store: null, isRebuilding: true }],
] as const)("the document that says which store is a folder's: %s", async (name, noted) => {
  const { files, driver } = world();
  await driven(driver, noteStore(files, "/", noted));
  expect(written(files, "/binding.json").toString()).toBe(golden(name).toString());
  const other = world();
  put(other.files, "/binding.json", golden(name));
  expect(readNotedStore(other.files, "/")).toEqual(noted);
});

test("the document that says which numbers of segments were given", async () => {
  const { files, driver } = world();
  const reservedEnd = 2 ** 34 + 7;
  await driven(driver, SegmentCatalogue.rebuild(files, "/", reservedEnd - segmentLeaseCount - 1));
  const bytes = golden("segments-v1.bin");
  expect(written(files, "/segments.json").toString()).toBe(bytes.toString());
  const other = world();
  put(other.files, "/segments.json", bytes);
  expect(await driven(other.driver, SegmentCatalogue.open(other.files, "/").take())).toBe(reservedEnd);
});

const group: RemoteGroupState = {
  ...{ id: "00112233445566778899aabbccddeeff", name: "disks", writer: "0123456789abcdef", life: 7, epoch: 3 },
  ...{ incarnation: 4_000_000_001, checkpointSeq: 2 ** 40 + 9, storedSeq: 2 ** 40 + 5 },
  journalStart: { seq: 2 ** 40 + 2, epoch: 2, timeMicros: 1_800_000_000_000_001 },
  volumes: [
    { number: 1, id: "ffeeddccbbaa99887766554433221100", name: "root", sizeBytes: 10_737_418_240 },
    { number: 2, id: "ffeeddccbbaa99887766554433221101", name: "log", sizeBytes: 4096, level: 60 },
  ],
};

test("the state of a group", async () => {
  const { files, driver } = world();
  await driven(driver, RemoteGroupStateFile.create(files, "/", group));
  const bytes = golden("remote-group-v1.bin");
  expect(written(files, "/group.json").toString()).toBe(bytes.toString());
  const other = world();
  put(other.files, "/group.json", bytes);
  expect(RemoteGroupStateFile.read(other.files, "/", group.id)?.state).toEqual(group);
});

test("the state of a group from before there was a store has nothing in one", () => {
  const { storedSeq: _, journalStart: __, ...before } = group;
  const { files } = world();
  put(files, "/group.json", encodeDocument({ format: "tidemark-remote-group", version: 1 }, before));
  const { state } = RemoteGroupStateFile.read(files, "/", group.id) ?? expect.unreachable("it is there");
  expect(state).toEqual({ ...group, storedSeq: 0, journalStart: wholeJournal });
});

test("the note that nobody knows which names of the store are on its disk", async () => {
  const { host, files, driver } = world();
  await driven(driver, NamesDoubt.open(host, "/names-doubt.json").note("the names in /store are not known to be kept"));
  const bytes = golden("names-doubt-v1.bin");
  expect(written(files, "/names-doubt.json").toString()).toBe(bytes.toString());
  const other = world();
  put(other.files, "/names-doubt.json", bytes);
  const said = "the names in /store are not known to be kept";
  expect(NamesDoubt.open(other.host, "/names-doubt.json").trouble).toContain(said);
  other.host.cutPower();
  expect(NamesDoubt.open(host, "/names-doubt.json").trouble).toContain(said);
});

const restore: RestoreRequest = {
  ...{ volume: "disk", target: "/srv/old.img", mayOverwrite: true, isVerified: false },
  view: { id: "ab".repeat(16), name: "mine", incarnation: 4_000_000_001, reopenCount: 2, isWritable: true },
  ...{ note: "it is the nearest one", fromSeq: 5, group: "cd".repeat(16), number: 2, seq: 2 ** 40 + 7 },
  ...{ timeMicros: 1_800_000_000_000_001, id: "ef".repeat(8), goesOn: true },
};
const found: WorkResult = {
  ...{ isSound: false, figures: { objects: 3, readBytes: 4096, left: null }, lines: ["a segment is damaged"] },
  findings: [
    {
      ...{ object: "segments/000000000001.0000", thing: "blocks", finding: "it is another one", count: 1 },
      ...{ slots: [{ slot: 7, count: 1 }], foundMicros: 1_800_000_000_000_002, obstacle: "there is no other copy" },
    },
  ],
};

type Answer = WorkResult | Error | "never";

/** Each work that is asked for comes out as the next answer says. */
function answering(answers: Answer[]): JobWorker & { readonly asked: WorkRequest[]; readonly workNews: undefined } {
  const asked: WorkRequest[] = [];
  const work = (request: WorkRequest): Promise<WorkResult> => {
    asked.push(request);
    const answer = answers.shift() ?? "never";
    if (answer === "never") return new Promise(() => {});
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { asked, work, end: async () => {}, news: () => undefined, over: () => {}, workNews: undefined };
}

function jobsOf({ host }: ReturnType<typeof world>, store: Answer[], restores: Answer[]) {
  // Always the same time of day, whatever goes by.
  const machine = instead(host, { clock: instead(host.clock, { wallMs: () => 1_800_000_000_000 }) });
  const workers = { store: answering(store), restores: answering(restores) };
  const { work, workNews } = workers.store;
  const keeper = { work, workNews, endWork: async () => {} };
  const parts = { machine, path: "/jobs.json", store: keeper, restores: workers.restores, everyMs: {} };
  return { jobs: JobRunner.open(parts), ...workers };
}

test("the document of jobs", async () => {
  const made = world();
  const { driver, files } = made;
  const { jobs } = jobsOf(made, [found, new StopError("it is damaged"), new RetryError("the disk is full")], ["never"]);
  const isOver = (id: number) => () => jobs.report(id).ended !== undefined;
  const scrub = await driven(driver, jobs.add({ kind: "scrub", isDry: false, isAnew: true }));
  await driver.until(isOver(scrub.id));
  const verify = await driven(driver, jobs.add({ kind: "verify", isDry: false }));
  await driver.until(isOver(verify.id));
  const collect = await driven(driver, jobs.add({ kind: "collect", isDry: true }));
  await driver.until(() => jobs.report(collect.id).why !== undefined);
  const restoring = await driven(driver, jobs.add({ kind: "restore", isDry: false, restore }));
  expect(jobs.report(restoring.id).state).toBe("running");
  await driven(driver, jobs.add({ kind: "index", isDry: true }));
  const verifying = await driven(driver, jobs.add({ kind: "verify", isDry: true }));
  await driven(driver, jobs.cancel(verifying.id));
  jobs.stop();
  await driver.quiet();
  const bytes = golden("jobs-v1.bin");
  expect(written(files, "/jobs.json").toString()).toBe(bytes.toString());

  const other = world();
  put(other.files, "/jobs.json", bytes);
  const next = jobsOf(other, ["never"], ["never"]);
  expect(next.jobs.all).toEqual(jobs.all);
  expect([next.store.asked, next.restores.asked]).toEqual([
    [{ kind: "index", isDry: true }],
    [{ kind: "restore", isDry: false, restore }],
  ]);
});
