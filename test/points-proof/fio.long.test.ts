/**
 * What the whole is for: at random points of a long run of writes, with trims, flushes, switches, sealing, ageing and collection
 * going on, each byte of the view is what the host had made of it. Judged by what a relay between the two has seen.
 */
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { isWhole, shareOf } from "#test/long-share.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { DifferenceJudge } from "./difference-judge.ts";
import { runFio } from "./fio.ts";
import { MarkJudge } from "./mark-judge.ts";
import { PointJudge } from "./point-judge.ts";
import { complaintsOf, proofReport, writeCount } from "./proof-report.ts";
import { unrest } from "./unrest.ts";
import { WitnessedVolume } from "./witnessed-volume.ts";

needPrograms("setpriv", "fio", "nbdinfo");

const sizeBytes = 32 * MiB;
const rounds = 10;
const writesPerRound = 10_000;
const pointsPerRound = 100;
/** While fio writes, so many at once: the next ones are drawn of what is newest then. */
const pointsWhileWriting = 25;
const drawnAtOnce = 5;
const pairsPerRound = isWhole ? 30 : 6;

/** Writes of many sizes, also within blocks, and trims beside them, over a connection each. */
async function fio(uri: string, round: number, count: number): Promise<void> {
  const writes = ["--rw=randwrite", "--bssplit=512/5:4k/76:12k/10:64k/8:1m/1", "--iodepth=64", "--fsync=300"];
  const content = ["--refill_buffers", "--buffer_compress_percentage=40", "--dedupe_percentage=15"];
  const hot = round % 2 === 0 ? [] : ["--random_distribution=zipf:1.1"];
  const everywhere = [
    "--ioengine=nbd",
    `--uri=${uri}`,
    `--size=${sizeBytes}`,
    "--io_size=100g",
    "--norandommap",
    `--randseed=${round}`,
  ];
  await runFio([
    ...["--name=writes", ...everywhere, ...writes, ...content, ...hot, `--number_ios=${count}`, "--rate=24m"],
    ...["--name=trims", ...everywhere, "--rw=randtrim", "--bssplit=4k/50:64k/40:512k/10", "--iodepth=8"],
    ...[`--number_ios=${Math.ceil(count / 12)}`, "--rate=8m"],
  ]);
}

test("each byte of points of fio's writes, drawn at random, and of all marks, is what fio had written by then", {
  timeout: 3_600_000,
}, async () => {
  const volume = await WitnessedVolume.make(temporaryFolder(), sizeBytes, "15s 1s, 60s 5s");
  const random = new SeededRandom(60_001);
  const judge = new PointJudge(volume, random);
  const marks = new MarkJudge(volume, judge, "5s");
  const differences = new DifferenceJudge(volume, random);
  const judges = { points: judge, marks, differences };
  let foldedPieces = 0;
  // A share of the rounds, and more of them until something was folded.
  for (let round = 0; round < rounds && (round < shareOf(rounds) || foldedPieces === 0); round++) {
    const work = fio(volume.uri, round, writesPerRound);
    const switched = unrest(volume, random, work);
    const collected = judge.collects();
    await Promise.all([work, switched, judge.checkRandom(pointsWhileWriting, drawnAtOnce)]);
    foldedPieces += await collected;
    // Of both what is not sealed yet is among them.
    await differences.check(pairsPerRound);
    await judge.checkRandom(pointsPerRound - pointsWhileWriting);
    await marks.check();
    // No view pins anything now.
    foldedPieces += await judge.collects();
  }
  await volume.calm();
  volume.order.checkWhole();
  await marks.check();
  marks.checkQuiet();
  await volume.end();
  console.info(proofReport(volume, judges, foldedPieces));
  expect(complaintsOf(judges)).toEqual([]);
  expect(foldedPieces).toBeGreaterThan(0);
  if (isWhole) {
    expect(writeCount(volume)).toBeGreaterThanOrEqual(100_000);
    expect(judge.count).toBeGreaterThanOrEqual(1000);
    expect(marks.goneCount).toBeGreaterThan(0);
  }
});
