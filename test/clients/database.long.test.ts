/**
 * A database under load on a protected file system, at many of its moments: each is a writable view, which is mounted, on which the
 * database recovers, and which is held against what was noted of its commits outside of it.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ViewFacts } from "#src/control/view.ts";
import { launcher, type RunningProgram } from "#test/cli/running-program.ts";
import { shareOf } from "#test/long-share.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { attach, attachObstacle, mount } from "./attached-disk.ts";
import { BusyDatabase, heldCommits, isBalanced } from "./busy-database.ts";
import { succeed } from "./command.ts";
import { judge } from "./commit-log.ts";
import { needPrograms, skipWhere, type TemporaryFolder, temporaryFolder } from "./harness.ts";
import { PostgresCluster } from "./postgres.ts";
import { durable, lastSeq, protectedDisk } from "./protected-disk.ts";

needPrograms("setpriv", "nbdfuse", "fusermount3", "losetup", "mkfs.ext4", "pg_ctlcluster");
skipWhere(attachObstacle);

const roundTransactions = 1000;
const perRound = { transactions: roundTransactions };

/** Opens a view of a point, and the database on it; all of it goes again. */
async function onView<Found>(
  folder: TemporaryFolder,
  up: RunningProgram,
  point: string,
  look: (cluster: PostgresCluster, view: ViewFacts) => Promise<Found>,
): Promise<Found> {
  const view = (await up.sent("POST", "/api/v1/views", { volume: "disk", point, writable: true })) as ViewFacts;
  const disk = await attach(folder, view.uri);
  const mounted = await mount(folder, disk.device);
  const cluster = await PostgresCluster.on(folder, mounted.path);
  await cluster.start();
  const found = await look(cluster, view);
  await cluster.stop();
  await mounted.unmount();
  await disk.detach();
  await up.sent("DELETE", `/api/v1/views/${view.name}?discard=true`);
  return found;
}

test("PostgreSQL recovers at random moments with every commit that had returned, and none that was begun later", async () => {
  const folder = await temporaryFolder();
  const { up, mounted } = await protectedDisk(folder, "256M");
  const database = await BusyDatabase.make(folder, mounted.path, perRound);
  const [fromSeq, fromMs] = [await lastSeq(up), Date.now()];
  for (let round = 0; round < shareOf(10); round++) await database.round();
  const [toSeq, toMs] = [await lastSeq(up), Date.now()];
  await durable(up, toSeq);
  const noted = [...database.commits];
  const random = new SeededRandom(6);
  let promisedCount = 0;
  await database.during(async () => {
    // A share of the trials, and more of them until one was at a time by which commits had been promised.
    for (let trial = 0; trial < 50 && (trial < shareOf(50) || promisedCount === 0); trial++) {
      const isByTime = trial % 2 === 1;
      const wantedMs = random.between(fromMs, toMs);
      const point = isByTime ? new Date(wantedMs).toISOString() : `seq:${random.between(fromSeq, toSeq)}`;
      await onView(folder, up, point, async (cluster, view) => {
        const verdict = judge(noted, await heldCommits(cluster), isByTime ? wantedMs : Date.parse(view.time));
        expect(verdict, `${point}, seq:${view.seq}`).toMatchObject({ lost: [], early: [] });
        expect(await isBalanced(cluster)).toBe(true);
        promisedCount += verdict.promisedCount;
      });
    }
  });
  expect(noted).toHaveLength(shareOf(10) * roundTransactions);
  expect(promisedCount).toBeGreaterThan(0);
});

test("bisect finds the exact write after which a dropped table is gone", async () => {
  const folder = await temporaryFolder();
  const { up, mounted } = await protectedDisk(folder, "256M");
  const database = await BusyDatabase.make(folder, mounted.path, perRound);
  await database.cluster.query("CREATE TABLE precious AS SELECT generate_series(1, 1000) AS n");
  const createdSeq = await lastSeq(up);
  let [beforeSeq, afterSeq] = [0, 0];
  await database.during(async () => {
    await database.cluster.query("UPDATE precious SET n = n + 1");
    beforeSeq = await lastSeq(up);
    await database.cluster.query("DROP TABLE precious");
    afterSeq = await lastSeq(up);
  });
  const newestSeq = await lastSeq(up);
  await durable(up, newestSeq);
  // Of the table's whole life, or where there is little time of the moment in which it was dropped.
  const [goodSeq, badSeq] = shareOf(2) === 2 ? [createdSeq, newestSeq] : [beforeSeq, afterSeq];
  const script = join(import.meta.dirname, "view-has-table.sh");
  const ends = ["--good", `seq:${goodSeq}`, "--bad", `seq:${badSeq}`, "--api", up.api, "--json"];
  const line = [launcher, "bisect", "disk", ...ends, "--", script, "precious"];
  const { stdout, stderr } = await succeed(process.execPath, line, { timeoutMs: 600_000 });
  const { good, bad } = JSON.parse(stdout) as { readonly [end in "good" | "bad"]: { readonly seq: number } };
  expect(bad.seq - good.seq, stderr).toBe(1);
  expect(good.seq).toBeGreaterThanOrEqual(beforeSeq);
  expect(bad.seq).toBeLessThanOrEqual(afterSeq);
  const isThere = (seq: number) =>
    onView(folder, up, `seq:${seq}`, async (cluster) => {
      return (await cluster.query("SELECT to_regclass('precious') IS NOT NULL")).flat();
    });
  expect(await isThere(good.seq)).toEqual(["t"]);
  expect(await isThere(bad.seq)).toEqual(["f"]);
});
