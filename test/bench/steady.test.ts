import { expect, test } from "vitest";
import { loadArguments, loadJobs, loadWords, parseLoadReport } from "./steady-load.ts";
import { spansOf, steadyOptions } from "./steady-options.ts";
import { drawSteady, formatSteady, type SteadyResults } from "./steady-report.ts";
import { columnsOf, type Sample, seriesDefinitions, verdictsOn } from "./steady-series.ts";

/** The same at every look, or what it is at one of them. */
function samples(parts: (index: number) => Sample, count = 16): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const level = Object.fromEntries(seriesDefinitions.map(({ name }) => [name, 100]));
    return { ...level, ...parts(index) };
  });
}

const verdictOn = (name: string, all: readonly Sample[]) =>
  verdictsOn(columnsOf(all)).find(({ definition }) => definition.name === name);

test("what stays as it is, is flat", () => {
  const verdicts = verdictsOn(columnsOf(samples(() => ({}))));
  expect(verdicts).toHaveLength(seriesDefinitions.length);
  expect(verdicts.filter(({ met }) => met !== true)).toEqual([]);
});

test("what grows all the time is not, and what grew in the beginning alone is", () => {
  expect(
    verdictOn(
      "spool",
      samples((index) => ({ spool: 100 * index })),
    ),
  ).toMatchObject({ met: false });
  expect(
    verdictOn(
      "spool",
      samples((index) => ({ spool: Math.min(index, 3) * 100 })),
    ),
  ).toMatchObject({ met: true });
});

test("one value that is far off makes no quarter", () => {
  expect(
    verdictOn(
      "writeP99",
      samples((index) => ({ writeP99: index === 14 ? 9000 : 3 })),
    ),
  ).toMatchObject({
    met: true,
    highest: 9000,
  });
});

test("a rate must not fall, and may rise", () => {
  expect(
    verdictOn(
      "writes",
      samples((index) => ({ writes: 1000 - index * 10 })),
    ),
  ).toMatchObject({ met: false });
  expect(
    verdictOn(
      "writes",
      samples((index) => ({ writes: 1000 + index * 10 })),
    ),
  ).toMatchObject({ met: true });
});

test("of what was not there all the time only what is known counts, and of what was never there nothing is told", () => {
  const views = samples((index) => ({ "anonymous.views": index % 2 === 0 ? undefined : 60, lagSeconds: undefined }));
  expect(verdictOn("anonymous.views", views)).toMatchObject({ second: 60, last: 60 });
  expect(verdictOn("lagSeconds", views)).toBeUndefined();
});

const machine = {
  ...{ processor: "one", processorCount: 2, memoryBytes: 2 ** 33, kernel: "Linux 6", loadAverage: 0.5 },
  programs: { fio: "3" },
};

function results(all: readonly Sample[]): SteadyResults {
  return {
    ...{
      bench: "steady",
      date: "2031-05-17T00:00:00.000Z",
      commit: "abc",
      command: "npm run bench -- steady",
      machine,
    },
    ...{ minutes: 60, sizeMebibytes: 1024, fileSystem: "ext4", spans: spansOf(60), load: loadJobs },
    host: [
      { name: "small", readsPerSecond: 500.04, writesPerSecond: 1500, trimsPerSecond: 0, latencyP50Us: 123 },
      { name: "large", readsPerSecond: 15, writesPerSecond: 30, trimsPerSecond: 0, latencyP50Us: 500 },
      { name: "trims", readsPerSecond: 0, writesPerSecond: 0, trimsPerSecond: 5 },
    ],
    works: { sealedBytes: 2 ** 31, snapshots: 60, collections: 40, freedBytes: 2 ** 30, problemsMax: 0 },
    views: { count: 3, openedMs: [40, 20, 30] },
    atSeconds: all.map((_, index) => 10 * (index + 1)),
    samples: columnsOf(all),
  };
}

