/**
 * A real file system on a witnessed volume, in use all the while: at points that chance picks, half of them where something was
 * flushed, a writable view of it is mounted, which replays its log, has what was synced by then, and checks clean.
 */
import { join } from "node:path";
import { expect } from "vitest";
import { attach, mount } from "#test/clients/attached-disk.ts";
import { temporaryFolder } from "#test/clients/harness.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { FileChurn } from "./file-churn.ts";
import { runFio } from "./fio.ts";
import { type FileSystem, MountedViews } from "./mounted-views.ts";
import { PointJudge } from "./point-judge.ts";
import { proofReport } from "./proof-report.ts";
import { unrest } from "./unrest.ts";
import { WitnessedVolume } from "./witnessed-volume.ts";

export interface ProofSize {
  readonly sizeBytes: number;
  readonly rounds: number;
  /** Of the database-like file in the file system, in each round. */
  readonly writesPerRound: number;
  /** Points whose every byte is compared. */
  readonly comparedPerRound: number;
  /** Points that are mounted, some of them while the file system is written to. */
  readonly pointsPerRound: number;
  readonly pointsWhileWriting: number;
}

const roundsMax = 20;

/** Answers what was seen, in words; fails where a point is not what it must be. */
export async function proveFileSystem(kind: FileSystem, size: ProofSize): Promise<string> {
  const folder = await temporaryFolder();
  const volume = await WitnessedVolume.make(folder.path, size.sizeBytes, "15s 1s, 60s 5s");
  const random = new SeededRandom(60_002);
  const judge = new PointJudge(volume, random);
  const host = await attach(folder, volume.uri);
  await kind.make(host.device);
  const mounted = await mount(folder, host.device);
  const firstSeq = volume.seqNow();
  const churn = new FileChurn(mounted.path, random, () => volume.seqNow());
  await churn.begin();
  await volume.sealed();
  const views = new MountedViews({ kind, volume, folder, churn, random, firstSeq });
  let foldedPieces = 0;
  // More rounds than wanted where nothing was folded in these.
  for (let round = 0; round < size.rounds || (foldedPieces === 0 && round < roundsMax); round++) {
    const work = writeInPlace(join(mounted.path, "table"), round, size.writesPerRound);
    const collected = judge.collects();
    const all = [work, churn.goOn(work), unrest(volume, random, work), views.check(size.pointsWhileWriting), collected];
    // Whatever fails, nobody uses the file system any more when it is unmounted.
    await Promise.allSettled(all);
    await Promise.all(all);
    foldedPieces += await collected;
    await judge.checkRandom(size.comparedPerRound);
    await views.check(size.pointsPerRound - size.pointsWhileWriting);
    foldedPieces += await judge.collects();
  }
  await mounted.unmount();
  await kind.check(host.device);
  await host.detach();
  await volume.calm();
  volume.order.checkWhole();
  await judge.checkMarks();
  await volume.end();
  expect([...judge.complaints, ...views.complaints]).toEqual([]);
  expect(foldedPieces).toBeGreaterThan(0);
  const { flushPoints, otherPoints } = views;
  return `${kind.name}: ${proofReport(volume, judge, foldedPieces)}; mounted ${flushPoints} flush points, ${otherPoints} others`;
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
