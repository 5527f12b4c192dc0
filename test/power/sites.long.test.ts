/** Sites that lose their power again and again. */
import { test } from "vitest";
import { MiB } from "#test/clients/image.ts";
import { shareOf } from "#test/long-share.ts";
import { beginCutRounds, playCut } from "./cut-rounds.ts";
import { needPowerDisks } from "./power-disk.ts";
import type { SiteName } from "./powered-sites.ts";

needPowerDisks();

const victims: readonly (readonly SiteName[])[] = [
  ["local"],
  ["local"],
  ["remote"],
  ["local", "remote"],
  ["remote", "local"],
];
const cuts = shareOf(15);

test.each([
  { mode: "async", fileSystem: "ext4", sourceApart: false, flush: "both", seed: 31 },
  { mode: "async", fileSystem: "ext4", sourceApart: true, flush: "spool", seed: 32 },
  { mode: "async", fileSystem: "xfs", sourceApart: true, flush: "spool", seed: 33 },
  { mode: "sync", fileSystem: "ext4", sourceApart: true, flush: "both", seed: 34 },
  { mode: "sync", fileSystem: "xfs", sourceApart: false, flush: "spool", seed: 35 },
] as const)(
  "cuts of the power: $mode, $fileSystem, source apart: $sourceApart, flush: $flush, seed $seed",
  async (options) => {
    const { seed, ...others } = options;
    const rounds = await beginCutRounds({ ...others, sizeBytes: 4 * MiB }, seed);
    for (let cut = 0; cut < cuts; cut++) await playCut(rounds, rounds.random.pick(victims));
  },
);
