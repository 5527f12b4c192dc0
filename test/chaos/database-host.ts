/**
 * PostgreSQL with clients on an ext4 on a protected volume. nbdkit stands between, and attaches again when the export has gone, so
 * that the file system only waits. Judged by what was noted of the commits outside of it, and by ext4's own check.
 */
import { access } from "node:fs/promises";
import type { ViewFacts } from "#src/control/view.ts";
import { type AttachedDisk, attach, type MountedDisk, mount } from "#test/clients/attached-disk.ts";
import { BusyDatabase, heldCommits, isBalanced } from "#test/clients/busy-database.ts";
import { run, succeed } from "#test/clients/command.ts";
import { judge } from "#test/clients/commit-log.ts";
import { unixUri } from "#test/clients/harness.ts";
import { PostgresCluster } from "#test/clients/postgres.ts";
import { Program } from "#test/oracle/program.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { PointViews } from "./point-views.ts";
import type { SeqWatch } from "./seq-watch.ts";
import { until } from "./until.ts";
import { databaseVolume, type World } from "./world.ts";

/** A round is some five seconds long where nothing stands in its way: what it committed is known then. */
const work = { transactions: 100, perSecond: 20 };

interface Parts {
  readonly world: World;
  readonly nbdkit: Program;
  readonly disk: AttachedDisk;
  readonly mounted: MountedDisk;
  readonly database: BusyDatabase;
  /** From there on there is a database. */
  readonly firstSeq: number;
  readonly complain: (words: string) => void;
}

export class DatabaseHost {
  readonly #parts: Parts;
  #isOver = false;
  #viewCount = 0;
  #promisedCount = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async make(world: World, complain: (words: string) => void): Promise<DatabaseHost> {
    const { folder, databaseUri } = world;
    const socket = folder.file("retrying.sock");
    const retry = [
      "--filter=retry",
      "nbd",
      `uri=${databaseUri}`,
      "retries=600",
      "retry-delay=1",
      "retry-exponential=no",
    ];
    const nbdkit = new Program("nbdkit", ["nbdkit", "--foreground", "--unix", socket, ...retry]);
    await until("nbdkit listens", () => access(socket));
    const disk = await attach(folder, unixUri(socket));
    await succeed("mkfs.ext4", ["-q", disk.device]);
    const mounted = await mount(folder, disk.device);
    const database = await BusyDatabase.make(folder, mounted.path, work);
    await succeed("sync", ["-f", mounted.path]);
    const { lastSeq: firstSeq } = await world.group(databaseVolume);
    return new DatabaseHost({ world, nbdkit, disk, mounted, database, firstSeq, complain });
  }

  /** Of which it is known that they had returned. */
  get commitCount(): number {
    return this.#parts.database.commits.length;
  }

  /** Views on which the database has recovered, and commits that had to be there on one of them. */
  get viewCount(): number {
    return this.#viewCount;
  }

  get promisedCount(): number {
    return this.#promisedCount;
  }

  /** Goes on until `end`. */
  async run(): Promise<void> {
    while (!this.#isOver) await this.#parts.database.round();
  }

  end(): void {
    this.#isOver = true;
  }

  /** The database recovers on a view of a point, has every commit that had returned, and none of later. */
  async checkView(random: SeededRandom, views: PointViews, watch: SeqWatch): Promise<void> {
    const { world, firstSeq } = this.#parts;
    const open = async (seq: number) => {
      const wish = { volume: databaseVolume, point: `seq:${seq}`, nearest: true, writable: true };
      return (await world.asked("remote", "POST", "/views", wish)) as ViewFacts;
    };
    const view = await views.drawOne(databaseVolume, random, open, firstSeq);
    // Before there was a database, where points are coarse.
    if (view.seq >= firstSeq) await this.#recoverOn(view, watch);
    await world.asked("remote", "DELETE", `/views/${encodeURIComponent(view.name)}?discard=true`);
  }

  async #recoverOn(view: ViewFacts, watch: SeqWatch): Promise<void> {
    const { world } = this.#parts;
    const disk = await attach(world.folder, view.uri);
    const mounted = await mount(world.folder, disk.device);
    const cluster = await PostgresCluster.on(world.folder, mounted.path);
    await cluster.start();
    await this.#judge(cluster, view.seq, watch);
    await cluster.stop();
    await mounted.unmount();
    await succeed("e2fsck", ["-f", "-n", disk.device]).catch((error: Error) => {
      this.#parts.complain(`the file system of seq ${view.seq}: ${error.message}`);
    });
    await disk.detach();
    this.#viewCount++;
  }

  async #judge(cluster: PostgresCluster, seq: number, watch: SeqWatch): Promise<void> {
    const { database, complain } = this.#parts;
    const [commits, rounds] = [[...database.commits], database.notedRounds];
    const held = await heldCommits(cluster);
    const { answered, begun } = watch.boundsOf(databaseVolume, seq);
    const { lost, promisedCount } = judge(commits, held, answered?.atMs ?? 0);
    const noted = new Set([...held].filter((name) => Number(name.split("/")[0]) <= rounds));
    const { early } = judge(commits, noted, Math.ceil(begun?.atMs ?? Number.MAX_SAFE_INTEGER / 1e4));
    if (lost.length > 0)
      complain(`seq ${seq} of the database lacks commits that had returned: ${lost.slice(0, 5).join(", ")}`);
    if (early.length > 0) complain(`seq ${seq} of the database has commits of later: ${early.slice(0, 5).join(", ")}`);
    if (!(await isBalanced(cluster))) complain(`seq ${seq} of the database has half of a transaction`);
    this.#promisedCount += promisedCount;
  }

  /** Nobody is at work any more. What is there has every commit, and the file system is sound; then nothing of it is under way. */
  async leave(): Promise<void> {
    const { database, mounted, disk, complain } = this.#parts;
    const held = await heldCommits(database.cluster);
    const lost = database.commits.filter(({ name }) => !held.has(name));
    if (lost.length > 0) complain(`${lost.length} commits are lost: ${lost[0]?.name}`);
    if (!(await isBalanced(database.cluster))) complain("the database has half of a transaction");
    await database.cluster.stop();
    await mounted.unmount();
    await succeed("e2fsck", ["-f", "-n", disk.device]).catch((error: Error) => complain(error.message));
    await disk.detach();
  }

  /** After a failure: nobody waits for a volume that may never come back. */
  async abandon(): Promise<void> {
    const { database, mounted, disk, nbdkit } = this.#parts;
    await nbdkit.kill();
    await run("fsfreeze", ["--unfreeze", mounted.path]);
    for (const step of [() => database.cluster.stop(), () => mounted.unmount(), () => disk.detach()]) {
      await step().catch(() => {});
    }
  }
}
