/** A PostgreSQL cluster of Debian's packages in a folder of the test's choice. Its server refuses to run as root: it is another user's. */
import { readdirSync, readlinkSync } from "node:fs";
import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { whenSeen } from "#test/patience.ts";
import { succeed } from "./command.ts";
import type { TemporaryFolder } from "./harness.ts";
import { runPostgresProgram, postgresUser as user } from "./postgres-program.ts";

/** For what may take minutes on a slow machine: a server that recovers, clients with a thousand commits. */
const timeoutSeconds = 600;
const untilDone = ["-w", "-t", String(timeoutSeconds)];

/**
 * All that it promises is kept, and pages have checksums. The log is short, so that checkpoints and the reuse of its files come often, and
 * what is noted of statistics makes writes of its own.
 */
const settings = [
  "listen_addresses=",
  "max_connections=20",
  "shared_buffers=16MB",
  "min_wal_size=2MB",
  "max_wal_size=6MB",
  "autovacuum_naptime=5s",
];

export class PostgresCluster {
  readonly #data: string;
  /** For what must not lie on the disk that the cluster is on: its socket, and what its server logs. */
  readonly #beside: string;
  #isRunning = false;

  private constructor(data: string, beside: string) {
    this.#data = data;
    this.#beside = beside;
  }

  /** A new one, on a disk that is mounted there. */
  static async make(folder: TemporaryFolder, mounted: string): Promise<PostgresCluster> {
    const cluster = await PostgresCluster.#in(folder, mounted);
    await ownedFolder(cluster.#data);
    const options = ["--auth=trust", `--username=${user}`, "--data-checksums", "--wal-segsize=1", "--no-locale"];
    await called("initdb", ["-D", cluster.#data, ...options]);
    return cluster;
  }

  /** One that was made on this disk, or on the one that it is a view of. */
  static async on(folder: TemporaryFolder, mounted: string): Promise<PostgresCluster> {
    const cluster = await PostgresCluster.#in(folder, mounted);
    // It names the server of the disk itself, which runs on this machine: this one would not start beside that, or would end it.
    await rm(join(cluster.#data, "postmaster.pid"), { force: true });
    return cluster;
  }

  static async #in(folder: TemporaryFolder, mounted: string): Promise<PostgresCluster> {
    // Nobody but the test's user may look into its folder otherwise.
    await chmod(folder.path, 0o711);
    const beside = `${mounted}-cluster`;
    await ownedFolder(beside);
    const cluster = new PostgresCluster(join(mounted, "cluster"), beside);
    onTestFinished(() => cluster.stop());
    return cluster;
  }

  /** Where clients find it. */
  get host(): string {
    return this.#beside;
  }

  /** Comes back when it has recovered, and takes clients. */
  async start(): Promise<void> {
    const server = [`-k ${this.#beside}`, ...settings.map((setting) => `-c ${setting}`)].join(" ");
    this.#isRunning = true;
    const log = ["-l", join(this.#beside, "log")];
    await called("pg_ctl", ["-D", this.#data, ...untilDone, "-s", ...log, "-o", server, "start"]);
  }

  /** At once, as by a crash: nothing is written any more, and nobody has a file open. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    await called("pg_ctl", ["-D", this.#data, ...untilDone, "-s", "-m", "immediate", "stop"]);
    // Those that served clients, or were to do so, may end later than the one that is waited for.
    await whenSeen(() => expect(processesIn(this.#data)).toEqual([]));
  }

  /** Rows of fields. */
  async query(statement: string): Promise<readonly (readonly string[])[]> {
    const options = ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", statement];
    const { stdout } = await called("psql", ["-h", this.host, "-U", user, ...options, user]);
    return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")]));
  }

  /** `pgbench`, with what it is to do; it notes its transactions in files whose names begin so. */
  async bench(options: readonly string[]): Promise<void> {
    await called("pgbench", ["-h", this.host, "-U", user, ...options, user]);
  }
}

/** All processes of a server have its folder as theirs. */
function processesIn(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`) === folder;
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/** Of the server's user. */
export async function ownedFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const [userId, groupId] = (await succeed("getent", ["passwd", user])).stdout.split(":").slice(2, 4).map(Number);
  await chown(path, userId as number, groupId as number);
}

function called(program: string, programArguments: readonly string[]) {
  return runPostgresProgram(program, programArguments, timeoutSeconds * 1000);
}
