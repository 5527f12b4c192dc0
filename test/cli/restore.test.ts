/** Points restored to files, servers and back onto their volume, and what differs between them, as an operator types it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DifferenceReport } from "#src/control/difference.ts";
import type { JobReport } from "#src/control/job.ts";
import type { RestoreReport } from "#src/control/restore-control.ts";
import { MiB } from "#src/core/limits.ts";
import { startServer } from "#test/clients/harness.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";
import { typedInTurn } from "./typed-in-turn.ts";
import { blockBytes, sizeBytes, withHistory } from "./volume-with-history.ts";

/** For tests that only read its points. */
const history = onceForFile(withHistory);

test("a point is restored to a file, sparse and whole, and what differs from a later one is told", async () => {
  const { up, folder, early, late } = await history();
  const target = join(folder, "early.img");
  const job = (await up.asked("restore", "disk@mark:early", "--to", target)) as JobReport;
  expect(job).toMatchObject({ kind: "restore", state: "done", restore: { volume: "disk", target } });
  expect(job.result).toMatchObject({ isSound: true, lines: [], figures: { verifiedBytes: sizeBytes } });
  expect(readFileSync(target).equals(early)).toBe(true);
  expect(statSync(target).blocks * 512).toBeLessThan(sizeBytes / 2);
  const found = (await up.asked("diff", "disk@mark:early..mark:late")) as DifferenceReport;
  expect(found.ranges).toEqual([
    { offset: 0, length: blockBytes, kind: "zeros" },
    { offset: 32_768, length: 8192, kind: "data" },
    { offset: 4 * MiB, length: blockBytes, kind: "data" },
  ]);
  const words = (await up.typed("diff", "disk@now..mark:early")).stdout;
  expect(words).toMatch(/^ *OFFSET +LENGTH +KIND\n/);
  expect(words).toContain("16.0 KiB in 3 ranges differ in disk");
  expect((await up.typed("diff", "disk@now..now")).stdout).toContain("nothing was written");
  // It holds something now.
  const again = await up.typed("restore", "disk@mark:late", "--to", target);
  // Which point the words stood for.
  expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^seq:\d+ of disk \(\d{4}-[^)]+\)\n$/) });
  expect(again.stdout).toContain("--overwrite says that it may go");
  await up.asked("restore", "disk@mark:late", "--to", target, "--overwrite", "--no-verify");
  expect(readFileSync(target).equals(late)).toBe(true);
});

test("what cannot be a target is refused in words, and nothing is written", async () => {
  const { up, folder, uri, late } = await history();
  const refusals = async (...cases: readonly (readonly [words: string, ...line: string[]])[]): Promise<void> => {
    const lines = cases.map(([, ...line]) => ["restore", "disk@mark:early", ...line, "--api", up.api]);
    for (const [index, { exitCode, stdout, stderr }] of (await typedInTurn(lines)).entries()) {
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).toContain(cases[index]?.[0]);
    }
  };
  const source = join(folder, "disk.img");
  const small = join(folder, "small.img");
  writeFileSync(small, Buffer.alloc(MiB));
  await refusals(
    ["--to PATH"],
    ["--confirm disk says", "--to", source, "--overwrite"],
    ["--confirm disk says", "--to", uri, "--overwrite"],
    ["--confirm disk says", "--to", source, "--confirm", "dusk"],
    ["Tidemark itself keeps", "--to", join(folder, "data", "remote", "x.img")],
    ["is a folder", "--to", folder],
    [`the volume had ${sizeBytes} at that point`, "--to", small],
  );
  expect((await up.typed("restore", "disk@mark:never", "--to", "/x")).stderr).toContain("never");
  const client = await openVolume(uri);
  await refusals(["detach first", "--to", source, "--confirm", "disk"]);
  await client.disconnect();
  expect(readFileSync(source).equals(late)).toBe(true);
});

test("fault 39: a volume that is named once more is brought back to a point of its own, and what it held stays one", async () => {
  const { up, folder, early, late } = await withHistory();
  const source = join(folder, "disk.img");
  const before = (await up.status()).volumes[0]?.writeBytes ?? 0;
  const begun = (await up.asked(
    "restore",
    "disk@mark:early",
    "--to",
    source,
    "--confirm",
    "disk",
    "--no-wait",
  )) as RestoreReport;
  expect(begun.mark?.name).toMatch(/^before-restore-/);
  const job = (await up.asked("job", "show", String(begun.id), "--wait")) as JobReport;
  expect(job.result).toMatchObject({ isSound: true, lines: [], figures: { damagedBytes: 0, writtenBytes: 12_288 } });
  expect(readFileSync(source).equals(early)).toBe(true);
  // Only what differs was written, and journaled.
  expect(((await up.status()).volumes[0]?.writeBytes ?? 0) - before).toBeLessThanOrEqual(16_384);
  const target = join(folder, "before.img");
  await up.asked("restore", `disk@mark:${begun.mark?.name}`, "--to", target);
  expect(readFileSync(target).equals(late)).toBe(true);
});

test("faults 7 and 9: a restore goes on after a kill in its middle, and nothing holds its point when it is over", async () => {
  const { up, folder, early } = await withHistory();
  const target = join(folder, "early.img");
  const { id } = (await up.asked("restore", "disk@mark:early", "--to", target, "--no-wait")) as JobReport;
  await up.program.kill();
  const again = await RunningProgram.start("up", join(folder, "data"));
  const job = (await again.asked("job", "show", String(id), "--wait")) as JobReport;
  expect(job).toMatchObject({ state: "done", result: { isSound: true } });
  expect(readFileSync(target).equals(early)).toBe(true);
  await whenSeen(() => expect(readdirSync(join(folder, "data", "remote", "restores"))).toEqual([]));
});

test("a restore onto its volume goes on after the program was killed, when the volume is open again", async () => {
  const { up, folder, early } = await withHistory();
  const source = join(folder, "disk.img");
  const order = ["restore", "disk@mark:early", "--to", source, "--confirm", "disk", "--no-wait"];
  const { id } = (await up.asked(...order)) as RestoreReport;
  await up.program.kill();
  const again = await RunningProgram.start("up", join(folder, "data"));
  const job = (await again.asked("job", "show", String(id), "--wait")) as JobReport;
  expect(job).toMatchObject({ state: "done", result: { isSound: true, lines: [] } });
  expect(readFileSync(source).equals(early)).toBe(true);
});

test("a point is restored to an export of another server, over what it held where that may go", async () => {
  const { up, folder, early } = await history();
  const disk = join(folder, "other.img");
  writeFileSync(disk, Buffer.alloc(sizeBytes + MiB, 0x77));
  const server = await startServer(disk, ["--socket", join(folder, "other.sock")]);
  const refused = await up.typed("restore", "disk@mark:early", "--to", server.uri);
  expect(refused.stdout + refused.stderr).toContain("--overwrite says that it may go");
  const job = (await up.asked("restore", "disk@mark:early", "--to", server.uri, "--overwrite")) as JobReport;
  expect(job.result).toMatchObject({ isSound: true, figures: { verifiedBytes: sizeBytes } });
  const found = readFileSync(disk);
  expect(found.subarray(0, sizeBytes).equals(early)).toBe(true);
  expect(found.subarray(sizeBytes).every((byte) => byte === 0x77)).toBe(true);
});
