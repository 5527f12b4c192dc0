/** The whole system under faults for some minutes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { attachObstacle } from "#test/clients/attached-disk.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { isWhole } from "#test/long-share.ts";
import { runChaos } from "./chaos.ts";
import { describeReport } from "./report.ts";

needPrograms(
  "setpriv",
  "nbdkit",
  "nbdfuse",
  "fusermount3",
  "losetup",
  "fsfreeze",
  "ip",
  "nsenter",
  "openssl",
  "mkfs.ext4",
  "e2fsck",
  "pg_ctlcluster",
  "prometheus",
);
skipWhere(attachObstacle);

const minutes = 10;

test.runIf(isWhole)(
  "whatever goes wrong at once, everything is well when it is undone, and all points are what was written",
  {
    timeout: 3_600_000,
  },
  async () => {
    const path = mkdtempSync(join(tmpdir(), "tidemark-chaos-"));
    let isKept = true;
    onTestFinished(() => {
      if (!isKept) rmSync(path, { recursive: true });
    });
    const folder = { path, file: (name: string) => join(path, name) };
    const report = await runChaos({ seed: 60_041, minutes, folder, tell: (line) => console.info(line) });
    console.info(describeReport(report));
    expect(report.failures).toEqual([]);
    expect(report.points).toBeGreaterThan(0);
    expect(report.promisedCommits).toBeGreaterThan(0);
    expect(report.replayed.records).toBeGreaterThan(0);
    expect(Object.keys(report.alarms).length).toBeGreaterThan(1);
    isKept = false;
  },
);
