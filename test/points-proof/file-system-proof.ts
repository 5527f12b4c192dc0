/**
 * A real file system on a witnessed volume, in use all the while: at points that chance picks, half of them where something was
 * flushed, a writable view of it is mounted, which replays its log, has what was synced by then, and checks clean.
 */
import { join } from "node:path";
import { expect } from "vitest";
import { attach, mount } from "#test/clients/attached-disk.ts";
import { temporaryFolder } from "#test/clients/harness.ts";
import { isWhole, shareOf } from "#test/long-share.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { DifferenceJudge } from "./difference-judge.ts";
import { FileChurn } from "./file-churn.ts";
import { runFio } from "./fio.ts";
import { MarkJudge } from "./mark-judge.ts";
import { type FileSystem, MountedViews } from "./mounted-views.ts";
import { PointJudge } from "./point-judge.ts";
import { complaintsOf, type Judges, proofReport, writeCount } from "./proof-report.ts";
import { unrest } from "./unrest.ts";
import { WitnessedVolume } from "./witnessed-volume.ts";

const rounds = 10;
const roundsMax = 20;
/** Of the database-like file; those of the file system itself come on top. */
const writesPerRound = isWhole ? 10_000 : 5000;

/**
 * Points whose every byte is read and compared, in all 1,000 of them. To read only blocks that have changed since the point before
 * would be less: a block that has not is found by way of another snapshot, of other pieces and of another generation of its segment
 * at each point, and any of these may be wrong. A volume of this size is read in a fraction of a second, so all of it is.
 */
const comparedPerRound = isWhole ? 100 : 20;
/** Points that are mounted, which takes a second: in all 200 where something was flushed, and 200 others. */
const mountedPerRound = isWhole ? 40 : 16;
const mountedWhileWriting = 4;
/** Of points whose difference is asked for. */
const pairsPerRound = isWhole ? 20 : 4;

/** Answers what was seen, in words; fails where a point is not what it must be. */
export async function proveFileSystem(kind: FileSystem, sizeBytes: number): Promise<string> {
  const folder = await temporaryFolder();
  const volume = await WitnessedVolume.make(folder.path, sizeBytes, "15s 1s, 60s 5s");
  const random = new SeededRandom(60_002);
  const points = new PointJudge(volume, random);
  const marks = new MarkJudge(volume, points, "5s");
  const judges = { points, marks, differences: new DifferenceJudge(volume, random) };
  const host = await attach(folder, volume.uri);
  await kind.make(host.device);
  const mounted = await mount(folder, host.device);
  const firstSeq = volume.seqNow();
  const churn = new FileChurn(mounted.path, random, () => volume.seqNow());
  await churn.begin();
  await volume.sealed();
  const views = new MountedViews({ kind, volume, folder, churn, random, firstSeq });
  let foldedPieces = 0;
  // A share of the rounds, and more of them where nothing was folded in these.
  for (let round = 0; round < shareOf(rounds) || (foldedPieces === 0 && round < roundsMax); round++) {
    const work = writeInPlace(join(mounted.path, "table"), round, writesPerRound);
    const collected = points.collects();
    const all = [work, churn.goOn(work), unrest(volume, random, work), views.check(mountedWhileWriting), collected];
    // Whatever fails, nobody uses the file system any more when it is unmounted.
    await Promise.allSettled(all);
    await Promise.all(all);
    foldedPieces += await collected;
    await judges.differences.check(pairsPerRound);
    await points.checkRandom(comparedPerRound);
    await views.check(mountedPerRound - mountedWhileWriting);
    await marks.check();
    foldedPieces += await points.collects();
  }
  await mounted.unmount();
  await kind.check(host.device);
  await host.detach();
  await volume.calm();
  volume.order.checkWhole();
  await marks.check();
  marks.checkQuiet();
  await volume.end();
  expect([...complaintsOf(judges), ...views.complaints]).toEqual([]);
  expect(foldedPieces).toBeGreaterThan(0);
  if (isWhole) expectWhole(volume, judges);
  const { flushPoints, otherPoints } = views;
  return `${kind.name}: ${proofReport(volume, judges, foldedPieces)}; mounted ${flushPoints} flush points, ${otherPoints} others`;
}

function expectWhole(volume: WitnessedVolume, { points, marks }: Judges): void {
  expect(writeCount(volume)).toBeGreaterThanOrEqual(100_000);
  expect(points.count).toBeGreaterThanOrEqual(1000);
  expect(marks.goneCount).toBeGreaterThan(0);
}

/** As a database writes its file: in place, past the cache, synced all the time. */
async function writeInPlace(path: string, round: number, count: number): Promise<void> {
  await runFio([
    ...[
      "--name=table",
      `--filename=${path}`,
      "--size=12M",
      "--io_size=100g",
      "--rw=randwrite",
      "--bssplit=4k/80:8k/15:32k/5",
    ],
    ...[
      "--ioengine=libaio",
      "--iodepth=32",
      "--direct=1",
      "--fsync=24",
      "--norandommap",
      "--refill_buffers",
      `--randseed=${round}`,
    ],
    ...["--buffer_compress_percentage=40", `--number_ios=${count}`, "--overwrite=1", "--fallocate=none"],
  ]);
}
