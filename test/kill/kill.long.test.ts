/** Two hundred kills, and as many as fall into runs of fio, with a writer of the tests' own and with fio. */
import { test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { shareOf } from "#test/long-share.ts";
import { accidentsUnderFio } from "./fio-rounds.ts";
import { beginRounds, drawnAccidents, playRound } from "./rounds.ts";

needPrograms("setpriv", "fio", "nbdkit");

test.each([
  ["async", 3],
  ["sync", 4],
] as const)("a hundred kills, of each role and of all, in %s, seed %i", async (mode, seed) => {
  const rounds = await beginRounds({ sizeBytes: 4 * MiB, mode }, seed);
  for (const accident of drawnAccidents(rounds.random, shareOf(100))) await playRound(rounds, accident);
});

test.each([
  ["async", 5],
  ["sync", 6],
] as const)("fio finds what it wrote after accidents in %s, seed %i", async (mode, seed) => {
  await accidentsUnderFio(mode, seed, { writtenBytes: shareOf(96) * MiB, accidentsMin: shareOf(20) });
});
