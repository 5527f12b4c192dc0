/** Processes killed and frozen in the middle of work: a few rounds; the long suite has many. */
import { test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { beginRounds, playRound } from "./rounds.ts";

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
