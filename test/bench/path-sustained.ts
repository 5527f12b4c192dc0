/**
 * A long write on the disk: what reaches it of one plain writer, of a server that protects nothing, and of ours. In the end
 * everything is durable wherever it is to be, and that time counts.
 */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { succeed } from "#test/clients/command.ts";
import { runFio, type Workload } from "./fio.ts";
import { sustainedShareGoal } from "./path-cases.ts";
import { type ContenderName, startContender } from "./path-contenders.ts";
import type { PathOptions } from "./path-options.ts";
import { type SustainedFigures, type SustainedRound, sustainedFigures } from "./path-results.ts";
import { syncFileSystem } from "./path-turn.ts";
import { requireRoom } from "./place.ts";
import type { Progress } from "./progress.ts";
import { interleave } from "./rounds.ts";
import { createScratch, type Scratch, writeNoiseFile } from "./scratch.ts";

const KiB = 1024;
const GiB = 1024 ** 3;
const rounds = 3;
const secondsMax = 60;
const plainWriteMs = 600_000;
const fileBytesMax = 4 * GiB;
/** The spool may take as much as it has by itself. */
const spoolBytes = 4 * GiB;
const blockBytes = 128 * KiB;

type Writer = "disk" | "nbdkit" | "tidemark async";

interface Written {
  readonly bytesPerSecond: number;
  /** Given to the disk for each byte asked for. */
  readonly amplification: number;
}

export async function measureSustained(options: PathOptions, progress: Progress): Promise<SustainedFigures> {
  const bytes = options.sustainedBytes;
  const fileBytes = Math.min(bytes, fileBytesMax);
  await requireRoom(options.diskFolder, fileBytes + spoolBytes + 2 * bytes);
  using scratch = createScratch(options.diskFolder);
  progress.show(`sustained: writing ${fileBytes / GiB} GiB`);
  await writeNoiseFile(scratch.file("disk"), fileBytes);
  const writers: readonly Writer[] = ["disk", "nbdkit", "tidemark async"];
  const schedule = { rounds: Math.min(rounds, options.rounds), warmUpRounds: 0 };
  const series = await interleave(writers, schedule, async (writer, round) => {
    progress.show(`sustained: ${bytes / GiB} GiB, round ${round + 1} of ${schedule.rounds}, ${writer}`);
    await syncFileSystem(options.diskFolder);
    return writer === "disk" ? writePlainly(scratch, bytes) : writeThrough(writer, scratch, { bytes, fileBytes });
  });
  const of = (writer: Writer, round: number) => series.get(writer)?.[round] as Written;
  const perRound = Array.from(
    { length: schedule.rounds },
    (_, round): SustainedRound => ({
      diskBytesPerSecond: of("disk", round).bytesPerSecond,
      unprotectedBytesPerSecond: of("nbdkit", round).bytesPerSecond,
      protectedBytesPerSecond: of("tidemark async", round).bytesPerSecond,
      amplification: of("tidemark async", round).amplification,
    }),
  );
  return sustainedFigures({ bytes, blockBytes, goal: sustainedShareGoal }, perRound);
}

async function writePlainly(scratch: Scratch, bytes: number): Promise<Written> {
  const file = scratch.file("plain");
  const began = performance.now();
  const options = ["--name=plain", "--ioengine=psync", "--rw=write", "--bs=1M", `--size=${bytes}`, "--end_fsync=1"];
  await succeed("fio", [...options, `--filename=${file}`], { timeoutMs: plainWriteMs });
  const seconds = (performance.now() - began) / 1000;
  await rm(file);
  return { bytesPerSecond: bytes / seconds, amplification: 1 };
}

async function writeThrough(
  name: ContenderName,
  scratch: Scratch,
  { bytes, fileBytes }: { readonly bytes: number; readonly fileBytes: number },
): Promise<Written> {
  using sockets = createScratch(tmpdir());
  const ground = { file: scratch.file("disk"), copyFile: scratch.file("copy"), dataFolder: scratch.file("data") };
  await using contender = await startContender(name, { ...ground, sockets });
  const workload: Workload = { access: "write", blockBytes, depth: 32, connections: 1, bytesMax: bytes };
  const run = { uris: contender.uris, sizeBytes: fileBytes, seed: 1, reportFile: sockets.file("report") };
  await contender.check();
  const before = await contender.usage();
  const began = performance.now();
  const { ioCount } = await runFio(workload, { ...run, seconds: secondsMax });
  await contender.settle();
  const seconds = (performance.now() - began) / 1000;
  const after = await contender.usage();
  await contender.check();
  const asked = ioCount * blockBytes;
  return { bytesPerSecond: asked / seconds, amplification: (after.writtenBytes - before.writtenBytes) / asked };
}
