/** A database, the clients that it has, and what was noted of their commits. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { commitName, type NotedCommit, readCommitLog } from "./commit-log.ts";
import type { TemporaryFolder } from "./harness.ts";
import { PostgresCluster } from "./postgres.ts";

const clientCount = 4;
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

export interface BusyDatabaseOptions {
  /** Of all clients together, in a round. */
  readonly transactions: number;
  /** No more than so many in a second. */
  readonly perSecond?: number;
}

export class BusyDatabase {
  readonly #cluster: PostgresCluster;
  readonly #script: string;
  readonly #options: BusyDatabaseOptions;
  readonly commits: NotedCommit[] = [];
  #rounds = 0;
  #notedRounds = 0;

  private constructor(cluster: PostgresCluster, script: string, options: BusyDatabaseOptions) {
    this.#cluster = cluster;
    this.#script = script;
    this.#options = options;
  }

  static async make(folder: TemporaryFolder, mounted: string, options: BusyDatabaseOptions): Promise<BusyDatabase> {
    const cluster = await PostgresCluster.make(folder, mounted);
    await cluster.start();
    await cluster.bench(["-i", "-q", "-s", String(accountCount / 100_000)]);
    await cluster.query(ledger);
    const script = join(cluster.host, "transaction.sql");
    await writeFile(script, transaction);
    return new BusyDatabase(cluster, script, options);
  }

  get cluster(): PostgresCluster {
    return this.#cluster;
  }

  /** Of later ones commits may be there that are not noted yet. */
  get notedRounds(): number {
    return this.#notedRounds;
  }

  async round(): Promise<void> {
    const { transactions, perSecond } = this.#options;
    const round = ++this.#rounds;
    const log = join(this.#cluster.host, `round-${round}`);
    const size = ["-n", "-c", String(clientCount), "-t", String(transactions / clientCount)];
    const rate = perSecond === undefined ? [] : ["-R", String(perSecond)];
    const variables = ["-D", `round=${round}`, "-D", "n=0"];
    await this.#cluster.bench([...size, ...rate, ...variables, "-f", this.#script, "-l", `--log-prefix=${log}`]);
    for (const name of await readdir(this.#cluster.host)) {
      if (!name.startsWith(`${basename(log)}.`)) continue;
      this.commits.push(...readCommitLog(round, await readFile(join(this.#cluster.host, name), "utf8")));
    }
    this.#notedRounds = round;
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

/** The commits that a database has, by name. */
export async function heldCommits(cluster: PostgresCluster): Promise<Set<string>> {
  const rows = await cluster.query("SELECT round, client, n FROM ledger");
  return new Set(rows.map(([round, client, n]) => commitName(Number(round), Number(client), Number(n))));
}

/** Whether all balances tell of the same transactions. */
export async function isBalanced(cluster: PostgresCluster): Promise<boolean> {
  return new Set((await cluster.query(sums.join(" UNION ALL "))).flat()).size === 1;
}
