/** Processes killed and frozen in the middle of work: a few rounds; the long suite has many. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { filesUnder, typeNumber } from "#test/oracle/log-file-reader.ts";
import { whenSeen } from "#test/patience.ts";
import { beginRounds, disturb, playRound } from "./rounds.ts";
import { tearLastBatch } from "./torn-spool.ts";

needPrograms("setpriv");

const sizeBytes = 4 * MiB;

test("in async all three processes are killed at once, then the remote is frozen", async () => {
  const rounds = await beginRounds({ sizeBytes, mode: "async" }, 1);
  await playRound(rounds, { kind: "kill", roles: ["interceptor", "local", "remote"] });
  await playRound(rounds, { kind: "freeze", role: "remote" });
});

test("in sync the local appliance is killed, then the remote", async () => {
  const rounds = await beginRounds({ sizeBytes, mode: "sync" }, 2);
  await playRound(rounds, { kind: "kill", roles: ["local"] });
  await playRound(rounds, { kind: "kill", roles: ["remote"] });
});

test("the local appliance is killed in the middle of a record, the half of it is dropped, and the volume is copied anew", async () => {
  const rounds = await beginRounds({ sizeBytes, mode: "async" }, 4);
  const { sites } = rounds;
  await disturb(rounds, async (host) => {
    await sites.kill("local");
    sites.faults = ["local.after-spool=kill@100"];
    await sites.start("local");
    sites.faults = [];
    await sites.program("local").ended;
    tearLastBatch(sites.dataOf("local"));
    await sites.kill("local");
    await sites.start("local");
    await host.answered(200);
  });
  using replay = sites.replay();
  expect(replay.records.filter(({ type }) => type === typeNumber.resyncEnd)).toHaveLength(1);
});

test("while segments are sealed every second the remote is killed, then everything", async () => {
  const settings = { store: { sealAfterSeconds: 1 } };
  const rounds = await beginRounds({ sizeBytes, mode: "async", settings }, 3);
  await playRound(rounds, { kind: "kill", roles: ["remote"] });
  await playRound(rounds, { kind: "kill", roles: ["interceptor", "local", "remote"] });
  const remote = join(rounds.sites.dataOf("remote"), "remote");
  const unsealed = () => filesUnder(join(remote, "groups")).filter((path) => path.endsWith(".data"));
  await whenSeen(() => expect(unsealed()).toEqual([]));
  await playRound(rounds, { kind: "kill", roles: ["local", "remote"] });
});
