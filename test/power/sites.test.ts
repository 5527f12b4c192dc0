/** Sites that lose their power in the middle of work: a few cuts; the long suite has many. */
import { test } from "vitest";
import { MiB } from "#test/clients/image.ts";
import { beginCutRounds, playCut } from "./cut-rounds.ts";
import { needPowerDisks } from "./power-disk.ts";

needPowerDisks();

const sizeBytes = 4 * MiB;

test("faults 10 and 11: in async the local site loses its power, then both do", async () => {
  const options = { mode: "async", sizeBytes, fileSystem: "ext4", sourceApart: true, flush: "spool" } as const;
  const rounds = await beginCutRounds(options, 21);
  await playCut(rounds, ["local"]);
  await playCut(rounds, ["local", "remote"]);
});

test("faults 10 and 11: in sync the remote loses its power, then both do", async () => {
  const options = { mode: "sync", sizeBytes, fileSystem: "ext4", sourceApart: false, flush: "both" } as const;
  const rounds = await beginCutRounds(options, 22);
  await playCut(rounds, ["remote"]);
  await playCut(rounds, ["remote", "local"]);
});
