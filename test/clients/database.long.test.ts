/**
 * A database under load on a protected file system, at many of its moments: each is a writable view, which is mounted, on which the
 * database recovers, and which is held against what was noted of its commits outside of it.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import type { ViewFacts } from "#src/control/view.ts";
import { launcher, type RunningProgram } from "#test/cli/running-program.ts";
import { shareOf } from "#test/long-share.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { attach, attachObstacle, mount } from "./attached-disk.ts";
import { succeed } from "./command.ts";
import { commitName, judge, type NotedCommit, readCommitLog } from "./commit-log.ts";
import { needPrograms, skipWhere, type TemporaryFolder, temporaryFolder } from "./harness.ts";
import { PostgresCluster } from "./postgres.ts";
import { durable, lastSeq, protectedDisk } from "./protected-disk.ts";

needPrograms("nbdfuse", "fusermount3", "losetup", "mkfs.ext4", "pg_ctlcluster");
skipWhere(attachObstacle);

const clientCount = 4;
const roundTransactions = 250;
const accountCount = 100_000;

/** The transaction of TPC-B, as pgbench has it, with a ledger instead of its history: who has written which row is known outside. */
const transaction = `
\\set n :n + 1
\\set account random(1, ${accountCount})
\\set teller random(1, 10)
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :account;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :teller;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = 1;
INSERT INTO ledger (round, client, n, delta) VALUES (:round, :client_id, :n, :delta);
COMMIT;
`;

const ledger = "CREATE TABLE ledger (round int, client int, n int, delta int, PRIMARY KEY (round, client, n))";
const sums = [
  "SELECT sum(abalance) FROM pgbench_accounts",
  "SELECT sum(tbalance) FROM pgbench_tellers",
  "SELECT sum(bbalance) FROM pgbench_branches",
  "SELECT coalesce(sum(delta), 0) FROM ledger",
];

/** A database, the clients that it has, and what was noted of their commits. */
class BusyDatabase {
  readonly #cluster: PostgresCluster;
  readonly #script: string;
  readonly commits: NotedCommit[] = [];
  #rounds = 0;

  private constructor(cluster: PostgresCluster, script: string) {
    this.#cluster = cluster;
    this.#script = script;
  }

  static async make(folder: TemporaryFolder, mounted: string): Promise<BusyDatabase> {
    const cluster = await PostgresCluster.make(folder, mounted);
    await cluster.start();
    await cluster.bench(["-i", "-q", "-s", String(accountCount / 100_000)]);
    await cluster.query(ledger);
    const script = join(cluster.host, "transaction.sql");
    await writeFile(script, transaction);
    return new BusyDatabase(cluster, script);
  }

  get cluster(): PostgresCluster {
    return this.#cluster;
  }

  async round(): Promise<void> {
    const round = ++this.#rounds;
    const log = join(this.#cluster.host, `round-${round}`);
    const size = ["-n", "-c", String(clientCount), "-t", String(roundTransactions)];
    const variables = ["-D", `round=${round}`, "-D", "n=0"];
    await this.#cluster.bench([...size, ...variables, "-f", this.#script, "-l", `--log-prefix=${log}`]);
    for (const name of await readdir(this.#cluster.host)) {
      if (!name.startsWith(`${basename(log)}.`)) continue;
      this.commits.push(...readCommitLog(round, await readFile(join(this.#cluster.host, name), "utf8")));
    }
  }

  /** Goes on with rounds while the work is done. */
  async during(work: () => Promise<void>): Promise<void> {
    let isOver = false;
    const rounds = async (): Promise<void> => {
      while (!isOver) await this.round();
    };
    const all = rounds();
    // Told where it is waited for.
    all.catch(() => {});
    try {
      await work();
    } finally {
      isOver = true;
    }
    await all;
  }
}

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
  const database = await BusyDatabase.make(folder, mounted.path);
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
        const rows = await cluster.query("SELECT round, client, n FROM ledger");
        const names = new Set(rows.map(([round, client, n]) => commitName(Number(round), Number(client), Number(n))));
        const verdict = judge(noted, names, isByTime ? wantedMs : Date.parse(view.time));
        expect(verdict, `${point}, seq:${view.seq}`).toMatchObject({ lost: [], early: [] });
        expect(new Set((await cluster.query(sums.join(" UNION ALL "))).flat()).size).toBe(1);
        promisedCount += verdict.promisedCount;
      });
    }
  });
  expect(noted).toHaveLength(shareOf(10) * clientCount * roundTransactions);
  expect(promisedCount).toBeGreaterThan(0);
});

test("bisect finds the exact write after which a dropped table is gone", async () => {
  const folder = await temporaryFolder();
  const { up, mounted } = await protectedDisk(folder, "256M");
  const database = await BusyDatabase.make(folder, mounted.path);
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
