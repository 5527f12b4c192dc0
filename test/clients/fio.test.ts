/** fio with its nbd engine: each block written carries a checksum of its own and the place where it belongs. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder } from "./harness.ts";
import { allocatedBytes, createFullImage, createImage, KiB, MiB, readRange, writeRange } from "./image.ts";

needPrograms("fio");

const sizeBytes = 48 * MiB;
const verify = ["--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0"];

interface FioReport {
  readonly jobs: readonly {
    readonly error: number;
    readonly read: { readonly total_ios: number };
    readonly write: { readonly total_ios: number };
    readonly trim: { readonly total_ios: number };
  }[];
}

/** The report goes to a file, so that what fio says of a failure is all that a failed test shows. */
async function fio(uri: string, reportFile: string, options: readonly string[]): Promise<FioReport> {
  const fixed = ["--output-format=json", `--output=${reportFile}`, "--ioengine=nbd", `--uri=${uri}`];
  await succeed("fio", [...fixed, "--name=client", ...options]);
  const report: FioReport = JSON.parse(await readFile(reportFile, "utf8"));
  expect(report.jobs.map((job) => job.error)).toEqual(report.jobs.map(() => 0));
  return report;
}

function total(report: FioReport, kind: "read" | "write" | "trim"): number {
  return report.jobs.reduce((sum, job) => sum + job[kind].total_ios, 0);
}

test("random writes of mixed sizes verify after all were written", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), sizeBytes);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const sizes = ["--bssplit=512/10:4k/50:12k/20:64k/15:256k/5", "--blockalign=512"];
  const report = await fio(server.uri, folder.file("report"), [
    "--rw=randwrite",
    "--iodepth=32",
    `--size=${sizeBytes}`,
    ...sizes,
    ...verify,
  ]);
  expect(total(report, "read")).toBeGreaterThan(0);
  expect(total(report, "read")).toBe(total(report, "write"));
});

test("four jobs with places of their own verify side by side, in an order of reads and writes", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), sizeBytes);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const share = sizeBytes / 4;
  const jobs = ["--numjobs=4", `--size=${share}`, `--offset_increment=${share}`];
  const order = ["--rw=randrw", "--bsrange=4k-128k", "--iodepth=16", "--verify_backlog=32"];
  const report = await fio(server.uri, folder.file("report"), [...order, ...jobs, ...verify]);
  expect(report.jobs).toHaveLength(4);
  expect(total(report, "write")).toBeGreaterThan(400);
});

test("trims of one client leave what another writes whole, and give the space back", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), sizeBytes);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const half = sizeBytes / 2;
  const writes = ["--rw=randwrite", "--bsrange=4k-64k", "--iodepth=16", `--size=${half}`, ...verify];
  const place = [`--uri=${server.uri}`, `--offset=${half}`, `--size=${half}`];
  const trims = ["--name=trimmer", "--ioengine=nbd", "--rw=randtrim", "--bs=16k", "--iodepth=8", ...place];
  const report = await fio(server.uri, folder.file("report"), [...writes, ...trims]);
  expect(total(report, "trim")).toBe(half / (16 * KiB));
  await server.stop();
  expect((await readRange(disk, half, half)).equals(Buffer.alloc(half))).toBe(true);
  expect(await allocatedBytes(disk)).toBeLessThanOrEqual(half + 1 * MiB);
});

test("what was written with syncs in between verifies after the server was started anew", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), sizeBytes);
  const order = ["--rw=randwrite", "--bsrange=4k-64k", "--iodepth=16", `--size=${sizeBytes}`, "--fsync=200", ...verify];
  const writable = await startServer(disk, ["--socket", folder.file("socket")]);
  await fio(writable.uri, folder.file("report"), [...order, "--do_verify=0"]);
  await writable.stop();
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  await fio(server.uri, folder.file("report"), [...order, "--verify_only=1"]);
});

test("a block that was changed behind the server's back fails the verification", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), sizeBytes);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const order = ["--rw=randwrite", "--bs=64k", "--iodepth=16", `--size=${sizeBytes}`, ...verify];
  await fio(server.uri, folder.file("report"), [...order, "--do_verify=0"]);
  await writeRange(disk, 5 * MiB + 777, Buffer.from("damage"));
  await expect(fio(server.uri, folder.file("report"), [...order, "--verify_only=1"])).rejects.toThrow(
    /crc32c: verify failed/,
  );
});