test("the report says what was asked for, what came of it, and which figures were not flat", () => {
  const text = formatSteady(results(samples((index) => ({ storeLogical: 1000 * index }))));
  const words = text.replace(/\s+/g, " ");
  expect(words).toContain("500 reads and 1500 writes of 4 KiB a second at depth 8, 80 % of them in 10 % of the volume");
  expect(words).toContain(": 500 reads and 1500 writes; a write took 0.12 ms in the middle");
  expect(words).toContain("- 5 trims of 64 KiB a second at depth 1, anywhere: 5 trims.");
  expect(words).toContain(
    "2 GiB were sealed, 60 snapshots made, and 40 collections were seen to end, which gave back 1 GiB",
  );
  expect(words).toContain("3 views were opened, 30 ms in the middle until the first bytes were read, 40 ms at most");
  expect(words).toContain(`Flat: ${seriesDefinitions.length - 1} of ${seriesDefinitions.length}. Not: store, logical.`);
  expect(words).toContain("| store, logical, MiB | 5500 | 13500 | 0 to 15000 | ≤ 1.15× + 64 MiB **missed** |");
  expect(words).toContain("| spool, MiB | 100 | 100 | 100 to 100 | ≤ 1.25× + 64 MiB met |");
});

test("the picture has a line for every figure of the table but the rate in bytes, and lag in bytes", () => {
  const drawn = drawSteady(results(samples(() => ({}))));
  expect(drawn.match(/<path class="line /g)).toHaveLength(seriesDefinitions.length - 2);
  expect(drawn).toContain("A write, p99, ms");
});

test("the load is asked for as its words say", () => {
  const run = { uri: "nbd+unix:///disk?socket=s", sizeBytes: 2 ** 30, seconds: 60, reportFile: "report" };
  const line = loadArguments(run).join(" ");
  expect(line).toContain(
    "--name=small --bs=4096 --iodepth=8 --rw=randrw --rwmixread=25 --rate_iops=500,1500 --fsync=64 " +
      "--random_distribution=zoned:80/10:20/90 --name=large",
  );
  expect(line).toContain("--name=trims --bs=65536 --iodepth=1 --rw=randtrim --rate_iops=5");
  expect(loadWords(loadJobs)).toHaveLength(loadJobs.length);
});

test("a report of fio's tells of each job, and one with an error is refused", () => {
  const idle = { iops: 0, total_ios: 0, lat_ns: {} };
  const percentile = { "50.000000": 600_000, "99.000000": 900_500, "99.900000": 2_000_000 };
  const write = { iops: 1500.5, total_ios: 9, lat_ns: { percentile } };
  const job = { jobname: "small", error: 0, read: idle, write, trim: idle };
  const trims = { ...job, jobname: "trims", write: idle, trim: { ...idle, iops: 5 } };
  expect(parseLoadReport(JSON.stringify({ jobs: [job, trims] }))).toEqual([
    {
      ...{ name: "small", readsPerSecond: 0, writesPerSecond: 1500.5, trimsPerSecond: 0 },
      ...{ latencyP50Us: 600, latencyP99Us: 900.5, latencyP999Us: 2000 },
    },
    { name: "trims", readsPerSecond: 0, writesPerSecond: 0, trimsPerSecond: 5 },
  ]);
  expect(() => parseLoadReport(JSON.stringify({ jobs: [{ ...job, error: 5 }] }))).toThrow("small met error 5");
});

test("what is published is long enough, and on a volume that is large enough", () => {
  expect(steadyOptions([])).toMatchObject({ minutes: 60, sizeMebibytes: 1024, isPublished: false });
  expect(steadyOptions(["--minutes", "20", "--publish"])).toMatchObject({ minutes: 20, isPublished: true });
  expect(() => steadyOptions(["--minutes", "19", "--publish"])).toThrow("runs for 20 minutes at least");
  expect(() => steadyOptions(["--size", "512", "--publish"])).toThrow("on 1024 MiB");
  expect(() => steadyOptions(["more"])).toThrow("steady takes no 'more'");
});

test("spans are shares of the run, down to what makes sense", () => {
  expect(spansOf(60)).toMatchObject({ keep: 450, levels: "60s 1s, 150s 5s", collect: 90, samples: 10 });
  expect(spansOf(1)).toMatchObject({ keep: 15, levels: "2s 1s, 5s 5s", collect: 3, samples: 1 });
});
