import { expect, test } from "vitest";
import { fioOptions, parseFioReport } from "./fio.ts";

const idle = { iops: 0, total_ios: 0, lat_ns: {} };
const busy = {
  iops: 50_000.5,
  total_ios: 100_001,
  lat_ns: { percentile: { "50.000000": 600_000, "99.000000": 900_500, "99.900000": 2_000_000 } },
};

function reportOf(...jobs: object[]): string {
  return JSON.stringify({ jobs });
}

test("a report of writes gives rate, count and latencies in microseconds", () => {
  expect(parseFioReport(reportOf({ error: 0, read: idle, write: busy, trim: idle }))).toEqual({
    iops: 50_000.5,
    ioCount: 100_001,
    latencyP50Us: 600,
    latencyP99Us: 900.5,
    latencyP999Us: 2000,
  });
});

test("a report of reads gives that of the reads", () => {
  expect(parseFioReport(reportOf({ error: 0, read: busy, write: idle, trim: idle })).ioCount).toBe(100_001);
});

test("a report of trims gives that of the trims", () => {
  expect(parseFioReport(reportOf({ error: 0, read: idle, write: idle, trim: busy })).ioCount).toBe(100_001);
});

test.each([
  ["an error", reportOf({ error: 5, read: busy, write: idle, trim: idle }), "met error 5"],
  ["no request answered", reportOf({ error: 0, read: idle, write: idle, trim: idle }), "got nothing done"],
  ["jobs that were not put together", reportOf({}, {}), "2 groups"],
  ["no latencies", reportOf({ error: 0, read: { ...busy, lat_ns: {} }, write: idle, trim: idle }), "no latency at 50"],
])("a report with %s is refused", (_, text, message) => {
  expect(() => parseFioReport(text)).toThrow(message);
});

test("a workload says all that fio needs to know of it", () => {
  const workload = { access: "randread", blockBytes: 4096, depth: 32, connections: 4 } as const;
  expect(fioOptions(workload, 1 << 30)).toEqual(
    expect.arrayContaining(["--rw=randread", "--bs=4096", "--iodepth=32", "--numjobs=4", "--size=1073741824"]),
  );
});

const write = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 } as const;

test("without a bound in bytes the time is the only end", () => {
  expect(fioOptions(write, 1 << 30)).toContain("--time_based");
  expect(fioOptions(write, 1 << 30).some((option) => option.startsWith("--fsync"))).toBe(false);
});

test("a workload may flush now and then", () => {
  expect(fioOptions({ ...write, writesPerFlush: 8 }, 1 << 30)).toContain("--fsync=8");
});

test("a workload with a bound in bytes ends with a flush", () => {
  const options = fioOptions({ ...write, bytesMax: 1 << 20 }, 1 << 30);
  expect(options).toEqual(expect.arrayContaining(["--io_size=1048576", "--end_fsync=1"]));
  expect(options).not.toContain("--time_based");
});

test("writes far apart leave out what lies between, and end with their number and not with the time", () => {
  const far = { access: "write", blockBytes: 4096, depth: 1, connections: 1 } as const;
  const options = fioOptions({ ...far, offsetBytes: 2 ** 20, strideBytes: 2 ** 24, writesMax: 7 }, 2 ** 30);
  expect(options).toContain(`--rw=write:${2 ** 24 - 4096}`);
  expect(options).toContain("--offset=1048576");
  expect(options).toContain("--number_ios=7");
  expect(options).not.toContain("--time_based");
  expect(options).not.toContain("--end_fsync=1");
});
